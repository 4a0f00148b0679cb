// argv → one checked value. yargs splits the words; what they mean is decided here, so that every message is ours.
// A flag with one value that is given twice is an error: of two folders or ports one would be ignored in silence.

import yargs from "yargs";
import { messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { ALL_FLAGS, spelled, type Flag, type FlagName } from "./flags.ts";
import { helpText, USAGE } from "./help.ts";
import { nearest } from "./nearest.ts";
import { checked, usageError, type Settings } from "./settings.ts";
import { DAYS, NAME, PEER, PORT, RATE, TEXT, TRANSFERS, type ValueKind } from "./values.ts";

/** What only the command line can say, beside the settings. */
export interface RunFlags extends Settings {
  readonly passphrase: string | undefined;
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
  | { readonly command: "help"; readonly text: string }
  | { readonly command: "version" };

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
  if (given.has("help")) return { command: "help", text: helpText() };
  if (given.has("version")) return { command: "version" };
  const [command, ...rest] = given.words;
  return command === undefined ? { command: "run", flags: runFlags(given) } : parseCommand(given, command, rest);
}

const COMMANDS = ["status", "conflicts", "trash", "ignore", "forget"];

function parseCommand(given: Given, command: string, rest: readonly string[]): CommandLine {
  switch (command) {
    case "status":
    case "conflicts":
    case "forget":
      expectWords(command, rest, 0);
      return { command, ...folderFlags(given, command) };
    case "trash":
      return parseTrash(given, rest);
    case "ignore":
      return parseIgnore(given, rest);
    default: {
      const meant = nearest(command, COMMANDS);
      const hint = meant === undefined ? `To sync a folder: dsync -d ${escapeForTerminal(command)}` : `Did you mean ${meant}?`;
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
  if (action !== "test" || target === undefined) throw usageError("Usage: dsync ignore test <path> [-d <folder>]");
  expectWords("ignore test", rest, 0);
  const common = folderFlags(given, "ignore test", ["exclude"]);
  return { command: "ignore-test", target, exclude: given.all("exclude", TEXT), ...common };
}

function runFlags(given: Given): RunFlags {
  if (given.has("quiet") && given.has("verbose")) throw usageError("--quiet and --verbose exclude each other: give one.");
  if (given.has("passphrase") && given.has("passphrase-file")) {
    throw usageError("--passphrase and --passphrase-file exclude each other: give one.");
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
    passphraseFile: given.one("passphrase-file", TEXT),
    maxConcurrentTransfers: given.one("max-concurrent-transfers", TRANSFERS),
    rateLimitBytesPerSecond: given.one("rate-limit", RATE),
    trashDays: given.one("trash-days", DAYS),
    allowRemote: given.has("allow-remote"),
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

/** The words of a command line, with typed access to the flags among them. */
class Given {
  readonly words: readonly string[];
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(words: readonly string[], values: ReadonlyMap<string, unknown>) {
    this.words = words;
    this.#values = values;
  }

  /** True if the switch is on, or the flag has a value. */
  has(name: FlagName): boolean {
    return this.#values.has(name) && this.#values.get(name) !== false;
  }

  one<T>(name: FlagName, kind: ValueKind<T>): T | undefined {
    const texts = this.#texts(name);
    if (texts.length > 1) throw usageError(`${spelled(name)} is given ${texts.length} times: give it once.`);
    return texts[0] === undefined ? undefined : checked(kind, spelled(name), texts[0]);
  }

  all<T>(name: FlagName, kind: ValueKind<T>): readonly T[] {
    return this.#texts(name).map((text) => checked(kind, spelled(name), text));
  }

  expectOnly(command: string, names: readonly FlagName[]): void {
    for (const { name } of ALL_FLAGS) {
      if (this.has(name) && !names.includes(name)) throw usageError(`dsync ${command} does not take ${spelled(name)}.`);
    }
  }

  #texts(name: FlagName): readonly string[] {
    const value = this.#values.get(name);
    if (value === undefined) return [];
    const texts = [value].flat().map(String);
    // Repeatable, and given without a value.
    return texts.length === 0 ? [""] : texts;
  }
}

function splitWords(argv: readonly string[]): Given {
  for (const word of argv) expectNoValue(word);
  const parsed = parseWords(argv);
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_" || name === "$0") continue;
    const flag = ALL_FLAGS.find((flag) => flag.name === name || letterOf(flag) === name);
    if (flag === undefined) throw unknownFlag(name);
    if (name === flag.name && value !== undefined) values.set(flag.name, value);
  }
  const words = parsed["_"];
  return new Given(Array.isArray(words) ? words.map(String) : [], values);
}

/** yargs takes `--quiet=perhaps` for false. */
function expectNoValue(word: string): void {
  const [, name, value] = /^--([a-z-]+)=(.*)$/s.exec(word) ?? [];
  const flag = ALL_FLAGS.find((flag) => flag.name === name);
  if (flag === undefined || flag.value !== undefined || value === "true" || value === "false") return;
  throw usageError(`${spelled(flag.name)} takes no value: it is on when it is given.`);
}

function parseWords(argv: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    return parser(argv).parseSync();
  } catch (error) {
    throw usageError(`Cannot understand the command line: ${escapeForTerminal(messageOf(error))}\n${USAGE}`, { cause: error });
  }
}

/** Everything that yargs does beyond splitting is off: it neither prints, exits, negates, converts nor translates. */
function parser(argv: readonly string[]): ReturnType<typeof yargs> {
  const instance = yargs([...argv])
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "duplicate-arguments-array": true,
      "greedy-arrays": false,
      "populate--": false,
    })
    .help(false)
    .version(false)
    .detectLocale(false)
    .exitProcess(false)
    .fail(false);
  for (const flag of ALL_FLAGS) {
    const alias = letterOf(flag);
    instance.option(flag.name, {
      type: flag.value === undefined ? "boolean" : "string",
      ...(alias === undefined ? {} : { alias }),
      ...(flag.isRepeatable === true ? { array: true } : {}),
    });
  }
  return instance;
}

function letterOf(flag: Flag): string | undefined {
  return flag.letter;
}

function unknownFlag(name: string): Error {
  const dashed = name.length === 1 ? `-${name}` : `--${name}`;
  const meant = name.length === 1 ? undefined : nearest(name, ALL_FLAGS.map((flag) => flag.name));
  const hint = meant === undefined ? USAGE : `Did you mean --${meant}?`;
  return usageError(`There is no flag ${escapeForTerminal(dashed)}. ${hint}`);
}

function quoted(word: string): string {
  return JSON.stringify(escapeForTerminal(word));
}
