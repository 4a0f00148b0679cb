// What a failure is to whoever called: the exit code, and what is written to stderr.

import { assertNever } from "../core/assert.ts";
import { DsyncError, messageOf, type ErrorCode } from "../core/errors.ts";

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

/** With its last newline. The stack is for `--verbose`, and for bugs: nobody can act on their message alone. */
export function errorText(error: unknown, isVerbose: boolean): string {
  const isExpected = error instanceof DsyncError;
  const stack = error instanceof Error && (isVerbose || !isExpected) ? error.stack : undefined;
  if (stack === undefined) return `dsync: ${messageOf(error)}\n`;
  const cause =
    isExpected && error.cause instanceof Error ? `Caused by: ${error.cause.stack ?? error.cause.message}\n` : "";
  return `dsync: ${messageOf(error)}\n${stack}\n${cause}`;
}
