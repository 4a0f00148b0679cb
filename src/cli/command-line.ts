// argv → one checked value: which command it is, and what each word and flag means to it.

import { escapeForTerminal } from "../core/escape.ts";
import { shellWord } from "../core/shell-word.ts";
import { COMMANDS, SHELLS, type Shell } from "./commands.ts";
import { spelled, type FlagName } from "./flags.ts";
import { fullHelpText, helpText, USAGE } from "./help.ts";
import { nearest } from "./nearest.ts";
import { usageError, type Settings } from "./settings.ts";
import { DAYS, NAME, PEER, PORT, RATE, TEXT, TRANSFERS } from "./values.ts";
import { splitWords, type Given } from "./words.ts";

/** What only the command line can say, beside the settings. */
export interface RunFlags extends Settings {
  readonly passphrase: string | undefined;
  /** As given; "": make one. */
  readonly code: string | undefined;
  readonly verify: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
  /** Another config file. */
  readonly config: string | undefined;
}

/** What every command beside `run` takes. */
interface FolderFlags {
  /** As given; `undefined`: the config file says. */
  readonly path: string | undefined;
  readonly config: string | undefined;
  readonly json: boolean;
}

export type CommandLine =
  | { readonly command: "run"; readonly flags: RunFlags }
  | FolderCommand
  | DoctorCommand
  | ServiceCommand
  /** `undefined`: whichever the person uses. */
  | { readonly command: "completion"; readonly shell: Shell | undefined }
  | { readonly command: "help"; readonly text: string }
  | { readonly command: "version" };

/** `port`, `share`: what the instance will run with, if none runs. */
export type DoctorCommand = FolderFlags & {
  readonly command: "doctor";
  readonly port: number | undefined;
  readonly share: string | undefined;
};

/** `flags`: what the service will run with. */
export type ServiceCommand = { readonly command: "service" } & (
  | { readonly action: "install"; readonly flags: RunFlags; readonly json: boolean }
  | (FolderFlags & { readonly action: "uninstall" | "status" })
);

/** The commands that need a folder. */
export type FolderCommand = FolderFlags &
  (
    | { readonly command: "status" | "conflicts" }
    | { readonly command: "forget" }
    | { readonly command: "trash"; readonly action: "list" | "empty" }
    /** `items`: at least one; as `trash list` names them, or paths. */
    | { readonly command: "trash"; readonly action: "restore"; readonly items: readonly string[] }
    /** `target`: as given, relative to the current directory or the folder. `exclude`: further patterns. */
    | { readonly command: "ignore-test"; readonly target: string; readonly exclude: readonly string[] }
  );

