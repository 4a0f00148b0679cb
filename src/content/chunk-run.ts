// Chunks in a row that are found part by part, and what may come next, as far as the file held it before.

import { CONTENT_HASH_BYTES } from "../core/ids.ts";
import { CHUNK_SIZE_BYTES_MIN, HASH_PART_BYTES, MANIFEST_ITEM_BYTES } from "../core/limits.ts";

/** Where a chunk begins: bytes from the start, and its place in the manifest of before. */
export interface ChunkPlace {
  readonly offset: number;
  readonly index: number;
}

/** Twice what a part can hold, so that it is found again after something was removed. */
const EXPECTED_CHUNKS = (2 * HASH_PART_BYTES) / CHUNK_SIZE_BYTES_MIN;
/** How far around its place a chunk is looked for after a change: some GiB of content, and no more than 0.1 ms. */
const SEARCHED_CHUNKS = 4096;

export class ChunkRun {
  readonly #known: Buffer;
  /** What comes next, as it seems: an index in what is known. */
  #next: number;
  readonly #parts: Uint8Array[] = [];
  /** Where each chunk begins, and where the last one ends. */
  readonly #cuts: number[];

  /** `known`: the encoded manifest of before. */
  constructor(start: ChunkPlace, known: Uint8Array = new Uint8Array(0)) {
    this.#known = Buffer.from(known.buffer, known.byteOffset, known.length);
    this.#next = start.index;
    this.#cuts = [start.offset];
  }

  get count(): number {
    return this.#cuts.length - 1;
  }

  /** Bytes from the start of the content: where the last chunk ends. */
  get end(): number {
    return this.#cuts[this.count] ?? 0;
  }

  /** How many chunks are before this place; `undefined` if no chunk begins or ends there. */
  countBefore(offset: number): number | undefined {
    let [low, high] = [0, this.#cuts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cuts[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return this.#cuts[low] === offset ? low : undefined;
  }

  encoded(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Adds chunks, encoded, up to one that `isEnough` says so of. */
  add(chunks: Uint8Array, isEnough: (end: number) => boolean): void {
    const view = new DataView(chunks.buffer, chunks.byteOffset, chunks.length);
    let bytes = 0;
    do {
      this.#cuts.push(this.end + view.getUint32(bytes + CONTENT_HASH_BYTES));
      bytes += MANIFEST_ITEM_BYTES;
    } while (bytes < chunks.length && !isEnough(this.end));
    this.#parts.push(chunks.subarray(0, bytes));
    this.#next = this.#after(chunks.subarray(bytes - MANIFEST_ITEM_BYTES, bytes), bytes / MANIFEST_ITEM_BYTES);
  }

  /** What may come next of what is known, in memory of its own. */
  expected(): Uint8Array {
    return new Uint8Array(this.#items(this.#next, this.#next + EXPECTED_CHUNKS));
  }

  /** What comes after the known chunk that is `last`, the last one of `count` that were found. */
  #after(last: Uint8Array, count: number): number {
    const next = this.#next + count;
    if (this.#items(next - 1, next).equals(last)) return next;
    const from = Math.max(0, next - SEARCHED_CHUNKS);
    const found = this.#items(from, next + SEARCHED_CHUNKS).indexOf(last);
    return found === -1 || found % MANIFEST_ITEM_BYTES !== 0 ? next : from + found / MANIFEST_ITEM_BYTES + 1;
  }

  #items(from: number, to: number): Buffer {
    return this.#known.subarray(from * MANIFEST_ITEM_BYTES, to * MANIFEST_ITEM_BYTES);
  }
}
