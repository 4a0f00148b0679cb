// The first look at argv: what needs no parsing is answered before the parser is loaded, which takes most of the time
// that `dsync --version` would take.

import type { CommandLine } from "./command-line.ts";
import { helpText } from "./help.ts";

/** `argv` without node and script. Throws a DsyncError `usage`. */
export async function readCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const [only, ...rest] = argv;
  if (rest.length === 0 && (only === "--version" || only === "-V")) return { command: "version" };
  if (rest.length === 0 && (only === "--help" || only === "-h")) return { command: "help", text: helpText() };
  const { parseCommandLine } = await import("./command-line.ts");
  return parseCommandLine(argv);
}
