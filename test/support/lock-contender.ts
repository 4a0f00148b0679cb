// A process that tries to hold a folder as soon as it is told to, says how that went, and lives until it is killed or its
// stdin ends: `node lock-contender.js <folder>`.

import { acquireFolderLock } from "../../src/edge/folder-lock.ts";
import { DsyncError } from "../../src/core/errors.ts";

const folder = process.argv[2] ?? "";

process.stdout.write("ready\n");
process.stdin.once("data", () => {
  try {
    acquireFolderLock(folder, { host: "host", name: "contender", since: "", socketPath: null });
    process.stdout.write("held\n");
  } catch (error) {
    process.stdout.write(error instanceof DsyncError ? `${error.code}\n` : `${String(error)}\n`);
  }
});
process.stdin.on("end", () => process.exit(0));
