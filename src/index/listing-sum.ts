// What is in a directory as one number: the sum of a hash of each child. Two directories have one sum if they hold the same
// names with the same signatures, in whatever order; and a sum follows each child that comes, changes and goes.
//
// The hash is no cryptographic one (these take ten times as long, for each file at each start): nobody can choose the
// inode and the times of change of a file on this disk who could not change the file itself. It never leaves this machine.

import type { StatSignature } from "./entry.ts";

/** Four numbers of 32 bits, each added by itself. */
export type ListingSum = Uint32Array;

/**
 * What a child can be beside what has a signature: on the disk neither file, directory nor symlink; in the index a directory
 * that stayed (`PathRecord.residue`), or something that nobody has looked at yet.
 */
export type OddState = "special" | "residue" | "unsigned";

export const LISTING_SUM_BYTES = 16;

const KINDS = ["file", "directory", "symlink", "special", "residue", "unsigned"] as const satisfies readonly (
  | StatSignature["kind"]
  | OddState
)[];

const TWO_TO_32 = 2 ** 32;

export function emptySum(): ListingSum {
  return new Uint32Array(LISTING_SUM_BYTES / Uint32Array.BYTES_PER_ELEMENT);
}

export function addSum(sum: ListingSum, other: ListingSum): void {
  for (let lane = 0; lane < sum.length; lane++) sum[lane] = (sum[lane] ?? 0) + (other[lane] ?? 0);
}

export function subtractSum(sum: ListingSum, other: ListingSum): void {
  for (let lane = 0; lane < sum.length; lane++) sum[lane] = (sum[lane] ?? 0) - (other[lane] ?? 0);
}

export function isEmptySum(sum: ListingSum): boolean {
  return sum.every((lane) => lane === 0);
}

/** As a string of one byte per character: cheap to compare, and to send to another thread. */
export function sumToKey(sum: ListingSum): string {
  return Buffer.from(sum.buffer, sum.byteOffset, LISTING_SUM_BYTES).toString("latin1");
}

/** `bytes`: the sum as this machine writes it. */
export function sumFromBytes(bytes: Uint8Array): ListingSum {
  return new Uint32Array(new Uint8Array(bytes.subarray(0, LISTING_SUM_BYTES)).buffer);
}

/** What one child adds to the sum of its directory. `name`: as the index spells it. */
export function hashOfChild(name: string, state: StatSignature | OddState): ListingSum {
  const hash = new Hash();
  if (typeof state === "string") hash.add(KINDS.indexOf(state));
  else {
    hash.add((state.mode << 8) | KINDS.indexOf(state.kind));
    hash.add(state.size);
    hash.add(Math.floor(state.size / TWO_TO_32));
    for (const word of wordsOf(state)) hash.add(word);
  }
  for (let index = 0; index < name.length; index++) hash.add(name.charCodeAt(index));
  return hash.lanes();
}

const scratch = new BigInt64Array(3);
const scratchWords = new Uint32Array(scratch.buffer);

/** Valid until the next call. */
function wordsOf({ mtimeNs, ctimeNs, inode }: StatSignature): Uint32Array {
  scratch[0] = mtimeNs;
  scratch[1] = ctimeNs;
  scratch[2] = inode;
  return scratchWords;
}

/** Four independent multiplicative hashes, mixed at the end as MurmurHash3 mixes its lanes. */
class Hash {
  #a = 0x243f6a88;
  #b = 0x85a308d3;
  #c = 0x13198a2e;
  #d = 0x03707344;

  /** `word`: its lower 32 bits count. */
  add(word: number): void {
    this.#a = rotated(Math.imul(this.#a ^ word, 0x9e3779b1), 13);
    this.#b = rotated(Math.imul(this.#b ^ word, 0x85ebca6b), 15);
    this.#c = rotated(Math.imul(this.#c ^ word, 0xc2b2ae35), 17);
    this.#d = rotated(Math.imul(this.#d ^ word, 0x27d4eb2f), 11);
  }

  lanes(): Uint32Array {
    const all = this.#a + this.#b + this.#c + this.#d;
    return Uint32Array.of(this.#a, this.#b, this.#c, this.#d).map((lane) => scrambled(lane + all));
  }
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Each bit of the result depends on each of the word. */
function scrambled(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
