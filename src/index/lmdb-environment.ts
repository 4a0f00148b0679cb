// Opening LMDB: its options, and what is done about an environment that cannot be opened.

import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, statSync, truncateSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import { open, type Database, type RootDatabase } from "lmdb";
import { DsyncError, messageOf } from "../core/errors.ts";
import { INDEX_FREE_PAGES_MAX, INDEX_MAP_BYTES } from "../core/limits.ts";
import type { TableName } from "./tables.ts";

/** One of LMDB's named databases. */
export type LmdbTable = Database<Uint8Array, string>;

/** Keys are latin1 strings (see tables.ts). lmdb's types do not know that a named database may have its own encoder. */
const keyEncoder = {
  writeKey: (key: string, target: Buffer, start: number): number => start + target.write(key, start, "latin1"),
  readKey: (source: Buffer, start: number, end: number): string => source.toString("latin1", start, end),
};

const DATA_FILE = "data.mdb";

/** lmdb's types leave out the limits of free pages. Address space is short only on 32-bit machines. */
const tuning = {
  maxFreeSpaceToLoad: INDEX_FREE_PAGES_MAX / 2,
  maxFreeSpaceToRetain: INDEX_FREE_PAGES_MAX,
  ...(["arm", "ia32"].includes(arch()) ? {} : { mapSize: INDEX_MAP_BYTES }),
} as const;

const tableOptions = { encoding: "binary", compression: false, keyEncoder } as const;

/** Opens the environment, and creates it unless `readOnly`. Throws a DsyncError `index` that says how to go on. */
export function openEnvironment(directory: string, readOnly: boolean): RootDatabase {
  const file = join(directory, DATA_FILE);
  try {
    if (!readOnly) mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (existsSync(file)) checkHeader(file, readOnly);
    else if (readOnly) throw noIndex(directory);
    const environment = open({
      ...tuning,
      path: directory,
      noSubdir: false,
      readOnly,
      encoding: "binary",
      compression: false,
      // The store commits whole batches itself; lmdb's own grouping would only add a delay.
      eventTurnBatching: false,
      // A commit is visible and survives a crash of this process as soon as it is in the page cache; the flush to the
      // disk comes right after it, on lmdb's thread. LMDB notes which transaction was flushed last, and goes back to
      // that one if the machine (its boot ID) restarted in between: a power loss costs the last moments, and never
      // leaves a torn tree. `noSync` would give up just that.
      ...(readOnly ? {} : { overlappingSync: true }),
    });
    if (!readOnly) restoreLength(environment, file);
    return environment;
  } catch (error) {
    throw error instanceof DsyncError ? error : damagedIndex(directory, error);
  }
}

/** Names the file that holds everything, in a way that no other file at its place has; `undefined`: there is none. */
export function dataFileOf(directory: string): string | undefined {
  const stat = statSync(join(directory, DATA_FILE), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}

export function openTable(environment: RootDatabase, name: TableName): LmdbTable {
  const table: LmdbTable | undefined = environment.openDB(name, tableOptions);
  // Contrary to its type, lmdb returns nothing for a database that is not there and cannot be made.
  if (table === undefined) throw new Error(`its table ${name} is missing`);
  return table;
}

/** For an index that LMDB or the store cannot make sense of. */
export function damagedIndex(directory: string, cause: unknown): DsyncError {
  return new DsyncError(
    "index",
    `Cannot use the index in ${directory}: ${messageOf(cause)}. Stop dsync and delete that directory: ` +
      "nothing is lost, the next start reads every file anew and merges with its peers.",
    { cause },
  );
}

function noIndex(directory: string): DsyncError {
  return new DsyncError(
    "index",
    `No index in ${directory}: dsync has not run on this folder yet. Start it with dsync -d.`,
  );
}

const META_AT = 24;
const META_FLAG = 0x08;
const MAGIC = 0xbe_ef_c0_de;
const DATA_VERSION = 2;

/**
 * What LMDB itself checks of the file's first two pages: lmdb ends the process with SIGSEGV when it fails to open a
 * file, so it must not get to see one that is certain to fail. System errors (EACCES) are thrown for the same reason.
 */
function checkHeader(file: string, readOnly: boolean): void {
  const descriptor = openSync(file, readOnly ? "r" : "r+");
  try {
    const { size } = fstatSync(descriptor);
    // What a crash at the very first start leaves; LMDB makes it anew.
    if (size === 0 && !readOnly) return;
    const pageBytes = checkMeta(descriptor, 0);
    if (size < 2 * pageBytes) throw new Error("data.mdb is cut off");
    checkMeta(descriptor, pageBytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Returns the page size. */
function checkMeta(descriptor: number, position: number): number {
  const page = Buffer.alloc(64);
  if (readSync(descriptor, page, 0, page.length, position) < page.length) throw new Error("data.mdb is cut off");
  const isMeta = (page.readUInt16LE(18) & META_FLAG) !== 0 && page.readUInt32LE(META_AT) === MAGIC;
  const pageBytes = page.readUInt32LE(META_AT + 24);
  if (!isMeta || pageBytes < 512 || pageBytes > 65_536) throw new Error("data.mdb is no database");
  const version = page.readUInt16LE(META_AT + 4);
  if (version !== DATA_VERSION) throw new Error(`data.mdb has LMDB's format ${version}, not ${DATA_VERSION}`);
  return pageBytes;
}

/**
 * Reading behind the end of the data file would end the process with SIGBUS. A file that is shorter than LMDB counts
 * gets zeros there: if it was cut off, LMDB then reports damage; if only unused pages were never written, which is
 * legal, nobody reads them.
 */
function restoreLength(environment: RootDatabase, file: string): void {
  const lastPage = lastPageOf(environment);
  if (lastPage === undefined) return;
  const bytes = (lastPage.number + 1) * lastPage.pageBytes;
  if (statSync(file).size < bytes) truncateSync(file, bytes);
}

/** From lmdb's `env` object, which its types leave out. */
function lastPageOf(environment: object): { readonly number: number; readonly pageBytes: number } | undefined {
  const env: unknown = "env" in environment ? environment.env : undefined;
  const number = numberFrom(env, "info", "lastPageNumber");
  const pageBytes = numberFrom(env, "stat", "pageSize");
  return number === undefined || pageBytes === undefined ? undefined : { number, pageBytes };
}

function numberFrom(env: unknown, method: string, field: string): number | undefined {
  if (typeof env !== "object" || env === null) return undefined;
  const value: unknown = Reflect.get(env, method);
  if (typeof value !== "function") return undefined;
  const result: unknown = Reflect.apply(value, env, []);
  const number: unknown = typeof result === "object" && result !== null ? Reflect.get(result, field) : undefined;
  return typeof number === "number" ? number : undefined;
}
