// dsync.toml: where it is, and what its keys mean. An unknown key is a warning, a wrong one an error with file, line and key.

import { readFileSync, statSync } from "node:fs";
import { posix, win32 } from "node:path";
import { parse, TomlError } from "smol-toml";
import { errnoOf, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { CONFIG_FILE_BYTES_MAX } from "../core/limits.ts";
import type { Platform } from "./platform.ts";
import { nearest } from "./nearest.ts";
import { NO_SETTINGS, usageError, type Settings } from "./settings.ts";
import { DAYS, NAME, PEER, PORT, RATE, TEXT, TRANSFERS, type ValueKind } from "./values.ts";

export interface Config {
  /** Where it was read from; `undefined` if there is none. Relative paths in it start at its directory. */
  readonly file: string | undefined;
  readonly settings: Settings;
  /** One sentence each, escaped. */
  readonly warnings: readonly string[];
}

/** Where the config file is if `--config` does not say; `undefined` if this user has no such place. */
export function defaultConfigFile({ environment, home, system }: Platform): string | undefined {
  if (system === "win32") {
    const appData = environment["APPDATA"];
    return appData === undefined || appData === "" ? undefined : win32.join(appData, "dsync", "dsync.toml");
  }
  const configHome = environment["XDG_CONFIG_HOME"];
  // The XDG specification: a relative value counts as none.
  if (configHome !== undefined && posix.isAbsolute(configHome)) return posix.join(configHome, "dsync", "dsync.toml");
  return home === "" ? undefined : posix.join(home, ".config", "dsync", "dsync.toml");
}

/** Reads the config file: `explicit` must exist, the usual one need not. Throws a DsyncError `usage`. */
export function readConfig({ explicit, usual }: { explicit: string | undefined; usual: string | undefined }): Config {
  const file = explicit ?? usual;
  const text = file === undefined ? undefined : readText(file, explicit !== undefined);
  if (file === undefined || text === undefined) return { file: undefined, settings: NO_SETTINGS, warnings: [] };
  return { file, ...parseConfig(text, escapeForTerminal(file)) };
}

function readText(file: string, mustExist: boolean): string | undefined {
  try {
    const { size } = statSync(file);
    if (size > CONFIG_FILE_BYTES_MAX) throw new Error(`it has ${size} bytes, which is too large for one`);
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = errnoOf(error);
    if (!mustExist && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    const reason = code === "ENOENT" ? "there is no such file" : messageOf(error);
    throw usageError(`Cannot read the config file ${escapeForTerminal(file)}: ${reason}. Check its path and rights.`, {
      cause: error,
    });
  }
}

/** `file` names it in messages. Throws a DsyncError `usage` for a syntax error or a wrong value. */
export function parseConfig(text: string, file: string): { settings: Settings; warnings: readonly string[] } {
  const lines = text.split("\n");
  const table = parseToml(text, lines, file);
  const reader = new KeyReader(table, lines, file);
  const settings: Settings = {
    path: reader.one("path", "string", TEXT),
    port: reader.one("port", "number", PORT),
    name: reader.one("name", "string", NAME),
    peers: reader.list("peer", PEER, true),
    noDiscovery: reader.switch("no_discovery"),
    exclude: reader.list("exclude", TEXT, false),
    share: reader.one("share", "string", NAME),
    passphraseFile: reader.one("passphrase_file", "string", TEXT),
    maxConcurrentTransfers: reader.one("max_concurrent_transfers", "number", TRANSFERS),
    rateLimitBytesPerSecond: reader.one("rate_limit", "string", RATE),
    trashDays: reader.one("trash_days", "number", DAYS),
    allowRemote: reader.switch("allow_remote"),
  };
  return { settings, warnings: reader.unknownKeys() };
}

function parseToml(text: string, lines: readonly string[], file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text.replace(/^\uFEFF/, ""), { unsafeKeyBehaviour: "drop", maxDepth: 16 });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const key = /^\s*["']?([\w-]+)["']?\s*=/.exec(lines[error.line - 1] ?? "")?.[1];
    const where = key === undefined ? "" : `, at ${key}`;
    const [reason] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw usageError(`${file}, line ${error.line}${where}: this is not TOML: ${reason}.`, { cause: error });
  }
}

type Primitive = "string" | "number";

/** Reads keys one by one, and remembers which there are. */
class KeyReader {
  readonly #table: Readonly<Record<string, unknown>>;
  readonly #lines: readonly string[];
  readonly #file: string;
  readonly #known: string[] = [];

  constructor(table: Readonly<Record<string, unknown>>, lines: readonly string[], file: string) {
    this.#table = table;
    this.#lines = lines;
    this.#file = file;
  }

  one<T>(key: string, type: Primitive, kind: ValueKind<T>): T | undefined {
    const value = this.#take(key);
    return value === undefined ? undefined : this.#parse(key, value, type, kind);
  }

  /** `maySingle`: a string alone stands for a list of one. */
  list<T>(key: string, kind: ValueKind<T>, maySingle: boolean): readonly T[] {
    const value = this.#take(key);
    if (value === undefined) return [];
    const items = maySingle && typeof value === "string" ? [value] : value;
    if (!Array.isArray(items))
      throw this.#wrong(key, value, maySingle ? "a string or an array of strings" : "an array of strings");
    return items.map((item: unknown) => this.#parse(key, item, "string", kind));
  }

  switch(key: string): boolean {
    const value = this.#take(key);
    if (value === undefined || typeof value === "boolean") return value ?? false;
    throw this.#wrong(key, value, "true or false");
  }

  unknownKeys(): readonly string[] {
    return Object.keys(this.#table)
      .filter((key) => !this.#known.includes(key))
      .map((key) => {
        const meant = nearest(key, this.#known);
        const hint = meant === undefined ? `The keys are: ${this.#known.join(", ")}.` : `Did you mean ${meant}?`;
        return `${this.#where(key)}: there is no key ${escapeForTerminal(key)}; it is ignored. ${hint}`;
      });
  }

  #take(key: string): unknown {
    this.#known.push(key);
    return Object.hasOwn(this.#table, key) ? this.#table[key] : undefined;
  }

  #parse<T>(key: string, value: unknown, type: Primitive, kind: ValueKind<T>): T {
    const parsed = typeof value === type ? kind.parse(String(value)) : undefined;
    if (parsed === undefined)
      throw this.#wrong(key, value, type === "string" ? `${kind.expected}, in quotes` : kind.expected);
    return parsed;
  }

  #wrong(key: string, value: unknown, expected: string): Error {
    return usageError(`${this.#where(key)}: ${key} is ${describe(value)}, but must be ${expected}.`);
  }

  /** `dsync.toml, line 3`. Keys stand at the beginning of a line; one that cannot be found is named without its line. */
  #where(key: string): string {
    const start = new RegExp(`^\\s*\\[*["']?${key.replaceAll(/[^\w-]/g, "\\$&")}["']?\\s*[=.\\]]`);
    const line = this.#lines.findIndex((text) => start.test(text));
    return line === -1 ? this.#file : `${this.#file}, line ${line + 1}`;
  }
}

const DESCRIPTION_CHARACTERS_MAX = 60;

function describe(value: unknown): string {
  const text = typeof value === "bigint" ? `${value}` : (JSON.stringify(value) ?? String(value));
  return escapeForTerminal(
    text.length <= DESCRIPTION_CHARACTERS_MAX ? text : `${text.slice(0, DESCRIPTION_CHARACTERS_MAX)}…`,
  );
}
