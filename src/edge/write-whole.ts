// Writes small state files so that a reader, or a restart after a crash, finds the old or the new content, never half.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";

const PRIVATE_FILE_MODE = 0o600;

/** A name beside `path` that nobody else uses. */
export function temporaryBeside(path: string): string {
  return `${path}.${process.pid}-${randomBytes(6).toString("hex")}.new`;
}

/** Replaces the file at `path`; its directory must exist. Durable when it returns. Throws Node's system errors. */
export function writeWhole(path: string, content: string): void {
  const temporary = temporaryBeside(path);
  try {
    const descriptor = openSync(temporary, "wx", PRIVATE_FILE_MODE);
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
