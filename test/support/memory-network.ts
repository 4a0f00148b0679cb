// A network in memory: named hosts that listen and dial, addresses that refuse, and lines that are cut or go silent.

import type { Connection, ConnectionEnd, Listener, Network, RemoteAddress } from "../../src/edge/network.ts";
import { memoryConnectionPair, type MemoryConnection } from "./memory-connection.ts";

/** All hosts, and the lines between them. */
export class MemoryNetwork {
  readonly #listeners = new Map<string, (connection: Connection) => void>();
  readonly #lines = new Set<Line>();
  readonly #silent = new Set<string>();
  #nextPort = 40_000;
  /** How often each address was dialled. */
  readonly dials = new Map<string, number>();

  /** The network as the machine at `address` sees it. */
  host(address: string): Network {
    return {
      listen: async (port, onConnection) => this.#listen(address, port, onConnection),
      dial: (host, port, signal) => this.#dial(address, { host, port }, signal),
    };
  }

  /** How many connections stand between two hosts. */
  countLines(a: string, b: string): number {
    return [...this.#lines].filter((line) => line.joins(a, b)).length;
  }

  /** Breaks the connections between two hosts; both sides notice. Returns how many there were. */
  cut(a: string, b: string): number {
    const lines = [...this.#lines].filter((line) => line.joins(a, b));
    for (const line of lines) line.cut();
    return lines.length;
  }

  /** From now on nothing that one of the two sends arrives at the other, and neither notices. */
  silence(a: string, b: string): void {
    this.#silent.add(`${a} ${b}`).add(`${b} ${a}`);
  }

  /** Undoes `silence`: what was sent meanwhile is lost, and the connections of before are reset when next written to. */
  heal(a: string, b: string): void {
    this.#silent.delete(`${a} ${b}`);
    this.#silent.delete(`${b} ${a}`);
  }

  isSilent(from: string, to: string): boolean {
    return this.#silent.has(`${from} ${to}`);
  }

  /** A bare connection to a listening port, for a test that plays a hostile peer. */
  async connect(from: string, to: RemoteAddress): Promise<Connection> {
    return this.#dial(from, to, new AbortController().signal);
  }

  #listen(address: string, asked: number, onConnection: (connection: Connection) => void): Listener {
    const port = asked === 0 ? this.#nextPort++ : asked;
    const key = `${address}:${port}`;
    if (this.#listeners.has(key)) throw systemError("EADDRINUSE", `listen EADDRINUSE: address already in use ${key}`);
    this.#listeners.set(key, onConnection);
    return { port, close: async () => void this.#listeners.delete(key) };
  }

  async #dial(from: string, to: RemoteAddress, signal: AbortSignal): Promise<Connection> {
    const key = `${to.host}:${to.port}`;
    this.dials.set(key, (this.dials.get(key) ?? 0) + 1);
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    if (this.isSilent(from, to.host)) await aborted(signal);
    const accept = this.#listeners.get(key);
    if (accept === undefined) throw systemError("ECONNREFUSED", `connect ECONNREFUSED ${key}`);
    const line = new Line(this, from, to, this.#nextPort++);
    this.#lines.add(line);
    line.onGone(() => this.#lines.delete(line));
    accept(line.accepted);
    return line.dialed;
  }
}

/** One connection: what each of its ends sees. */
class Line {
  readonly dialed: HostConnection;
  readonly accepted: HostConnection;
  readonly #ends: readonly [MemoryConnection, MemoryConnection];
  readonly #hosts: readonly [string, string];

  constructor(network: MemoryNetwork, from: string, to: RemoteAddress, fromPort: number) {
    const [first, second] = memoryConnectionPair();
    this.#ends = [first, second];
    this.#hosts = [from, to.host];
    this.dialed = new HostConnection(first, to, () => network.isSilent(from, to.host));
    const origin = { host: from, port: fromPort };
    this.accepted = new HostConnection(second, origin, () => network.isSilent(to.host, from));
    this.dialed.other = this.accepted;
    this.accepted.other = this.dialed;
  }

  joins(a: string, b: string): boolean {
    return this.#hosts.includes(a) && this.#hosts.includes(b) && (a !== b || this.#hosts[0] === this.#hosts[1]);
  }

  cut(): void {
    this.#ends[0].breakOff();
  }

  /** Calls `action` when neither side has the connection any more. */
  onGone(action: () => void): void {
    let sides = 2;
    const oneIsGone = () => {
      sides--;
      if (sides === 0) action();
    };
    this.dialed.onGone = oneIsGone;
    this.accepted.onGone = oneIsGone;
  }
}

class HostConnection implements Connection {
  readonly remote: RemoteAddress;
  onGone: () => void = () => {};
  other: HostConnection | undefined;
  readonly #inner: MemoryConnection;
  readonly #isSilent: () => boolean;
  #wasSilent = false;
  #end: ConnectionEnd | undefined;
  #onEnd: (end: ConnectionEnd) => void = () => {};

  constructor(inner: MemoryConnection, remote: RemoteAddress, isSilent: () => boolean) {
    this.#inner = inner;
    this.remote = remote;
    this.#isSilent = isSilent;
    inner.onEnd((end) => {
      this.#finish(end);
    });
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#inner.onData(handler);
  }

  onEnd(handler: (end: ConnectionEnd) => void): void {
    this.#onEnd = handler;
    const end = this.#end;
    if (end !== undefined) queueMicrotask(() => handler(end));
  }

  onDrain(handler: () => void): void {
    this.#inner.onDrain(handler);
  }

  write(pieces: readonly Uint8Array[]): boolean {
    if (this.#isSilent()) {
      this.#wasSilent = true;
      return true;
    }
    // Bytes are missing in the middle, or the other machine has forgotten this connection: it answers with a reset.
    if (this.#wasSilent || this.other?.hasEnded === true) this.#inner.breakOff();
    return this.#inner.write(pieces);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  end(): void {
    if (!this.#isSilent()) this.#inner.end();
  }

  destroy(): void {
    if (this.#end !== undefined) return;
    if (!this.#isSilent()) return this.#inner.destroy();
    // The other side does not hear of it.
    this.#wasSilent = true;
    queueMicrotask(() => this.#finish({ error: undefined }));
  }

  #finish(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.onGone();
    this.#onEnd(end);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
  });
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
