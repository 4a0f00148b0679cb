// Prints the man page, made from the same tables as the help: `npm run man` writes it to docs/dsync.1.
import { readFileSync } from "node:fs";
import { COMMANDS } from "../dist/src/cli/commands.js";
import { ALL_FLAGS } from "../dist/src/cli/flags.js";
import { EXAMPLES } from "../dist/src/cli/help.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** For roff: a dash that can be copied, a backslash that is one, and no control line by accident. */
const text = (words) =>
  words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1");
const bold = (words) => `\\fB${text(words)}\\fR`;
const italic = (words) => `\\fI${text(words)}\\fR`;
const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;

/** `.TP`: a tag, and what it means. */
const entry = (tag, meaning) => [".TP", tag, text(meaning)];

const flagTag = ({ name, letter, value }) =>
  [
    letter === undefined ? "" : `${bold(`-${letter}`)}, `,
    bold(`--${name}`),
    value === undefined ? "" : ` ${italic(value)}`,
  ].join("");

const EXIT_CODES = [
  ["0", "Stopped as asked, or the command did what it should."],
  ["1", "Failed while running: the message says why. For doctor: there is a problem."],
  ["2", "Wrong usage or configuration. Nothing was changed."],
  ["3", "Another instance holds the folder."],
  ["4", "The folder is not the one it was: its disk is not mounted, or it was replaced. See dsync forget."],
];

const VARIABLES = [
  [
    "DSYNC_PASSPHRASE",
    "A passphrase, as by --passphrase but not in the list of processes. What the command line says goes before it.",
  ],
  ["DSYNC_PORTABLE", "1: use no native libraries but those that there is no other way for."],
  ["NO_COLOR", "Set and not empty: no colours in the live view."],
  ["TERM, CI", "With TERM=dumb, or with CI set, log lines are printed instead of the live view."],
  [
    "XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR",
    "Where the config file, the records of folders and the socket for commands are.",
  ],
];

const FILES = [
  ["~/.config/dsync/dsync.toml", "Config file; every key is optional, and the command line wins."],
  ["<folder>/.dsyncignore", "What is not synced, with the meaning of a .gitignore. It takes effect when it is saved."],
  ["<folder>/.dsync/trash/", "What others replaced or deleted, as plain files."],
  ["<folder>/.dsync/", "The index and what is being put together. Never synced."],
];

const lines = [
  '.\\" Made by scripts/man-page.mjs: change that, or the tables of flags and commands, and run npm run man.',
  `.TH DSYNC 1 "" "dsync ${version}"`,
  ".SH NAME",
  text("dsync - keeps a folder identical on every machine of a local network"),
  ".SH SYNOPSIS",
  `${bold("dsync")} ${bold("-d")} ${italic("folder")} [${italic("options")}]`,
  ".br",
  `${bold("dsync")} ${italic("command")} [${bold("-d")} ${italic("folder")}] [${bold("--json")}]`,
  ".SH DESCRIPTION",
  text("dsync keeps a folder in sync with every other instance of the same share on the local network, until Ctrl-C."),
  text("The instances find each other; there is no account, no server and no pairing."),
  text("What two people change at once is kept twice, and what others replace or delete goes to a trash."),
  ".PP",
  text(
    "Without a passphrase, everybody on the network who runs dsync with the same share name can read, change and delete what is in the folder.",
  ),
  ".SH OPTIONS",
  ...ALL_FLAGS.flatMap((flag) => entry(flagTag(flag), sentence(flag.help))),
  ".SH COMMANDS",
  text("They work on the instance that runs on the folder, or on the folder alone."),
  ...COMMANDS.flatMap(({ name, usage = name, actions, help }) => {
    const choice =
      actions === undefined || actions.every((action) => usage.includes(action))
        ? ""
        : ` One of: ${actions.join(", ")}.`;
    return entry(bold(usage), `${sentence(help)}${choice}`);
  }),
  ".SH EXIT STATUS",
  ...EXIT_CODES.flatMap(([code, meaning]) => entry(bold(code), meaning)),
  ".SH ENVIRONMENT",
  ...VARIABLES.flatMap(([name, meaning]) => entry(bold(name), meaning)),
  ".SH FILES",
  ...FILES.flatMap(([name, meaning]) => entry(italic(name), meaning)),
  ".SH EXAMPLES",
  ...EXAMPLES.flatMap(([command, help]) => entry(bold(command), sentence(help))),
];
process.stdout.write(`${lines.join("\n")}\n`);
