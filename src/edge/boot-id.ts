// Names the current boot of this machine: what was written but not flushed survives a crash of the process, but not of
// the machine.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Empty if the system does not tell: then every crash counts as one of the machine. */
export function readBootId(): string {
  try {
    switch (process.platform) {
      case "linux":
        return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      case "darwin":
        return execFileSync("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"], { encoding: "utf8" }).trim();
      default:
        return "";
    }
  } catch {
    return "";
  }
}
