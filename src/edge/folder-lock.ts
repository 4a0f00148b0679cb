// One instance per folder: `.dsync/lock` names who holds it. A holder that was killed leaves its file behind; whoever
// comes next takes over, and of several only one.
//
// How. Lock files are linked into place with their whole content, which fails if the name exists. A holder that is gone
// is not removed but succeeded: its file names a nonce, and the successor's file is `lock.after-<nonce>`, which again
// only one process can link. So the files form a chain that begins at `lock`, and the end of the chain is the holder.
//
// Invariants:
// 1. A process holds the folder if, after it linked its file, walking the chain from `lock` ends at that file.
// 2. Only the holder renames its file to `lock`, or removes it. A file linked late, after a successor that was already
//    renamed, is not on the chain, and its process finds that out by walking (1).

import { linkSync, lstatSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { DsyncError, errnoOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { DSYNC_DIRECTORY } from "../core/path.ts";
import { shellWord } from "../core/shell-word.ts";
import { lacksHardLinks } from "./hard-links.ts";
import { isAlive, ownIdentity, type ProcessIdentity } from "./process-identity.ts";
import { parseJsonObject, readIfThere } from "./read-json.ts";

/** What a lock file says. */
export interface LockHolder extends ProcessIdentity {
  readonly host: string;
  /** Friendly name of the instance. */
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** Where it answers commands; `null`: nowhere. */
  readonly socketPath: string | null;
  /** Inode of the `.dsync` directory that the lock was made in: a copied lock is nobody's. */
  readonly directoryInode: string;
  readonly nonce: string;
}

/** A folder that is held until `release`. */
export interface FolderLock {
  release(): void;
}

export type LockClaim = Pick<LockHolder, "host" | "name" | "since" | "socketPath">;

const NONCE_BYTES = 8;
const LOCK = "lock";
const SUCCESSOR_PREFIX = "lock.after-";
const TEMPORARY_PREFIX = "lock.new-";
/** Restarts after somebody else's release, or after a lost race whose winner is gone again. */
const ATTEMPTS_MAX = 100;
/** A lock without readable content is still being written, unless it is older than this. */
const WRITING_MS_MAX = 2_000;

/** `folder`: absolute; its `.dsync` must exist. Throws a DsyncError `folder-held` that says who holds it. */
export function acquireFolderLock(folder: string, claim: LockClaim): FolderLock {
  const directory = join(folder, DSYNC_DIRECTORY);
  const nonce = randomBytes(NONCE_BYTES).toString("hex");
  const own: LockHolder = { ...ownIdentity(), ...claim, directoryInode: inodeOf(directory), nonce };
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const { end, held } = walk(directory);
    if (held !== undefined) throw heldError(folder, held);
    if (!linkWhole(directory, end, own)) continue;
    if (walk(directory).held?.nonce !== nonce) {
      removeOwn(join(directory, end), nonce);
      continue;
    }
    if (end !== LOCK) renameSync(join(directory, end), join(directory, LOCK));
    removeLeftovers(directory);
    return { release: () => removeOwn(join(directory, LOCK), nonce) };
  }
  const shown = escapeForTerminal(folder);
  throw new DsyncError(
    "folder-held",
    `Cannot lock ${shown}: other instances start and stop on it all the time. Stop them, and try again.`,
  );
}

/** The instance that runs on the folder, or `undefined`. */
export function folderHolder(folder: string): LockHolder | undefined {
  return walk(join(folder, DSYNC_DIRECTORY)).held?.holder;
}

/** One lock file; `holder` is `undefined` if its content cannot be read. */
interface Link {
  readonly nonce: string;
  readonly holder: LockHolder | undefined;
  readonly isHeld: boolean;
}

/** Follows the chain: to whoever holds the folder, or else to the name that is free at its end. */
function walk(directory: string): { end: string; held: Link | undefined } {
  const seen = new Set<string>();
  for (let name = LOCK; ;) {
    const link = readLink(directory, name);
    if (link === undefined) return { end: name, held: undefined };
    // A nonce seen before: somebody tampered with the files; better to refuse than to go round for ever.
    if (link.isHeld || seen.has(link.nonce)) return { end: name, held: link };
    seen.add(link.nonce);
    name = `${SUCCESSOR_PREFIX}${link.nonce}`;
  }
}

function readLink(directory: string, name: string): Link | undefined {
  const path = join(directory, name);
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const holder = parseHolder(text);
  if (holder !== undefined) {
    return { nonce: holder.nonce, holder, isHeld: holder.directoryInode === inodeOf(directory) && isAlive(holder) };
  }
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const ageMs = Math.abs(Date.now() - Number(stat.mtimeMs));
  return { nonce: `unreadable-${stat.ino}`, holder: undefined, isHeld: ageMs < WRITING_MS_MAX };
}

/** False if `name` exists, or if a holder cleaned up meanwhile: look again. */
function linkWhole(directory: string, name: string, holder: LockHolder): boolean {
  const content = `${JSON.stringify(holder)}\n`;
  const temporary = join(directory, `${TEMPORARY_PREFIX}${holder.nonce}`);
  writeFileSync(temporary, content);
  try {
    linkSync(temporary, join(directory, name));
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? "";
    if (code === "EEXIST" || code === "ENOENT") return false;
    if (lacksHardLinks(error)) return createFilled(join(directory, name), content);
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Where there are no hard links (FAT): created, and then filled. See WRITING_MS_MAX. */
function createFilled(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Leaves alone what is another's: the folder may have been swapped meanwhile. */
function removeOwn(path: string, nonce: string): void {
  if (parseHolder(readIfThere(path) ?? "")?.nonce === nonce) rmSync(path, { force: true });
}

/** While somebody holds the folder, successors of others are on no chain, and temporary files belong to late losers. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const isLeftover = name.startsWith(SUCCESSOR_PREFIX) || name.startsWith(TEMPORARY_PREFIX);
    if (isLeftover) rmSync(join(directory, name), { force: true });
  }
}

function inodeOf(directory: string): string {
  return lstatSync(directory, { bigint: true, throwIfNoEntry: false })?.ino.toString() ?? "";
}

function heldError(folder: string, { holder }: Link): DsyncError {
  const shown = escapeForTerminal(folder);
  if (holder === undefined) {
    return new DsyncError("folder-held", `Another instance is just starting on ${shown}. Try again in a moment.`);
  }
  const name = holder.name === "" ? "" : ` "${escapeForTerminal(holder.name)}"`;
  const since = holder.since === "" ? "" : ` since ${escapeForTerminal(holder.since)}`;
  return new DsyncError(
    "folder-held",
    `Another instance${name} (process ${holder.pid}) syncs ${shown}${since}. Stop it first, or see what it does: dsync status -d ${shellWord(folder)}`,
  );
}

function parseHolder(text: string): LockHolder | undefined {
  const fields = parseJsonObject(text);
  const pid = fields?.["pid"];
  const nonce = fields?.["nonce"];
  if (fields === undefined || typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (typeof nonce !== "string" || !/^[0-9a-f]{16}$/.test(nonce)) return undefined;
  const textOf = (name: keyof LockHolder): string | null => {
    const value = fields[name];
    return typeof value === "string" ? value : null;
  };
  return {
    pid,
    nonce,
    processStart: textOf("processStart"),
    bootId: textOf("bootId"),
    directoryInode: textOf("directoryInode") ?? "",
    host: textOf("host") ?? "",
    name: textOf("name") ?? "",
    since: textOf("since") ?? "",
    socketPath: textOf("socketPath"),
  };
}
