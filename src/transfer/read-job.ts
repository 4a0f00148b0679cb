// The `read` job: reads the chunks that a peer asked for, and lets none out that is not what its hash says.

import { compressIfSmaller } from "../content/compression.ts";
import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { OpenFile } from "./open-file.ts";
import { ParentGuard } from "./parent-guard.ts";

export interface ReadRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly items: readonly ReadItem[];
  /** To read into, at least as long as all items together. */
  readonly memory: Uint8Array<ArrayBuffer>;
}

/** One chunk, and the file that should hold it. */
export interface ReadItem {
  /** Relative to the folder. */
  readonly diskPath: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly length: number;
  readonly hash: ContentHash;
}

export interface ReadResult {
  /** The request's memory. Holds every payload. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** One per requested item, in order. */
  readonly outcomes: readonly ReadOutcome[];
}

/** `gone`: the file is not there, or holds something else by now. Otherwise bytes `start` to `end` of the buffer. */
export type ReadOutcome =
  | { readonly encoding: "raw" | "lz4"; readonly start: number; readonly end: number }
  | { readonly encoding: "gone" };

const GONE: ReadOutcome = { encoding: "gone" };

export function readChunks(context: JobContext, request: ReadRequest): ReadResult {
  // It may hold what was read into it before: every byte that is handed out has been read and verified.
  const buffer = request.memory;
  const files = new OpenFile(context.fs, request.root);
  const parents = new ParentGuard(context.fs, request.root);
  let start = 0;
  try {
    const outcomes = request.items.map((item): ReadOutcome => {
      const target = buffer.subarray(start, start + item.length);
      // The path may be a peer's: what is outside the folder is not even compared with what it claims to know.
      const descriptor = files.open(item.diskPath, () => parents.hold(item.diskPath));
      if (descriptor === undefined || !fill(context.fs, descriptor, target, item.offset)) return GONE;
      if (contentHashFromBytes(context.blake3.hash(target)) !== item.hash) return GONE;
      const compressed = compressIfSmaller(target);
      if (compressed !== undefined) target.set(compressed);
      const end = start + (compressed?.length ?? item.length);
      const outcome: ReadOutcome = { encoding: compressed === undefined ? "raw" : "lz4", start, end };
      start = end;
      return outcome;
    });
    return { buffer, outcomes };
  } finally {
    files.close();
  }
}

/** False if it is too short, or cannot be read: the peer asks elsewhere, and our own scan reports it. */
function fill(fs: FileSystem, descriptor: number, target: Uint8Array, offset: number): boolean {
  try {
    return fs.read(descriptor, target, offset) === target.length;
  } catch {
    return false;
  }
}
