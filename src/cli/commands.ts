// Every command beside `dsync -d` in one table, from which parsing, help and completion are made. Pure.

export interface Command {
  readonly name: string;
  /** What may follow its name. */
  readonly actions?: readonly string[];
  /** How it is written in the help, if not by its name alone. */
  readonly usage?: string;
  readonly help: string;
}

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

export const COMMANDS: readonly Command[] = [
  { name: "status", help: "peers, in sync or not, what is pending, what failed" },
  { name: "conflicts", help: "conflict copies, with who made them and when" },
  {
    name: "trash",
    actions: ["list", "restore", "empty"],
    usage: "trash list|restore|empty",
    help: "what others replaced or deleted, to bring back",
  },
  { name: "doctor", help: "checks what usually goes wrong, each with a fix" },
  { name: "ignore", actions: ["test"], usage: "ignore test <path>", help: "is it ignored, and by which line" },
  {
    name: "service",
    actions: ["install", "uninstall", "status"],
    usage: "service <action>",
    help: "starts dsync at login: install, uninstall, status",
  },
  { name: "forget", help: "forgets what this machine remembers of a folder" },
  { name: "completion", actions: SHELLS, usage: "completion [shell]", help: "script for bash, zsh or fish" },
];
