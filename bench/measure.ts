// Small things that every measurement needs.

import { closeSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const TOUCH_BYTES = 2 ** 24;
/** What Linux calls the type of tmpfs. */
const TMPFS = 0x01021994;

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** `fraction`: 0.95 for the value that 95 % do not exceed. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

/**
 * Writes so much to `scratch`, if that is on tmpfs, and removes it. A virtual machine gets its memory from the host at the first touch, which can take
 * longer than what is measured, and gives back what nobody has used for a while: whoever comes first would pay for all.
 */
export function touchMemory(scratch: string, bytes: number): void {
  // On a disk, removing so much is work that goes on for a while.
  if (statfsSync(scratch).type !== TMPFS) return;
  const file = join(scratch, "touched");
  const block = Buffer.alloc(TOUCH_BYTES, 1);
  const descriptor = openSync(file, "w");
  for (let written = 0; written < bytes; written += block.length) writeSync(descriptor, block);
  closeSync(descriptor);
  rmSync(file);
}

/** Milliseconds that `action` takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** Polls until `condition` holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  intervalMs: number,
  deadlineMs = 300_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Not done within ${deadlineMs} ms.`);
    await sleep(intervalMs);
  }
}

/** Peak and current resident memory of a process, in MB (10^6 bytes). Linux only. */
export function memoryOf(pid: number): { readonly peakMb: number; readonly nowMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN);
  return { peakMb: (kib("VmHWM") * 1024) / 1e6, nowMb: (kib("VmRSS") * 1024) / 1e6 };
}

/** CPU time of a process so far, all threads, in ms. Linux only. */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  // Clock ticks are 10 ms on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
