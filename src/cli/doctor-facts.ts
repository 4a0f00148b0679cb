// What `dsync doctor` looks at, as plain values: the checks over them are pure, gathering them is another file's work.

import type { StatusReport } from "../core/reports.ts";
import type { ProbedLink } from "../discovery/probe-multicast.ts";
import type { FoundService } from "../discovery/parse-services.ts";

export interface DoctorFacts {
  /** `20.19.0`. */
  readonly nodeVersion: string;
  readonly fastPaths: FastPaths;
  readonly folder: FolderFacts;
  readonly port: PortFacts;
  readonly firewalls: readonly FirewallName[];
  readonly network: NetworkFacts;
  readonly clock: ClockFacts;
  /** What the running instance says; `null`: none runs on the folder. `unreachable`: it does not answer. */
  readonly status: StatusReport | null | { readonly unreachable: string };
}

/** True: the native twin is in use. */
export interface FastPaths {
  readonly cipher: boolean;
  readonly blake3: boolean;
}

export interface FolderFacts {
  /** Absolute. */
  readonly path: string;
  readonly exists: boolean;
  /** Why this user cannot read, write or enter it; `null`: they can. */
  readonly denied: string | null;
  /** Bytes; `null`: not known. */
  readonly freeBytes: number | null;
  /** `ext4`; `null`: not known. */
  readonly fileSystem: string | null;
  /** Directories in it; counting ends at {@link directoriesCountedMax}. */
  readonly directories: number;
  /** Watches that the kernel grants this user; `null`: it has no such limit. */
  readonly watchesMax: number | null;
}

export type PortFacts =
  /** The running instance's. `unreachable`: addresses of this machine on which it does not answer. */
  | { readonly kind: "listening"; readonly port: number; readonly unreachable: readonly string[] }
  | { readonly kind: "free"; readonly port: number }
  /** `isAsked`: by a person, so that no other port will do. */
  | { readonly kind: "taken"; readonly port: number; readonly isAsked: boolean }
  | { readonly kind: "failed"; readonly port: number; readonly reason: string };

/** Those that are switched on. */
export type FirewallName = "ufw" | "firewalld" | "windows" | "macos";

export interface NetworkFacts {
  readonly links: readonly ProbedLink[];
  /** Everything that answered, this machine's instances included. */
  readonly services: readonly FoundService[];
  /** Of the share that is checked: see service-records.ts. */
  readonly ownShareHash: string;
  readonly ownVersion: number;
}

export interface ClockFacts {
  /** Since 1970. */
  readonly nowMs: number;
  /** By a time server; `null`: not known. */
  readonly isSynchronised: boolean | null;
}

export const directoriesCountedMax = 2_000_000;

/** The running instance's status, if there is one that answers. */
export function statusOf({ status }: DoctorFacts): StatusReport | undefined {
  return status === null || "unreachable" in status ? undefined : status;
}
