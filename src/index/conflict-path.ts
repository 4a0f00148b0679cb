// The name that the loser of a conflict lives on under: `name.conflict-<author>-<yyyymmdd-hhmmss>-<4 hex>[-<n>].ext`.
// It is made from the path and the loser alone, so every replica makes the same one. Pure.
//
// The extension is what follows the last dot (`.tar.gz` and its like as a whole) if it looks like one; a name's leading
// dots begin no extension. A name that has a conflict part already gets the new one in its place. Only if that would be
// the very same part does it get a number, higher than it had: a loser's names never come round again.

import { createHash } from "node:crypto";
import { CONFLICT_NUMBER_COUNTED_MAX, FILE_NAME_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX } from "../core/limits.ts";
import { baseName, joinPath, parentOf, parsePath, type RelativePath } from "../core/path.ts";
import type { Version } from "./entry.ts";

/** Room that a conflict part with the longest author and extension needs, and a few bytes of the old name. */
const ROOM_BYTES_MIN = 160;
/** Bytes; longer ones are taken for a part of the name. */
const EXTENSION_BYTES_MAX = 20;
/** The last second of the year 9999: years in names have four digits. */
const STAMP_MS_MAX_SHOWN = 253_402_300_799_000;

/** Every conflict copy has it in its name. */
export const CONFLICT_MARK = ".conflict-";

/** The furthest leap of a number: room is left above it to count on. */
const LEAP_MAX = 900_000;

const EXTENSION = /^\.[\p{L}\p{N}_+~-]+$/u;
const TAR = ".tar";
const CONFLICT_STEM = /^(.+)\.conflict-([^.]+)-(\d{8}-\d{6})-([0-9a-f]{4})(?:-([1-9]\d{0,5}))?$/su;
/** What some system does not take in a name, what cannot be seen, and dots (they would end the conflict part). */
const UNSAFE_IN_AUTHOR = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|.]|^ +| +$/gu;

/** What the name of a conflict copy tells. */
export interface ConflictName {
  /** The path that the conflict was at (its name perhaps shortened). */
  readonly original: RelativePath;
  /** As it stands in the name. */
  readonly author: string;
  /** `yyyymmdd-hhmmss`, UTC. */
  readonly stampText: string;
}

interface NameParts {
  readonly stem: string;
  readonly extension: string;
  readonly conflict: ConflictPart | undefined;
}

interface ConflictPart {
  readonly author: string;
  readonly stampText: string;
  readonly digits: string;
  readonly number: number;
}

/** Where `loser`, a version of `path`, lives on. Never `path` itself. */
export function conflictPath(path: RelativePath, loser: Version): RelativePath {
  const { stem, extension, conflict } = splitName(baseName(path));
  const part = {
    author: safeAuthor(loser.author),
    stampText: stampTextOf(loser.stamp),
    digits: digitsOf(loser),
  };
  const repeated =
    conflict !== undefined &&
    conflict.author === part.author &&
    conflict.stampText === part.stampText &&
    conflict.digits === part.digits;
  const number = repeated ? `-${numberAfter(conflict.number, loser)}` : "";
  const ending = `${CONFLICT_MARK}${part.author}-${part.stampText}-${part.digits}${number}${extension}`;
  const directory = roomyDirectory(path);
  const roomBytes = Math.min(FILE_NAME_BYTES_MAX, bytesLeft(directory)) - Buffer.byteLength(ending);
  return joinPath(directory, shortened(stem, roomBytes) + ending);
}

/** What the name of a conflict copy tells, or `undefined` if it is none. */
export function parseConflictPath(path: RelativePath): ConflictName | undefined {
  const { stem, extension, conflict } = splitName(baseName(path));
  if (conflict === undefined) return undefined;
  const original = parsePath(joinPath(parentOf(path), stem + extension));
  return original === undefined ? undefined : { original, author: conflict.author, stampText: conflict.stampText };
}

/**
 * One more than `number`. Honest losers never get far; whoever makes thousands of versions that all want one name would
 * have each push the next one on. So beyond CONFLICT_NUMBER_COUNTED_MAX there is one leap, to where the dot says.
 */
function numberAfter(number: number, { dot }: Version): number {
  if (number !== CONFLICT_NUMBER_COUNTED_MAX) return number + 1;
  const hash = createHash("sha256").update(`dsync conflict number ${dot.replica} ${dot.counter}`).digest();
  return number + 1 + (hash.readUInt32BE(0) % LEAP_MAX);
}

function splitName(name: string): NameParts {
  const { stem, extension } = splitExtension(name);
  const match = CONFLICT_STEM.exec(stem);
  if (match === null) return { stem, extension, conflict: undefined };
  const [, plainStem = "", author = "", stampText = "", digits = "", number = "1"] = match;
  return {
    stem: plainStem,
    extension,
    conflict: { author, stampText, digits, number: Number(number) },
  };
}

function splitExtension(name: string): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf(".");
  const start = name.endsWith(TAR, dot) && dot > TAR.length ? dot - TAR.length : dot;
  const stem = name.slice(0, Math.max(start, 0));
  const extension = name.slice(Math.max(start, 0));
  const isExtension =
    EXTENSION.test(name.slice(Math.max(dot, 0))) && Buffer.byteLength(extension) <= EXTENSION_BYTES_MAX;
  return isExtension && /[^.]/u.test(stem) ? { stem, extension } : { stem: name, extension: "" };
}

/** The directory of `path`, or the nearest one above it below which the path limit leaves room for a name. */
function roomyDirectory(path: RelativePath): RelativePath | undefined {
  let directory = parentOf(path);
  while (directory !== undefined && bytesLeft(directory) < ROOM_BYTES_MIN) directory = parentOf(directory);
  return directory;
}

function bytesLeft(directory: RelativePath | undefined): number {
  return directory === undefined ? PATH_BYTES_MAX : PATH_BYTES_MAX - Buffer.byteLength(directory) - 1;
}

function safeAuthor(author: string): string {
  const safe = author.toWellFormed().normalize("NFC").replace(UNSAFE_IN_AUTHOR, "-");
  return safe === "" ? "unnamed" : shortened(safe, NAME_BYTES_MAX);
}

function stampTextOf(stamp: number): string {
  // oxlint-disable-next-line no-restricted-globals -- formats a number, reads no clock
  const [date = "", time = ""] = new Date(Math.min(stamp, STAMP_MS_MAX_SHOWN)).toISOString().split("T");
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}`;
}

/** Of the content ID; what has none is told apart by the low 16 bits of its dot's counter. */
function digitsOf({ content, dot }: Version): string {
  if (content.kind === "file") return content.contentId.slice(0, 4);
  return (dot.counter % 0x10000).toString(16).padStart(4, "0");
}

/** As many whole characters from the start of `text` as fit into `bytesMax`. */
function shortened(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  let kept = "";
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) break;
    kept += character;
  }
  return kept;
}
