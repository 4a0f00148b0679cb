// The help text: made from the table of flags, 80 columns, one screen. Pure.

import { ALL_FLAGS, type Flag } from "./flags.ts";

export const USAGE = "Usage: dsync -d <folder> [options]   (dsync --help says more)";

const COMMANDS: readonly (readonly [usage: string, help: string])[] = [
  ["status", "peers, in sync or not, what is pending, what failed"],
  ["conflicts", "conflict copies, with who made them and when"],
  ["trash list", "what was replaced or deleted by others"],
  ["trash restore <path> ...", "bring it back; never overwrites"],
  ["trash empty", "remove it for good"],
  ["ignore test <path>", "is it ignored, and by which line"],
  ["forget", "forget what this machine remembers of a folder"],
];

const EXAMPLES: readonly (readonly [command: string, help: string])[] = [
  ["dsync -d ~/shared", "on two machines: that is all"],
  ["dsync -d . -n laptop -e '*.iso'", "a name, and no disk images"],
  ["dsync -d ~/shared -a 10.0.0.7:9000", "where multicast does not reach"],
  ["dsync -d ~/shared --code", "makes a code to type on the others"],
  ["dsync status -d ~/shared --json", "for scripts"],
];

/** What `dsync --help` prints. */
export function helpText(): string {
  return [
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
    ...COMMANDS.map(([usage, help]) => `  ${usage.padEnd(25)} ${help}`),
    "",
    "Examples:",
    ...EXAMPLES.map(([command, help]) => `  ${command.padEnd(36)} ${help}`),
    "",
  ].join("\n");
}

function flagLine(flag: Flag): string {
  const letter = flag.letter === undefined ? "    " : `-${flag.letter}, `;
  const value = flag.value === undefined ? "" : ` ${flag.value}`;
  return `  ${`${letter}--${flag.name}${value}`.padEnd(35)} ${flag.help}`;
}
