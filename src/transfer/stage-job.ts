// The `stage` job: puts the chunks of one content together in `.dsync/staging/`, each verified before it is written.
//
// Invariant: nothing is written to a file that has another name as well. That is a file in its place, which a crash kept
// from losing its name in staging; the `unstage` job takes that away before a fetch begins.

import { decompress } from "../content/compression.ts";
import { readBuffer } from "../content/read-buffer.ts";
import { errnoOf } from "../core/errors.ts";
import { problemOf } from "../core/problem-of.ts";
import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import type { Problem } from "../core/problem.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { hasOtherName } from "../edge/hard-links.ts";
import type { JobContext } from "../edge/job-context.ts";
import { stagingPath } from "./disk-layout.ts";
import { OpenFile } from "./open-file.ts";

export interface StageRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly contentId: ContentHash;
  readonly pieces: readonly StagePiece[];
}

/** One chunk's place in the content, and where its bytes come from. */
export interface StagePiece {
  /** Bytes from the start of the content. */
  readonly offset: number;
  readonly length: number;
  readonly hash: ContentHash;
  readonly source: StageSource;
}

export type StageSource =
  /** From the network, not verified yet. */
  | { readonly kind: "bytes"; readonly encoding: "raw" | "lz4"; readonly payload: Uint8Array }
  /** From a file of this folder, which may have changed since. `diskPath`: relative to the folder. */
  | { readonly kind: "local"; readonly diskPath: string; readonly offset: number }
  /** Perhaps staged already, before a restart. */
  | { readonly kind: "staged" };

export interface StageResult {
  /** One per piece, in order: true if it is verified and in its place. */
  readonly staged: readonly boolean[];
  /** Why something could not be written. */
  readonly problem: Problem | undefined;
}

const PRIVATE_MODE = 0o600;
const STILL_PLACED: Problem = {
  code: "EMLINK",
  message:
    "Cannot write: what was staged before is in use, and could not be removed from .dsync/staging. It is tried again.",
};

export function stageChunks(context: JobContext, request: StageRequest): StageResult {
  const { fs } = context;
  const staged = request.pieces.map(() => false);
  const local = new OpenFile(fs, request.root);
  let descriptor: number | undefined;
  try {
    descriptor = openStaging(fs, stagingPath(request.root, request.contentId));
    if (descriptor === undefined) return { staged, problem: STILL_PLACED };
    const staging = { context, descriptor, local };
    for (const [index, piece] of request.pieces.entries()) staged[index] = stagePiece(staging, piece);
    return { staged, problem: undefined };
  } catch (error) {
    return { staged, problem: problemOf("stage content", error) };
  } finally {
    local.close();
    if (descriptor !== undefined) fs.close(descriptor);
  }
}

/** What the pieces of one job share. */
interface Staging {
  readonly context: JobContext;
  /** The content in staging. */
  readonly descriptor: number;
  readonly local: OpenFile;
}

/** `undefined`: it may not be written to. */
function openStaging(fs: FileSystem, path: string): number | undefined {
  const stat = fs.lstat(path);
  if (stat === undefined) return createOrOpen(fs, path);
  if (hasOtherName(stat)) return undefined;
  try {
    return fs.openForWriting(path);
  } catch (error) {
    if (errnoOf(error) !== "EACCES") throw error;
    // It was about to be put in place once, and has the mode of its file already: one that may not be written.
    fs.setMode(path, PRIVATE_MODE);
    return fs.openForWriting(path);
  }
}

function createOrOpen(fs: FileSystem, path: string): number {
  try {
    return fs.createFile(path, PRIVATE_MODE);
  } catch (error) {
    // Another worker created it for another piece of the same content.
    if (fs.lstat(path) !== undefined) return fs.openForWriting(path);
    throw error;
  }
}

function stagePiece(staging: Staging, piece: StagePiece): boolean {
  const { fs, blake3 } = staging.context;
  const bytes = pieceBytes(staging, piece);
  if (bytes === undefined || bytes.length !== piece.length) return false;
  if (contentHashFromBytes(blake3.hash(bytes)) !== piece.hash) return false;
  if (piece.source.kind !== "staged") fs.write(staging.descriptor, bytes, piece.offset);
  return true;
}

/** Valid until the next call. */
function pieceBytes({ context, descriptor, local }: Staging, piece: StagePiece): Uint8Array | undefined {
  const { source, length } = piece;
  switch (source.kind) {
    case "bytes":
      return source.encoding === "raw" ? source.payload : decompress(source.payload, length);
    case "staged":
      return readExactly(context.fs, descriptor, length, piece.offset);
    case "local": {
      // If it is gone or unreadable, the chunk comes from a peer.
      const file = local.open(source.diskPath);
      return file === undefined ? undefined : readExactly(context.fs, file, length, source.offset);
    }
  }
}

function readExactly(fs: FileSystem, descriptor: number, length: number, offset: number): Uint8Array | undefined {
  const bytes = readBuffer(length).subarray(0, length);
  return fs.read(descriptor, bytes, offset) === length ? bytes : undefined;
}
