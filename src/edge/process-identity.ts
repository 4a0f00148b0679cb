// Tells this process from all others, also from those that get its process ID later or after a reboot.

import { readFileSync } from "node:fs";
import { errnoOf } from "../core/errors.ts";
import { readBootId } from "./boot-id.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the system's own count; `null` where it cannot be known. */
  readonly processStart: string | null;
  /** Another one after each boot; `null` where it cannot be known. */
  readonly bootId: string | null;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, processStart: startOf(process.pid), bootId: currentBootId() };
}

/** False only if that process has certainly ended. */
export function isAlive({ pid, processStart, bootId }: ProcessIdentity): boolean {
  const currentBoot = currentBootId();
  if (bootId !== null && currentBoot !== null && bootId !== currentBoot) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user.
    if (errnoOf(error) === "ESRCH") return false;
  }
  const start = startOf(pid);
  if (start === "ended") return false;
  return processStart === null || start === null || start === processStart;
}

/** Linux: field 22 of `/proc/<pid>/stat`. `"ended"` for a zombie, which holds nothing any more. */
function startOf(pid: number): string | null {
  const stat = readProc(`/proc/${pid}/stat`);
  // The second field, the command in parentheses, may hold anything, also spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields?.[0] === "Z" || fields?.[0] === "X") return "ended";
  return fields?.[19] ?? null;
}

function currentBootId(): string | null {
  const id = readBootId();
  return id === "" ? null : id;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
