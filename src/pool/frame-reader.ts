// Puts messages together from the content of records. A frame may begin anywhere and span any number of records.

import { ByteQueue } from "../core/byte-queue.ts";
import { FRAME_RESERVE_BYTES_MAX } from "../core/limits.ts";
import { FRAME_HEADER_BYTES, parseFrameHeader } from "./frame-header.ts";
import { parseMessage } from "./message-codec.ts";
import type { Message } from "./messages.ts";

/** A frame whose payload is arriving. */
interface PartialFrame {
  readonly type: Message["type"];
  readonly length: number;
  /** Memory for the payload, or for its first part. */
  payload: Uint8Array;
  filled: number;
}

/**
 * Payloads that lie within one pushed piece are not copied, others once (those above a chunk's size a few times).
 * Memory is at most a chunk, or twice what has arrived, whatever length a header claims.
 */
export class FrameReader {
  readonly #received = new ByteQueue();
  #frame: PartialFrame | undefined;

  push(content: readonly Uint8Array[]): void {
    for (const piece of content) this.#received.push(piece);
  }

  /** The next whole message, or `undefined` until more content comes. Throws a protocol error, after which it is useless. */
  next(): Message | undefined {
    if (this.#frame === undefined) {
      if (this.#received.length < FRAME_HEADER_BYTES) return undefined;
      const { type, length } = parseFrameHeader(this.#received.take(FRAME_HEADER_BYTES));
      if (this.#received.isContiguous(length)) return parseMessage(type, this.#received.take(length));
      this.#frame = { type, length, filled: 0, payload: reserve(Math.min(length, FRAME_RESERVE_BYTES_MAX)) };
    }
    const { type, length } = this.#frame;
    if (!this.#fill(this.#frame)) return undefined;
    const payload = this.#frame.payload.subarray(0, length);
    this.#frame = undefined;
    return parseMessage(type, payload);
  }

  /** True if the payload is complete. */
  #fill(frame: PartialFrame): boolean {
    while (frame.filled < frame.length && this.#received.length > 0) {
      if (frame.filled === frame.payload.length) {
        const larger = reserve(Math.min(frame.length, 2 * frame.filled));
        larger.set(frame.payload);
        frame.payload = larger;
      }
      frame.filled += this.#received.takeInto(frame.payload, frame.filled);
    }
    return frame.filled === frame.length;
  }
}

/** Not from Node's pool, which a payload that is kept would keep whole. */
function reserve(bytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(bytes);
}
