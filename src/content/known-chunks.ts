// The chunks that a file had when it was read last. Where one is still there, its hash tells so several times faster
// than the chunker finds its end.
//
// Invariant: the cuts are the chunker's. It decides by a chunk's own bytes alone, so a chunk that begins where one begins
// and has the same bytes ends where that one ends. Only the last one of a content ends because nothing follows it.

import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import { parseManifest, type Manifest } from "./manifest.ts";

export class KnownChunks {
  readonly #manifest: Manifest | undefined;
  /** Which one may come next; `undefined`: nobody knows. */
  #next: number | undefined = 0;
  /** Made when it is needed first. */
  #positions: ReadonlyMap<ContentHash, number> | undefined;

  /** `encoded`: the manifest of what the file held, if that is known. */
  constructor(encoded: Uint8Array | undefined) {
    this.#manifest = encoded === undefined ? undefined : parseManifest(encoded);
  }

  /** Bytes of the chunk that may come next. `bytesLeft`: from there to the end of the content. */
  guess(bytesLeft: number): number | undefined {
    if (this.#manifest === undefined || this.#next === undefined) return undefined;
    const { count } = this.#manifest;
    if (this.#next >= count) return undefined;
    const length = this.#manifest.lengthOf(this.#next);
    const isPossible = this.#next === count - 1 ? length === bytesLeft : length <= bytesLeft;
    return isPossible ? length : undefined;
  }

  /** True if `hash` is that of the chunk that was guessed; else there is no guess until a known one comes. */
  confirm(hash: Uint8Array): boolean {
    const guessed = this.#next;
    const isRight = guessed !== undefined && this.#manifest?.hashOf(guessed) === contentHashFromBytes(hash);
    this.#next = isRight ? guessed + 1 : undefined;
    return isRight;
  }

  /** The chunker has cut a chunk with this hash: what came after it last time may come again. */
  noteCut(hash: Uint8Array): void {
    if (this.#manifest === undefined) return;
    this.#positions ??= positionsIn(this.#manifest);
    const position = this.#positions.get(contentHashFromBytes(hash));
    this.#next = position === undefined ? undefined : position + 1;
  }
}

function positionsIn(manifest: Manifest): ReadonlyMap<ContentHash, number> {
  return new Map(Array.from({ length: manifest.count }, (_, index) => [manifest.hashOf(index), index] as const));
}
