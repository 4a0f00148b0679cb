// Which chunks to ask whom for, when several instances fetch the same content at once. Pure: no I/O, no clock.
//
// Each takes another share from whoever has all of it, and the rest from each other: so a source that has something new
// sends it about once, however many want it. Whose share a chunk is, all work out alike, from the peer IDs of those who
// fetch (rendezvous hashing: who comes or goes moves no chunk between the others).
//
// Invariant: a chunk is handed out once, until it is given back.

import type { PeerId } from "../core/ids.ts";

export interface PickedChunk {
  /** Its place in the manifest. */
  readonly index: number;
  /** Bytes. */
  readonly length: number;
}

/** Chunks in a row that belong to one share: about one request. */
const BLOCK_CHUNKS = 8;

export class ChunkPicker<Chunk extends PickedChunk> {
  readonly #self: PeerId;
  readonly #count: number;
  readonly #isSpread: boolean;
  readonly #needed = new Map<number, Chunk>();
  /** Others that fetch the same, with the chunks that they say they have got and that were not taken from there yet. */
  readonly #members = new Map<PeerId, Set<number>>();
  /** The own share and those of others, the next chunk last. What is not needed any more may still be in them. */
  #own: Chunk[] = [];
  #others: Chunk[] = [];
  #isSorted = true;

  /**
   * `count`: chunks of the content. `isSpread`: others may be about to fetch the same, so it begins somewhere else than
   * they do.
   */
  constructor({ self, count, isSpread }: { self: PeerId; count: number; isSpread: boolean }) {
    this.#self = self;
    this.#count = count;
    this.#isSpread = isSpread;
  }

  /** Chunks to be got, and not handed out now. */
  get size(): number {
    return this.#needed.size;
  }

  /** To be got, for the first time or again. */
  need(chunks: readonly Chunk[]): void {
    if (chunks.length === 0) return;
    for (const chunk of chunks) this.#needed.set(chunk.index, chunk);
    this.#isSorted = false;
  }

  addMember(peer: PeerId): void {
    if (this.#members.has(peer)) return;
    this.#members.set(peer, new Set());
    this.#isSorted = false;
  }

  removeMember(peer: PeerId): void {
    if (this.#members.delete(peer)) this.#isSorted = false;
  }

  /** A member has got these. */
  noteHad(peer: PeerId, chunks: readonly number[]): void {
    const had = this.#members.get(peer);
    for (const index of chunks) if (index < this.#count) had?.add(index);
  }

  /** True if something of the own share is left to be asked for. */
  get hasOwn(): boolean {
    this.#sort();
    return this.#hasNext(this.#own);
  }

  /** True if a member has something that is still needed. */
  mayTakeFromMember(peer: PeerId): boolean {
    const had = this.#members.get(peer);
    for (const index of had ?? []) {
      if (this.#needed.has(index)) return true;
      had?.delete(index);
    }
    return false;
  }

  /** Hands out chunks of the own share, or (`anyShare`) then of others', up to `bytesMax` (at least one, if any is left). */
  take(bytesMax: number, anyShare: boolean): readonly Chunk[] {
    this.#sort();
    const taken = this.#takeFrom(this.#own, bytesMax);
    return taken.length === 0 && anyShare ? this.#takeFrom(this.#others, bytesMax) : taken;
  }

  /** Hands out chunks that a member has. */
  takeFromMember(peer: PeerId, bytesMax: number): readonly Chunk[] {
    const had = this.#members.get(peer) ?? new Set<number>();
    const taken: Chunk[] = [];
    let bytes = 0;
    for (const index of had) {
      const chunk = this.#needed.get(index);
      if (chunk !== undefined && taken.length > 0 && bytes + chunk.length > bytesMax) break;
      had.delete(index);
      if (chunk === undefined) continue;
      this.#needed.delete(index);
      taken.push(chunk);
      bytes += chunk.length;
    }
    return taken;
  }

  #takeFrom(stack: Chunk[], bytesMax: number): readonly Chunk[] {
    const taken: Chunk[] = [];
    let bytes = 0;
    while (this.#hasNext(stack)) {
      const chunk = stack.at(-1);
      if (chunk === undefined || (taken.length > 0 && bytes + chunk.length > bytesMax)) break;
      stack.pop();
      this.#needed.delete(chunk.index);
      taken.push(chunk);
      bytes += chunk.length;
    }
    return taken;
  }

  /** Drops what others delivered meanwhile from the end. */
  #hasNext(stack: Chunk[]): boolean {
    for (let chunk = stack.at(-1); chunk !== undefined; chunk = stack.at(-1)) {
      if (this.#needed.has(chunk.index)) return true;
      stack.pop();
    }
    return false;
  }

  #sort(): void {
    if (this.#isSorted) return;
    this.#isSorted = true;
    const members = [...this.#members.keys()].map(seedOf);
    const self = seedOf(this.#self);
    const [own, others]: [Chunk[], Chunk[]] = [[], []];
    for (const chunk of [...this.#needed.values()].toSorted((a, b) => b.index - a.index)) {
      (isOwn(chunk.index, self, members) ? own : others).push(chunk);
    }
    this.#own = this.#isSpread ? rotated(own, self) : own;
    // Those who lose patience begin at different places.
    this.#others = rotated(others, self);
  }
}

/** True if nobody else's claim to the chunk is stronger. */
function isOwn(index: number, self: number, members: readonly number[]): boolean {
  const block = Math.floor(index / BLOCK_CHUNKS);
  const claim = claimOf(self, block);
  return members.every((member) => claimOf(member, block) <= claim);
}

/** 32 well mixed bits (MurmurHash3's finalizer) of a peer and a block. */
function claimOf(seed: number, block: number): number {
  let bits = seed ^ Math.imul(block + 1, 0x9e37_79b1);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** A public key's first 32 bits: as good as random. */
function seedOf(peer: PeerId): number {
  return Number.parseInt(peer.slice(0, 8), 16);
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
