// Bytes that wait to be taken: pushed in pieces of any size, taken in other pieces. Large pieces are never copied.

import { invariant } from "./assert.ts";

/** Pieces below this are gathered by copying: cheaper than carrying thousands of tiny ones along. */
const SMALL_PIECE_BYTES = 2 * 1024;
const GATHER_BYTES = 16 * 1024;

/**
 * Holds at most one piece for every 2 KiB (plus a few), however finely its input was cut.
 * What is taken may share memory with what was pushed, so neither may be changed afterwards.
 */
export class ByteQueue {
  readonly #pieces: Uint8Array[] = [];
  /** Bytes of the first piece that have been taken already. */
  #taken = 0;
  #length = 0;
  /** The memory behind the last piece, if it is one of our own with room left after it. */
  #gather: Uint8Array | undefined;

  get length(): number {
    return this.#length;
  }

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#length += piece.length;
    const last = this.#pieces.at(-1);
    if (last === undefined || piece.length >= SMALL_PIECE_BYTES || !this.#append(last, piece)) {
      this.#pieces.push(piece);
      this.#gather = undefined;
    }
  }

  /** The next `count` bytes as pieces. There must be that many. */
  takePieces(count: number): Uint8Array[] {
    invariant(count <= this.#length, "no more is taken from a queue than it holds");
    const pieces: Uint8Array[] = [];
    for (let missing = count; missing > 0;) {
      const piece = this.#takeUpTo(missing);
      missing -= piece.length;
      pieces.push(piece);
    }
    return pieces;
  }

  /** The next `count` bytes in one piece, copied only if they lie in several. There must be that many. */
  take(count: number): Uint8Array {
    const [first, ...rest] = this.takePieces(count);
    if (first === undefined) return new Uint8Array(0);
    return rest.length === 0 ? first : Buffer.concat([first, ...rest], count);
  }

  /** Moves as many bytes as there are, and fit, into `target` from `offset`; returns how many. */
  takeInto(target: Uint8Array, offset: number): number {
    const count = Math.min(this.#length, target.length - offset);
    let end = offset;
    while (end < offset + count) {
      const piece = this.#takeUpTo(offset + count - end);
      target.set(piece, end);
      end += piece.length;
    }
    return count;
  }

  /** True if the next `count` bytes lie in one piece. */
  isContiguous(count: number): boolean {
    return (this.#pieces[0]?.length ?? 0) - this.#taken >= count;
  }

  /** Copies a small piece behind the last one; false if that one is large or its memory is full. */
  #append(last: Uint8Array, piece: Uint8Array): boolean {
    const end = last.length + piece.length;
    if (this.#gather === undefined) {
      if (last.length >= SMALL_PIECE_BYTES) return false;
      this.#gather = Buffer.allocUnsafe(GATHER_BYTES);
      this.#gather.set(last);
    }
    if (end > this.#gather.length) return false;
    // Only memory that nobody was given yet is written to.
    this.#gather.set(piece, last.length);
    this.#pieces[this.#pieces.length - 1] = this.#gather.subarray(0, end);
    return true;
  }

  #takeUpTo(count: number): Uint8Array {
    const first = this.#pieces[0];
    invariant(first !== undefined, "a queue that is not empty has a first piece");
    const end = Math.min(first.length, this.#taken + count);
    const piece = first.subarray(this.#taken, end);
    this.#length -= piece.length;
    this.#taken = end;
    if (end === first.length) {
      this.#pieces.shift();
      this.#taken = 0;
      if (this.#pieces.length === 0) this.#gather = undefined;
    }
    return piece;
  }
}
