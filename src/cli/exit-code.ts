// What a failure is to whoever called: the exit code, and what is written to stderr.

import { assertNever } from "../core/assert.ts";
import { DsyncError, errnoOf, messageOf, type ErrorCode } from "../core/errors.ts";

/** 0 is "stopped as asked". */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof DsyncError ? codeOf(error.code) : 1;
}

function codeOf(code: ErrorCode): ExitCode {
  switch (code) {
    case "usage":
      return 2;
    case "folder-held":
      return 3;
    case "folder-changed":
      return 4;
    case "environment":
    case "index":
    case "protocol":
      return 1;
    default:
      return assertNever(code);
  }
}

/** With its last newline; where it was thrown only with `--verbose`. */
export function errorText(error: unknown, isVerbose: boolean): string {
  const message = `dsync: ${messageOf(error)}\n`;
  if (isVerbose) return `${message}${framesOf(error)}`;
  const isExplained = error instanceof DsyncError || errnoOf(error) !== undefined;
  return isExplained ? message : `${message}This should not have happened. Run it again with --verbose to see where.\n`;
}

/** The stack without its first lines, which repeat the message; and that of what caused it. */
function framesOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const frames = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  const cause = error.cause === undefined ? "" : `Caused by: ${messageOf(error.cause)}\n${framesOf(error.cause)}`;
  return `${frames.join("\n")}\n${cause}`;
}
