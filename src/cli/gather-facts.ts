// Gathers what `dsync doctor` judges. Everything that asks the machine comes in as a function; each may fail alone, and
// then its fact is "not known".

import type { StatusReport } from "../core/reports.ts";
import { messageOf } from "../core/errors.ts";
import type { MulticastProbe } from "../discovery/probe-multicast.ts";
import { formatAddress } from "../pool/address.ts";
import type { DoctorFacts, FastPaths, FirewallName, FolderFacts, PortFacts } from "./doctor-facts.ts";
import { fileSystemIn } from "./file-system-traits.ts";

/** The machine, as the doctor asks it. */
export interface Probes {
  readonly nowMs: () => number;
  /** The text of a small file, or `undefined` if it cannot be read. */
  readonly readText: (path: string) => string | undefined;
  readonly exists: (path: string) => boolean;
  /** What a system tool prints, or `undefined` if it is missing or fails. */
  readonly runTool: (tool: string, args: readonly string[]) => Promise<string | undefined>;
  /** Why this user cannot read, write and enter a directory, or `null`. */
  readonly deniedAt: (path: string) => string | null;
  /** May throw. */
  readonly freeBytes: (path: string) => number;
  readonly countDirectories: (path: string) => Promise<number>;
  readonly tryPort: (port: number) => Promise<"free" | "taken" | { readonly reason: string }>;
  readonly canConnect: (host: string, port: number) => Promise<boolean>;
  readonly multicast: () => Promise<MulticastProbe>;
  /** This machine's that a peer may come from, without loopback; the best first. */
  readonly ownAddresses: () => readonly string[];
  /** `undefined`: no instance runs on the folder. Throws if one runs and does not answer. */
  readonly status: () => Promise<StatusReport | undefined>;
}

export interface DoctorSubject {
  /** `process.platform`. */
  readonly system: string;
  readonly nodeVersion: string;
  readonly fastPaths: FastPaths;
  /** Real path, and whether it is there. */
  readonly folder: { readonly path: string; readonly exists: boolean };
  readonly port: { readonly value: number; readonly explicit: boolean };
  readonly ownShareHash: string;
  readonly ownVersion: number;
}

const LOOPBACK = "127.0.0.1";
/** Addresses that are tried, at most: machines that run containers have hundreds. */
const ADDRESSES_TRIED_MAX = 4;

export async function gatherFacts(subject: DoctorSubject, probes: Probes): Promise<DoctorFacts> {
  const status = await askStatus(probes);
  const running = status === null || "unreachable" in status ? undefined : status;
  const [probe, folder, port, firewalls, isSynchronised] = await Promise.all([
    probes.multicast(),
    folderFacts(subject, probes),
    portFacts(subject, running?.port ?? undefined, probes),
    firewallsOn(subject, probes),
    isClockSynchronised(subject, probes),
  ]);
  const { nodeVersion, fastPaths, ownShareHash, ownVersion } = subject;
  return {
    nodeVersion,
    fastPaths,
    folder,
    port,
    firewalls,
    network: { ...probe, ownShareHash, ownVersion },
    clock: { nowMs: probes.nowMs(), isSynchronised },
    status,
  };
}

async function askStatus(probes: Probes): Promise<DoctorFacts["status"]> {
  try {
    return (await probes.status()) ?? null;
  } catch (error) {
    return { unreachable: messageOf(error) };
  }
}

async function folderFacts({ folder: { path, exists }, system }: DoctorSubject, probes: Probes): Promise<FolderFacts> {
  if (!exists) {
    return { path, exists, denied: null, freeBytes: null, fileSystem: null, directories: 0, watchesMax: null };
  }
  const watchesMax = Number(probes.readText("/proc/sys/fs/inotify/max_user_watches") ?? Number.NaN);
  const mounts = probes.readText("/proc/self/mountinfo");
  return {
    path,
    exists,
    denied: probes.deniedAt(path),
    freeBytes: freeBytesAt(path, probes),
    fileSystem: (mounts === undefined ? undefined : fileSystemIn(mounts, path)) ?? null,
    directories: await probes.countDirectories(path),
    watchesMax: system === "linux" && Number.isSafeInteger(watchesMax) ? watchesMax : null,
  };
}

function freeBytesAt(path: string, probes: Probes): number | null {
  try {
    return probes.freeBytes(path);
  } catch {
    return null;
  }
}

async function portFacts(subject: DoctorSubject, listening: number | undefined, probes: Probes): Promise<PortFacts> {
  if (listening !== undefined) {
    const hosts = [LOOPBACK, ...probes.ownAddresses().slice(0, ADDRESSES_TRIED_MAX)];
    const answers = await Promise.all(hosts.map((host) => probes.canConnect(host, listening)));
    const unreachable = hosts.filter((_, index) => answers[index] === false);
    return {
      kind: "listening",
      port: listening,
      unreachable: unreachable.map((host) => formatAddress(host, listening)),
    };
  }
  const { value: port, explicit: isAsked } = subject.port;
  const found = await probes.tryPort(port);
  if (found === "free") return { kind: "free", port };
  return found === "taken" ? { kind: "taken", port, isAsked } : { kind: "failed", port, reason: found.reason };
}

async function firewallsOn({ system }: DoctorSubject, probes: Probes): Promise<readonly FirewallName[]> {
  if (system === "darwin") {
    const said = await probes.runTool("/usr/libexec/ApplicationFirewall/socketfilterfw", ["--getglobalstate"]);
    return said !== undefined && /enabled/i.test(said) ? ["macos"] : [];
  }
  if (system === "win32") {
    const said = await probes.runTool("netsh", ["advfirewall", "show", "currentprofile", "state"]);
    return said !== undefined && /\bON\b/.test(said) ? ["windows"] : [];
  }
  const found: FirewallName[] = [];
  if (/^ENABLED=yes/m.test(probes.readText("/etc/ufw/ufw.conf") ?? "")) found.push("ufw");
  if (probes.exists("/run/firewalld") || probes.exists("/run/firewalld.pid")) found.push("firewalld");
  return found;
}

async function isClockSynchronised({ system }: DoctorSubject, probes: Probes): Promise<boolean | null> {
  if (system !== "linux") return null;
  const said = await probes.runTool("timedatectl", ["show", "--property=NTPSynchronized", "--value"]);
  if (said?.trim() === "yes") return true;
  return said?.trim() === "no" ? false : null;
}
