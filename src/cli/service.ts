// What a service is, whichever system runs it: one instance on one folder, started at login and again when it fails.

import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { ServiceReport } from "../core/reports.ts";

/** What is to be run. */
export interface ServicePlan {
  /** Real path. */
  readonly folder: string;
  /** Program and arguments, absolute paths. */
  readonly command: readonly string[];
  /** What the service's environment needs of this one. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The part of the operating system that runs services for one user. Every method throws a DsyncError `environment`. */
export interface ServiceManager {
  /** Writes the service and starts it. Doing it again changes nothing; with another plan it starts anew. */
  install(plan: ServicePlan): Promise<ServiceReport>;
  /** Stops and removes it; false if there was none. */
  uninstall(folder: string): Promise<boolean>;
  status(folder: string): Promise<ServiceReport>;
  /** What a person may want to know after installing; one sentence each. */
  hints(folder: string): readonly string[];
}

const READABLE_CHARACTERS_MAX = 32;

/** `dsync-shared-3fa2b1c0`: the same for the same folder, and readable. `folder`: real path. */
export function serviceName(folder: string): string {
  const readable = basename(folder)
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9_]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, READABLE_CHARACTERS_MAX);
  const key = createHash("sha256").update(folder).digest("hex").slice(0, 8);
  return ["dsync", readable, key].filter((part) => part !== "").join("-");
}
