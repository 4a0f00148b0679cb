// The help text: made from the tables of flags and commands, 80 columns. Pure.

import { COMMANDS } from "./commands.ts";
import { ALL_FLAGS, type Flag, type FlagName } from "./flags.ts";
import { wrapColumns } from "./text-width.ts";

export const USAGE = "Usage: dsync -d <folder> [options]   (dsync --help says more)";

/** Those that most people need; `--help --verbose` explains the others, too. */
const COMMON: ReadonlySet<FlagName> = new Set(["path", "port", "peer", "share"]);

/** What most people type. */
export const EXAMPLES: readonly (readonly [command: string, help: string])[] = [
  ["dsync -d ~/shared", "on two machines: that is all"],
  ["dsync -d ~/shared -a 10.0.0.7:9000", "where multicast does not reach"],
  ["dsync -d ~/shared --code", "makes a code to type on the others"],
];

const COLUMNS = 79;

/** What `dsync --help` prints: it fits a terminal of 24 lines. */
export function helpText(): string {
  const others = ALL_FLAGS.filter(({ name }) => !COMMON.has(name)).map(shortUsage);
  return text([
    "Keeps a folder identical on every machine of the local network, until Ctrl-C.",
    "Examples:",
    ...exampleLines(),
    "Options:",
    ...ALL_FLAGS.filter(({ name }) => COMMON.has(name)).map(flagLine),
    ...wrapColumns(`${others.join(", ")}: dsync --help --verbose`, COLUMNS - 2).map((line) => `  ${line}`),
    "Commands, each with -d <folder> and --json where it makes sense:",
    ...commandLines(),
  ]);
}

/** What `dsync --help --verbose` prints. */
export function fullHelpText(): string {
  return text([
    "Keeps a folder identical on every machine of the local network, until Ctrl-C.",
    "",
    "Usage:  dsync -d <folder> [options]",
    "        dsync <command> [-d <folder>] [--json]",
    "",
    "Options:",
    ...ALL_FLAGS.map(flagLine),
    "",
    "DSYNC_PASSPHRASE in the environment is a passphrase, too. One on the command",
    "line is visible in the process list and the shell's history: prefer a file.",
    "",
    "Commands, on the instance that runs on the folder or on the folder alone:",
    ...commandLines(),
    "",
    "Examples:",
    ...exampleLines(),
  ]);
}

function exampleLines(): readonly string[] {
  return EXAMPLES.map(([command, help]) => `  ${command.padEnd(36)} ${help}`);
}

function commandLines(): readonly string[] {
  return COMMANDS.map(({ name, usage = name, help }) => `  ${usage.padEnd(25)} ${help}`);
}

/** `-v/--verbose`. */
function shortUsage(flag: Flag): string {
  return flag.letter === undefined ? `--${flag.name}` : `-${flag.letter}/--${flag.name}`;
}

function flagLine(flag: Flag): string {
  const letter = flag.letter === undefined ? "    " : `-${flag.letter}, `;
  const value = flag.value === undefined ? "" : ` ${flag.value}`;
  return `  ${`${letter}--${flag.name}${value}`.padEnd(35)} ${flag.help}`;
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
