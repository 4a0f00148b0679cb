// A network between simulated machines: streams with delays drawn from the seed, partitions that hold bytes back as TCP
// does, cuts, and machines that vanish.

import type { Connection, ConnectionEnd, Listener, Network, RemoteAddress } from "../../src/edge/network.ts";
import type { Prng } from "../support/seeded.ts";
import { systemError } from "../support/system-error.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: Prng;
  readonly trace: Trace;
  readonly latencyMsMax: number;
}

/** What travels one way. */
type Parcel =
  | { readonly kind: "data"; readonly bytes: Uint8Array; readonly dueMs: number }
  | { readonly kind: "end"; readonly dueMs: number }
  | { readonly kind: "reset"; readonly dueMs: number };

/** One run of a machine: what belongs to it is silent once it is dead. */
export interface Owner {
  readonly address: string;
  readonly isAlive: boolean;
}

const IN_FLIGHT_BYTES_MAX = 1024 * 1024;
const CLOSE_MS_MAX = 1_000;

export class SimulatedNetwork {
  readonly options: NetworkOptions;
  readonly #listeners = new Map<string, { owner: Owner; onConnection: (connection: Connection) => void }>();
  readonly #ends = new Set<End>();
  readonly #blocked = new Set<string>();
  #nextPort = 40_000;
  /** Bytes that have arrived, by the address that they came from. */
  readonly #sentBytes = new Map<string, number>();

  constructor(options: NetworkOptions) {
    this.options = options;
  }

  /** The network as one run of a machine sees it. */
  host(owner: Owner): Network {
    return {
      listen: async (port, onConnection) => this.#listen(owner, port, onConnection),
      dial: (host, port, signal) => this.#dial(owner, { host, port }, signal),
    };
  }

  /** Nothing passes between two machines until `unblock`; nobody is told. */
  block(a: string, b: string): void {
    this.#blocked.add(`${a} ${b}`).add(`${b} ${a}`);
  }