/** `argv` without node and script. Throws a DsyncError `usage`. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const given = splitWords(argv);
  if (given.has("help")) return { command: "help", text: given.has("verbose") ? fullHelpText() : helpText() };
  if (given.has("version")) return { command: "version" };
  const [command, ...rest] = given.words;
  return command === undefined ? { command: "run", flags: runFlags(given) } : parseCommand(given, command, rest);
}

function parseCommand(given: Given, command: string, rest: readonly string[]): CommandLine {
  switch (command) {
    case "status":
    case "conflicts":
    case "forget":
      expectWords(command, rest, 0);
      return { command, ...folderFlags(given, command) };
    case "trash":
      return parseTrash(given, rest);
    case "doctor":
      expectWords(command, rest, 0);
      return {
        command,
        ...folderFlags(given, command, ["port", "share"]),
        port: given.one("port", PORT),
        share: given.one("share", NAME),
      };
    case "service":
      return parseService(given, rest);
    case "completion":
      return parseCompletion(given, rest);
    case "ignore":
      return parseIgnore(given, rest);
    default: {
      const meant = nearest(
        command,
        COMMANDS.map(({ name }) => name),
      );
      const hint = meant === undefined ? `To sync a folder: dsync -d ${shellWord(command)}` : `Did you mean ${meant}?`;
      throw usageError(`There is no command ${quoted(command)}. ${hint}\n${USAGE}`);
    }
  }
}

function parseTrash(given: Given, [action, ...items]: readonly string[]): CommandLine {
  const common = folderFlags(given, "trash");
  if (action === "list" || action === "empty") {
    expectWords(`trash ${action}`, items, 0);
    return { command: "trash", action, ...common };
  }
  if (action !== "restore") throw usageError("trash needs to know what to do: dsync trash list, restore or empty.");
  if (items.length === 0) throw usageError("trash restore needs an item or a path: dsync trash list shows them.");
  return { command: "trash", action, items, ...common };
}

function parseIgnore(given: Given, [action, target, ...rest]: readonly string[]): CommandLine {
  if (action !== "test" || target === undefined)
    throw usageError("ignore needs to know what to test: dsync ignore test <path> [-d <folder>]");
  expectWords("ignore test", rest, 0);
  const common = folderFlags(given, "ignore test", ["exclude"]);
  return { command: "ignore-test", target, exclude: given.all("exclude", TEXT), ...common };
}

function parseService(given: Given, [action, ...rest]: readonly string[]): CommandLine {
  if (action !== "install" && action !== "uninstall" && action !== "status")
    throw usageError("service needs to know what to do: dsync service install, uninstall or status.");
  expectWords(`service ${action}`, rest, 0);
  if (action !== "install") return { command: "service", action, ...folderFlags(given, `service ${action}`) };
  const secret = (["passphrase", "code"] as const).find((name) => given.has(name));
  if (secret !== undefined) {
    throw usageError(
      `dsync service install does not take ${spelled(secret)}, which everybody could read in the list of processes: give --passphrase-file.`,
    );
  }
  const flags = runFlags(given);
  return { command: "service", action, flags, json: flags.json };
}

function parseCompletion(given: Given, rest: readonly string[]): CommandLine {
  given.expectOnly("completion", []);
  expectWords("completion", rest, 1);
  const [name] = rest;
  const shell = SHELLS.find((shell) => shell === name);
  if (name !== undefined && shell === undefined)
    throw usageError(`There is no completion for ${quoted(name)}: dsync completion ${SHELLS.join(", ")}.`);
  return { command: "completion", shell };
}

function runFlags(given: Given): RunFlags {
  if (given.has("quiet") && given.has("verbose"))
    throw usageError("--quiet and --verbose exclude each other: give one.");
  const [first, second] = (["passphrase", "passphrase-file", "code"] as const).filter((name) => given.has(name));
  if (first !== undefined && second !== undefined) {
    throw usageError(`${spelled(first)} and ${spelled(second)} exclude each other: give one.`);
  }
  return {
    path: given.one("path", TEXT),
    port: given.one("port", PORT),
    name: given.one("name", NAME),
    peers: given.all("peer", PEER),
    noDiscovery: given.has("no-discovery"),
    exclude: given.all("exclude", TEXT),
    share: given.one("share", NAME),
    passphrase: given.one("passphrase", TEXT),
    code: given.optional("code", TEXT),
    passphraseFile: given.one("passphrase-file", TEXT),
    maxConcurrentTransfers: given.one("max-concurrent-transfers", TRANSFERS),
    rateLimitBytesPerSecond: given.one("rate-limit", RATE),
    trashDays: given.one("trash-days", DAYS),
    allowRemote: given.has("allow-remote"),
    verify: given.has("verify"),
    verbose: given.has("verbose"),
    quiet: given.has("quiet"),
    json: given.has("json"),
    config: given.one("config", TEXT),
  };
}

function folderFlags(given: Given, command: string, also: readonly FlagName[] = []): FolderFlags {
  given.expectOnly(command, ["path", "config", "json", "verbose", "quiet", ...also]);
  return { path: given.one("path", TEXT), config: given.one("config", TEXT), json: given.has("json") };
}

function expectWords(command: string, rest: readonly string[], count: number): void {
  const extra = rest[count];
  if (extra !== undefined) throw usageError(`dsync ${command} does not know what to do with ${quoted(extra)}.`);
}

function quoted(word: string): string {
  return JSON.stringify(escapeForTerminal(word));
}
