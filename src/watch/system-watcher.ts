// Chooses how to watch a folder on this machine.

import { statfsSync, watch } from "node:fs";
import { errnoOf } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";
import type { Clock } from "../edge/clock.ts";
import { FallbackWatcher } from "./fallback-watcher.ts";
import { InotifyWatcher } from "./inotify-watcher.ts";
import { ParcelWatcher } from "./parcel-watcher.ts";
import { PollingWatcher } from "./polling-watcher.ts";
import { watchProblemOf } from "./watch-problem.ts";
import type { Watcher } from "./watcher.ts";

export interface SystemWatcherOptions {
  /** Absolute, without symlinks in it. */
  readonly root: string;
  readonly clock: Clock;
  /** What watchers may leave out. */
  readonly isIgnored: (diskPath: string, isDirectory: boolean) => boolean;
}

/** `f_type` of file systems whose changes may be made on other machines, which raise no events here. */
const REMOTE_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x65735546, // FUSE: sshfs and the like
  0x01021997, // 9p
  0x73757245, // Coda
  0x5346414f, // AFS
]);

/** Native events where they tell everything, polling elsewhere and as soon as they fail. */
export function createSystemWatcher({ root, clock, isIgnored }: SystemWatcherOptions): Watcher {
  return new FallbackWatcher({
    clock,
    native: isRemote(root) ? undefined : createNativeWatcher({ root, clock, isIgnored }),
    polling: new PollingWatcher(root, (diskPath) => isIgnored(diskPath, false)),
    probe: () => probeNativeWatch(root),
  });
}

/** On Linux our own: see docs/decisions/0007-inotify-without-a-library.md. */
function createNativeWatcher({ root, clock, isIgnored }: SystemWatcherOptions): Watcher {
  if (process.platform !== "linux") return new ParcelWatcher(root, () => clock.monotonic());
  return new InotifyWatcher({ root, isIgnoredDirectory: (diskPath) => isIgnored(diskPath, true) });
}

/** True if `path` is on a network file system, as far as the kernel tells. */
export function isRemote(path: string): boolean {
  try {
    // Magic numbers have 32 bits; some platforms sign-extend them.
    return process.platform === "linux" && REMOTE_FILE_SYSTEMS.has(statfsSync(path).type >>> 0);
  } catch {
    return false;
  }
}

/** Why the kernel grants no further watch, or `undefined` if it does. */
export function probeNativeWatch(path: string): Problem | undefined {
  try {
    const watcher = watch(path, { persistent: false });
    // A folder that vanishes is noticed elsewhere.
    watcher.on("error", () => undefined);
    watcher.close();
    return undefined;
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? undefined : watchProblemOf(error);
  }
}
