// The `read` job: reads the chunks that a peer asked for, and lets none out that is not what its hash says.

import { compressIfSmaller } from "../content/compression.ts";
import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { absolutePath } from "./disk-layout.ts";
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
  let start = 0;
  try {
    const outcomes = request.items.map((item): ReadOutcome => {
      const target = buffer.subarray(start, start + item.length);
      if (!files.read(item, target)) return GONE;
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

/** Keeps the last file open, since neighbouring items mostly come from one file. */
class OpenFile {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #parents: ParentGuard;
  #path: string | undefined;
  #descriptor: number | undefined;

  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
    this.#parents = new ParentGuard(fs, root);
  }

  /** Fills `target`; false if the file is not there, cannot be read or is too short. */
  read(item: ReadItem, target: Uint8Array): boolean {
    try {
      if (item.diskPath !== this.#path) {
        this.close();
        // The path may be a peer's: what is outside the folder is not even compared with what it claims to know.
        if (!this.#parents.hold(item.diskPath)) return false;
        this.#descriptor = this.#fs.openForReading(absolutePath(this.#root, item.diskPath));
        this.#path = item.diskPath;
      }
      if (this.#descriptor === undefined) return false;
      return this.#fs.read(this.#descriptor, target, item.offset) === target.length;
    } catch {
      // Whatever is wrong with it, the peer asks elsewhere, and our own scan reports it.
      return false;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) this.#fs.close(this.#descriptor);
    this.#descriptor = undefined;
    this.#path = undefined;
  }
}
