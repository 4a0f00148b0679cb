// Many strangers at the port of an instance on loopback, from many addresses: some say nothing, some half a hello, some
// nonsense, some a whole hello and then nothing more. What they are let do is counted.

import { connect, type Socket } from "node:net";
import { systemRandom } from "../../src/edge/random.ts";
import { encodeHello } from "../../src/handshake/hello.ts";
import { PROTOCOL_VERSION } from "../../src/pool/messages.ts";

/** What one stranger sends; each costs the instance something else. */
export const STRANGERS = {
  idle: () => new Uint8Array(0),
  "half a hello": () => hello().subarray(0, 50),
  nonsense: () => systemRandom.bytes(400),
  "a hello and no proof": hello,
} as const satisfies Record<string, () => Uint8Array>;

export type Stranger = keyof typeof STRANGERS;

/** Addresses 127.1.0.1 and up; on Linux all of 127/8 is there. */
const ADDRESSES_MAX = 250;

export interface PortFloodOptions {
  readonly port: number;
  /** From how many addresses, in turn. */
  readonly addresses: number;
  readonly kinds: readonly Stranger[];
  /** Whoever is turned away comes again after so long; `undefined`: never. */
  readonly againMs?: number | undefined;
}

export class PortFlood {
  readonly #options: PortFloodOptions;
  readonly #open = new Set<Socket>();
  #made = 0;
  #isStopped = false;

  constructor(options: PortFloodOptions) {
    this.#options = { ...options, addresses: Math.min(options.addresses, ADDRESSES_MAX) };
  }

  /** Connections so far. */
  get made(): number {
    return this.#made;
  }

  /** Those that the instance has not ended. */
  get open(): number {
    return this.#open.size;
  }

  /** Makes `count` connections at once. */
  add(count: number): void {
    for (let index = 0; index < count; index++) this.#connect();
  }

  stop(): void {
    this.#isStopped = true;
    for (const socket of this.#open) socket.destroy();
  }

  #connect(): void {
    const { port, addresses, kinds, againMs } = this.#options;
    const number = this.#made++;
    const kind = kinds[Math.floor(number / addresses) % kinds.length] ?? "idle";
    const localAddress = `127.1.0.${(number % addresses) + 1}`;
    const socket = connect({ host: "127.0.0.1", port, localAddress });
    this.#open.add(socket);
    socket.on("connect", () => socket.write(STRANGERS[kind]()));
    socket.on("error", () => {});
    socket.resume();
    socket.on("close", () => {
      this.#open.delete(socket);
      if (againMs === undefined || this.#isStopped) return;
      setTimeout(() => {
        if (!this.#isStopped) this.#connect();
      }, againMs).unref();
    });
  }
}

function hello(): Uint8Array {
  const ephemeralKey = systemRandom.bytes(32);
  const challenge = systemRandom.bytes(32);
  return encodeHello({ role: "client", version: PROTOCOL_VERSION, mode: "open", ephemeralKey, challenge });
}
