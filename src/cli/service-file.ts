// The one file that describes a service to the system: written whole or not at all, and only if it is to change.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DsyncError, errnoOf, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { writeWhole } from "../edge/write-whole.ts";

/** Its text; `undefined` if there is none. */
export function readServiceFile(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw failed("read", file, error);
  }
}

/** False if that is what it says already. */
export function writeServiceFile(file: string, text: string): boolean {
  if (readServiceFile(file) === text) return false;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeWhole(file, text);
    return true;
  } catch (error) {
    throw failed("write", file, error);
  }
}

export function removeServiceFile(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw failed("remove", file, error);
  }
}

function failed(action: string, file: string, error: unknown): DsyncError {
  const shown = escapeForTerminal(file);
  const message = `Cannot ${action} the service file ${shown}: ${messageOf(error)}. Check the rights there.`;
  return new DsyncError("environment", message, { cause: error });
}