  /** What was under way arrives now. */
  unblock(a: string, b: string): void {
    this.#blocked.delete(`${a} ${b}`);
    this.#blocked.delete(`${b} ${a}`);
    for (const end of this.#ends) end.pump();
  }

  unblockAll(): void {
    this.#blocked.clear();
    for (const end of this.#ends) end.pump();
  }

  isBlocked(a: string, b: string): boolean {
    return this.#blocked.has(`${a} ${b}`);
  }

  /** Resets every connection between two machines. */
  cut(a: string, b: string): void {
    for (const end of this.#ends) {
      if (end.owner.address === a && end.remote.host === b) end.breakOff();
    }
  }

  /** A run of a machine has ended without a word: its kernel resets what it held. */
  forget(owner: Owner): void {
    for (const [key, listener] of this.#listeners) if (listener.owner === owner) this.#listeners.delete(key);
    for (const end of this.#ends) if (end.owner === owner) end.abandon();
  }

  drop(end: End): void {
    this.#ends.delete(end);
  }

  /** Bytes that arrived anywhere. */
  get deliveredBytes(): number {
    return [...this.#sentBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Bytes that came from an address and have arrived. */
  sentBytesOf(address: string): number {
    return this.#sentBytes.get(address) ?? 0;
  }

  noteArrival(from: string, bytes: number): void {
    this.#sentBytes.set(from, this.sentBytesOf(from) + bytes);
  }

  latencyMs(): number {
    const { random, latencyMsMax } = this.options;
    // Mostly short, now and then long.
    const scale = random.below(20) === 0 ? latencyMsMax : latencyMsMax / 20;
    return 0.05 + (scale * random.below(1000)) / 1000;
  }

  #listen(owner: Owner, asked: number, onConnection: (connection: Connection) => void): Listener {
    const port = asked === 0 ? this.#nextPort++ : asked;
    const key = `${owner.address}:${port}`;
    if (this.#listeners.has(key)) throw systemError("EADDRINUSE", key);
    this.#listeners.set(key, { owner, onConnection });
    return { port, close: async () => void this.#listeners.delete(key) };
  }

  #dial(owner: Owner, to: RemoteAddress, signal: AbortSignal): Promise<Connection> {
    const { scheduler } = this.options;
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
      scheduler.after(this.latencyMs(), () => {
        if (signal.aborted || !owner.isAlive || this.isBlocked(owner.address, to.host)) return;
        const listener = this.#listeners.get(`${to.host}:${to.port}`);
        if (listener === undefined) return reject(systemError("ECONNREFUSED", `${to.host}:${to.port}`));
        const dialed = new End(this, owner, to);
        const accepted = new End(this, listener.owner, { host: owner.address, port: this.#nextPort++ });
        dialed.join(accepted);
        accepted.join(dialed);
        this.#ends.add(dialed).add(accepted);
        listener.onConnection(accepted);
        scheduler.after(this.latencyMs(), () => {
          if (signal.aborted || !owner.isAlive) dialed.destroy();
          else resolve(dialed);
        });
      });
    });
  }
}

/** One side of a connection. */
class End implements Connection {
  readonly remote: RemoteAddress;
  readonly owner: Owner;
  readonly #network: SimulatedNetwork;
  #other: End = this;
  /** On the way here, in order. */
  readonly #arriving: Parcel[] = [];
  #inFlightBytes = 0;
  #lastDueMs = 0;
  #isPaused = true;
  #isFull = false;
  #hasSaidEnd = false;
  #isPumping = false;
  #end: ConnectionEnd | undefined;
  #onData: (bytes: Uint8Array) => void = () => {};
  #onEnd: (end: ConnectionEnd) => void = () => {};
  #onDrain: () => void = () => {};

  constructor(network: SimulatedNetwork, owner: Owner, remote: RemoteAddress) {
    this.#network = network;
    this.owner = owner;
    this.remote = remote;
  }

  join(other: End): void {
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
    if (this.#hasSaidEnd || this.#end !== undefined || !this.owner.isAlive) return true;
    const bytes = Buffer.concat(pieces);
    if (bytes.length === 0) return !this.#isFull;
    this.#inFlightBytes += bytes.length;
    // Streams arrive in pieces of any length.
    const cut = this.#network.options.random.below(4) === 0 ? this.#network.options.random.below(bytes.length) : 0;
    if (cut > 0) this.#send({ kind: "data", bytes: bytes.subarray(0, cut) });
    this.#send({ kind: "data", bytes: bytes.subarray(cut) });
    this.#isFull ||= this.#inFlightBytes > IN_FLIGHT_BYTES_MAX;
    return !this.#isFull;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // Not at once: the caller may be in the middle of something.
    this.#network.options.scheduler.after(0, () => this.pump());
  }

  end(): void {
    if (this.#hasSaidEnd || this.#end !== undefined) return;
    this.#hasSaidEnd = true;
    this.#send({ kind: "end" });
    this.resume();
    this.#network.options.scheduler.after(CLOSE_MS_MAX, () => this.#finish(undefined));
  }

  destroy(): void {
    if (this.#end !== undefined) return;
    this.#send({ kind: "reset" });
    this.#finish(undefined);
  }

  /** Both sides learn that the line is gone. */
  breakOff(): void {
    this.#send({ kind: "reset" });
    this.#finish(new Error("connection timed out"));
  }

  /** Its machine is gone; the other side is told by a reset. */
  abandon(): void {
    if (this.#end === undefined) this.#send({ kind: "reset" });
    this.#end ??= { error: undefined };
    this.#network.drop(this);
  }

  /** Hands on what has arrived. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let next = this.#arriving[0]; next !== undefined && this.#mayTake(next); next = this.#arriving[0]) {
      this.#arriving.shift();
      this.#take(next);
    }
    this.#isPumping = false;
  }

  #mayTake(parcel: Parcel): boolean {
    const { options } = this.#network;
    if (parcel.dueMs > options.scheduler.nowMs) return false;
    if (this.#network.isBlocked(this.owner.address, this.remote.host)) return false;
    return parcel.kind === "reset" || this.#end !== undefined || !this.#isPaused;
  }

  #take(parcel: Parcel): void {
    const { trace } = this.#network.options;
    trace.add(
      `${this.remote.host}>${this.owner.address}`,
      parcel.kind === "data" ? `${parcel.bytes.length} bytes` : parcel.kind,
    );
    if (this.#end !== undefined || !this.owner.isAlive) {
      if (parcel.kind === "data") this.#send({ kind: "reset" });
      return;
    }
    switch (parcel.kind) {
      case "data":
        this.#network.noteArrival(this.remote.host, parcel.bytes.length);
        this.#other.#noteDelivered(parcel.bytes.length);
        return this.#onData(parcel.bytes);
      case "end":
        this.end();
        return this.#finish(undefined);
      case "reset":
        return this.#finish(new Error("connection reset"));
    }
  }

  #send(parcel: { kind: "data"; bytes: Uint8Array } | { kind: "end" } | { kind: "reset" }): void {
    const { scheduler } = this.#network.options;
    this.#lastDueMs = Math.max(this.#lastDueMs, scheduler.nowMs + this.#network.latencyMs());
    const other = this.#other;
    other.#arriving.push({ ...parcel, dueMs: this.#lastDueMs });
    scheduler.after(this.#lastDueMs - scheduler.nowMs, () => other.pump());
  }

  #noteDelivered(count: number): void {
    this.#inFlightBytes -= count;
    if (!this.#isFull || this.#inFlightBytes > IN_FLIGHT_BYTES_MAX / 2) return;
    this.#isFull = false;
    if (this.owner.isAlive) this.#network.options.scheduler.after(0, () => this.#onDrain());
  }

  #finish(error: Error | undefined): void {
    if (this.#end !== undefined) return;
    const end = { error };
    this.#end = end;
    if (this.#arriving.length === 0) this.#network.drop(this);
    if (this.owner.isAlive) queueMicrotask(() => this.#onEnd(end));
  }
}
