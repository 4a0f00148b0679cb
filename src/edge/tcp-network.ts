// The real network: TCP through node:net.

import { createServer, connect, type Server, type Socket } from "node:net";
import { invariant } from "../core/assert.ts";
import { errnoOf } from "../core/errors.ts";
import { CLOSE_MS_MAX, SEND_QUEUE_BYTES_MAX } from "../core/limits.ts";
import type { Connection, ConnectionEnd, Listener, Network, RemoteAddress } from "./network.ts";

/** A machine that has gone without a word is noticed by the kernel, too, beside the pool's own keep-alive. */
const KEEP_ALIVE_DELAY_MS = 30_000;

/** Of all sockets that dialled: each read is used up before the next one begins. More is no faster. */
const readMemory = Buffer.allocUnsafeSlow(512 * 1024);

export const tcpNetwork: Network = {
  async listen(port, onConnection) {
    // Without `pauseOnConnect`, bytes could arrive before somebody wants them.
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      const connection = new TcpConnection(socket);
      socket.on("data", (bytes) => connection.take(bytes));
      onConnection(connection);
    });
    try {
      // `::` takes IPv4 as well.
      await listenOn(server, port, "::");
    } catch (error) {
      if (!isIpv6Missing(error)) throw error;
      await listenOn(server, port, "0.0.0.0");
    }
    return new TcpListener(server);
  },

  dial(host, port, signal) {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      let connection: TcpConnection | undefined;
      const socket = connectInto({ host, port }, (bytes) => connection?.take(bytes));
      socket.pause();
      const settle = () => {
        signal.removeEventListener("abort", onAbort);
        socket.removeListener("error", onError);
      };
      const onAbort = () => {
        settle();
        // An error that comes after we have lost interest.
        socket.on("error", () => {});
        socket.destroy();
        reject(signal.reason);
      };
      const onError = (error: Error) => {
        settle();
        reject(error);
      };
      signal.addEventListener("abort", onAbort);
      socket.once("error", onError);
      socket.once("connect", () => {
        settle();
        connection = new TcpConnection(socket);
        resolve(connection);
      });
    });
  },
};

/**
 * What arrives is read into the same memory again and again, where Node allows that: a fresh 64 KiB for each read cost a
 * quarter of the time that receiving takes. It does so for sockets that dial. On Windows, reads begin before there is
 * something to read, so that sockets cannot share memory.
 */
function connectInto(
  address: { readonly host: string; readonly port: number },
  take: (bytes: Uint8Array) => void,
): Socket {
  if (process.platform === "win32") return connect(address).on("data", take);
  const callback = (count: number, memory: Uint8Array): boolean => {
    take(memory.subarray(0, count));
    return true;
  };
  return connect({ ...address, onread: { buffer: readMemory, callback } });
}

function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, () => {
      server.removeListener("error", reject);
      // Later ones (no descriptors left to accept with) concern one connection that did not come to be.
      server.on("error", () => {});
      resolve();
    });
  });
}

function isIpv6Missing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === "EAFNOSUPPORT" || errno === "EADDRNOTAVAIL";
}

class TcpListener implements Listener {
  readonly port: number;
  readonly #server: Server;

  constructor(server: Server) {
    const address = server.address();
    invariant(typeof address === "object" && address !== null, "a server that listens on a port has an address");
    this.port = address.port;
    this.#server = server;
  }

  /** Resolves when the port is free again; connections that stand are not touched. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      // Its callback would wait for every connection.
      this.#server.close();
      setImmediate(resolve);
    });
  }
}

class TcpConnection implements Connection {
  readonly remote: RemoteAddress;
  readonly #socket: Socket;
  #end: ConnectionEnd | undefined;
  #error: Error | undefined;
  /** Bytes written in this turn of the event loop. */
  #turnBytes = 0;
  #isDrainOwed = false;
  #onData: (bytes: Uint8Array) => void = () => {};
  #onEnd: (end: ConnectionEnd) => void = () => {};
  #onDrain: () => void = () => {};

  /** `socket`: connected and paused. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.remote = { host: plainAddress(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    socket.on("drain", () => this.#tryDrain());
    socket.on("error", (error) => (this.#error = error));
    socket.once("close", () => {
      this.#end = { error: this.#error };
      this.#onEnd(this.#end);
    });
  }

  /** Bytes arrived. */
  take(bytes: Uint8Array): void {
    this.#onData(bytes);
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#onData = handler;
  }

  /** A handler that comes after the end is told of it, soon. */
  onEnd(handler: (end: ConnectionEnd) => void): void {
    this.#onEnd = handler;
    const end = this.#end;
    if (end !== undefined) queueMicrotask(() => handler(end));
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler;
  }

  write(pieces: readonly Uint8Array[]): boolean {
    if (!this.#socket.writable) return true;
    if (this.#turnBytes === 0) setImmediate(() => this.#onTurnEnd());
    // Corked, so that all pieces go to the kernel in one call.
    this.#socket.cork();
    for (const piece of pieces) {
      this.#turnBytes += piece.length;
      this.#socket.write(piece);
    }
    this.#socket.uncork();
    this.#isDrainOwed ||= !this.#hasRoom();
    return !this.#isDrainOwed;
  }

  /** A kernel that takes everything at once must not make a sender hold up the event loop, either. */
  #hasRoom(): boolean {
    return this.#turnBytes <= SEND_QUEUE_BYTES_MAX && this.#socket.writableLength <= SEND_QUEUE_BYTES_MAX;
  }

  #onTurnEnd(): void {
    this.#turnBytes = 0;
    this.#tryDrain();
  }

  #tryDrain(): void {
    if (!this.#isDrainOwed || !this.#hasRoom()) return;
    this.#isDrainOwed = false;
    this.#onDrain();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** What the other side has not taken a second later is dropped. */
  end(): void {
    if (this.#socket.destroyed) return;
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_MS_MAX);
    this.#socket.once("close", () => clearTimeout(timer));
    // Bytes that nobody reads would turn the orderly end into a reset.
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** `::ffff:192.0.2.1` is `192.0.2.1`, met on an IPv6 socket. Zones are kept: link-local addresses mean nothing without. */
export function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
