// Splits a command line into words and flags. The parser of yargs does the splitting; every message is ours.
// A flag with one value that is given twice is an error: of two folders or ports one would be ignored in silence.

import { Parser } from "yargs/helpers";
import { escapeForTerminal } from "../core/escape.ts";
import { ALL_FLAGS, spelled, type Flag, type FlagName } from "./flags.ts";
import { USAGE } from "./help.ts";
import { nearest } from "./nearest.ts";
import { checked, usageError } from "./settings.ts";
import type { ValueKind } from "./values.ts";

/** Everything that the parser does beyond splitting is off: it neither negates nor converts. */
const CONFIGURATION = {
  "boolean-negation": false,
  "camel-case-expansion": false,
  "dot-notation": false,
  "parse-numbers": false,
  "parse-positional-numbers": false,
  "duplicate-arguments-array": true,
  "greedy-arrays": false,
  "populate--": false,
};

/** The words of a command line, with typed access to the flags among them. */
export class Given {
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

  /** Like `one`, for a flag whose value may be left out: then "". */
  optional<T>(name: FlagName, kind: ValueKind<T>): T | "" | undefined {
    return this.#texts(name).join("") === "" && this.#texts(name).length === 1 ? "" : this.one(name, kind);
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

/** Throws a DsyncError `usage` for flags that there are not. */
export function splitWords(argv: readonly string[]): Given {
  for (const word of argv) expectNoValue(word);
  const parsed = parseWords(argv);
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_" || name === "$0") continue;
    const flag = ALL_FLAGS.find((flag) => flag.name === name || flag.letter === name);
    if (flag === undefined) throw unknownFlag(name);
    if (name === flag.name && value !== undefined) values.set(flag.name, value);
  }
  const words = parsed["_"];
  return new Given(Array.isArray(words) ? words.map(String) : [], values);
}

/** The parser takes `--quiet=perhaps` for false. */
function expectNoValue(word: string): void {
  const [, name, value] = /^--([a-z-]+)=(.*)$/s.exec(word) ?? [];
  const flag = ALL_FLAGS.find((flag) => flag.name === name);
  if (flag === undefined || flag.value !== undefined || value === "true" || value === "false") return;
  throw usageError(`${spelled(flag.name)} takes no value: it is on when it is given.`);
}

function parseWords(argv: readonly string[]): Readonly<Record<string, unknown>> {
  const { argv: parsed, error } = Parser.detailed([...argv], {
    boolean: namesOf((flag) => flag.value === undefined),
    string: namesOf((flag) => flag.value !== undefined),
    array: namesOf((flag) => flag.isRepeatable === true),
    alias: Object.fromEntries(ALL_FLAGS.flatMap(aliasOf)),
    configuration: CONFIGURATION,
  });
  if (error === null) return parsed;
  throw usageError(`Cannot understand the command line: ${escapeForTerminal(error.message)}\n${USAGE}`, {
    cause: error,
  });
}

function namesOf(isWanted: (flag: Flag) => boolean): string[] {
  return ALL_FLAGS.filter(isWanted).map(({ name }) => name);
}

function aliasOf(flag: Flag): [string, string][] {
  return flag.letter === undefined ? [] : [[flag.name, flag.letter]];
}

function unknownFlag(name: string): Error {
  const dashed = name.length === 1 ? `-${name}` : `--${name}`;
  const meant =
    name.length === 1
      ? undefined
      : nearest(
          name,
          ALL_FLAGS.map((flag) => flag.name),
        );
  const hint = meant === undefined ? USAGE : `Did you mean --${meant}?`;
  return usageError(`There is no flag ${escapeForTerminal(dashed)}. ${hint}`);
}
