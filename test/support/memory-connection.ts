// Two connections joined in memory: what one writes, the other is given, a turn of the event loop later.

import type { Connection, ConnectionEnd, RemoteAddress } from "../../src/edge/network.ts";

export interface MemoryConnectionOptions {
  /** How many of the `available` bytes arrive in one piece: 1 to `available`. All, if not given. */
  readonly cut?: (available: number) => number;
  /** Bytes written and not yet delivered above which `write` returns false. 1 MiB, if not given. */
  readonly inFlightBytesMax?: number;
  /** Sees, and may change, what is delivered in either direction. */
  readonly tamper?: (bytes: Uint8Array, from: "first" | "second") => Uint8Array;
}

/** The first one stands for the dialer. */
export function memoryConnectionPair(options: MemoryConnectionOptions = {}): [MemoryConnection, MemoryConnection] {
  const first = new MemoryConnection("first", options);
  const second = new MemoryConnection("second", options);
  first.join(second);
  second.join(first);
  return [first, second];
}

export class MemoryConnection implements Connection {
  readonly remote: RemoteAddress;
  /** Bytes written here and not yet delivered. */
  inFlightBytes = 0;
  /** The most there ever were. */
  inFlightBytesPeak = 0;
  readonly #side: "first" | "second";
  readonly #options: MemoryConnectionOptions;
  #other: MemoryConnection = this;
  /** Written by the other side, not yet delivered here. */
  readonly #arriving: Uint8Array[] = [];
  #isPaused = true;
  #isFull = false;
  #isTurnScheduled = false;
  #hasEnded = false;
  #hasOtherEnded = false;
  #end: ConnectionEnd | undefined;
  #onData: (bytes: Uint8Array) => void = () => {};
  #onEnd: (end: ConnectionEnd) => void = () => {};
  #onDrain: () => void = () => {};

  constructor(side: "first" | "second", options: MemoryConnectionOptions) {
    this.#side = side;
    this.#options = options;
    this.remote = { host: "127.0.0.1", port: side === "first" ? 9000 : 50000 };
  }

  join(other: MemoryConnection): void {
    this.#other = other;
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#onData = handler;
  }

  onEnd(handler: (end: ConnectionEnd) => void): void {
    this.#onEnd = handler;
    const end = this.#end;
    if (end !== undefined) queueMicrotask(() => handler(end));
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler;
  }

  write(pieces: readonly Uint8Array[]): boolean {
    if (this.#hasEnded || this.#end !== undefined) return true;
    for (const piece of pieces) {
      const bytes = this.#options.tamper?.(piece, this.#side) ?? piece;
      this.inFlightBytes += bytes.length;
      if (bytes.length > 0) this.#peer().#arrive(bytes);
    }
    this.inFlightBytesPeak = Math.max(this.inFlightBytesPeak, this.inFlightBytes);
    this.#isFull ||= this.inFlightBytes > (this.#options.inFlightBytesMax ?? 1024 * 1024);
    return !this.#isFull;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#scheduleTurn();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.resume();
    this.#peer().#hasOtherEnded = true;
    this.#peer().#scheduleTurn();
  }

  destroy(): void {
    this.#finish(undefined);
    this.#peer().#finish(new Error("connection reset"));
  }

  /** As when the cable is cut and the kernel gives up. */
  breakOff(): void {
    this.#finish(new Error("connection timed out"));
    this.#peer().#finish(new Error("connection timed out"));
  }

  #peer(): MemoryConnection {
    return this.#other;
  }

  #arrive(bytes: Uint8Array): void {
    this.#arriving.push(bytes);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled || this.#isPaused || this.#end !== undefined) return;
    this.#isTurnScheduled = true;
    setImmediate(() => {
      this.#isTurnScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    for (let next = this.#arriving.shift(); next !== undefined; next = this.#arriving.shift()) {
      const count = this.#options.cut?.(next.length) ?? next.length;
      if (count < next.length) this.#arriving.unshift(next.subarray(count));
      // A real connection uses the memory again, too.
      const bytes = Uint8Array.from(next.subarray(0, count));
      this.#onData(bytes);
      bytes.fill(0xee);
      this.#peer().#onDelivered(count);
      if (this.#isPaused || this.#end !== undefined) return;
    }
    if (!this.#hasOtherEnded) return;
    // Like TCP here: whoever is told of the end ends, too, after sending what is queued.
    this.end();
    this.#tryFinish();
    this.#peer().#tryFinish();
  }

  #onDelivered(count: number): void {
    this.inFlightBytes -= count;
    if (!this.#isFull || this.inFlightBytes > (this.#options.inFlightBytesMax ?? 1024 * 1024) / 2) return;
    this.#isFull = false;
    queueMicrotask(() => this.#onDrain());
  }

  #tryFinish(): void {
    if (this.#hasEnded && this.#hasOtherEnded && this.#arriving.length === 0) this.#finish(undefined);
  }

  #finish(error: Error | undefined): void {
    if (this.#end !== undefined) return;
    const end = { error };
    this.#end = end;
    queueMicrotask(() => this.#onEnd(end));
  }
}
