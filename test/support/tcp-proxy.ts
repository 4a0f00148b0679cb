// A network that can be bad: a TCP proxy on loopback, between two instances.

import net from "node:net";
import type { AddressInfo } from "node:net";

export class TcpProxy {
  /** Each byte is written by itself. */
  isSlow = false;
  /** Nothing is passed on any more on the connections that are open; new ones are not held up. */
  #silent = new WeakSet<net.Socket>();
  /** What to cut a connection after, in bytes of both directions; `undefined`: it is not cut. Asked for each connection. */
  cutAfter: () => number | undefined = () => undefined;
  /** What `cutOnceAfter` still lets pass. */
  #bytesToCut = Infinity;
  readonly #server: net.Server;
  readonly #open = new Set<net.Socket>();

  private constructor(targetPort: number) {
    this.#server = net.createServer((inner) => this.#join(inner, net.connect(targetPort, "127.0.0.1")));
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** As if a cable had been pulled: neither side hears anything on what is open, not even an end. */
  fallSilent(): void {
    for (const socket of this.#open) this.#silent.add(socket);
  }

  /** Resets all that is open as soon as so many more bytes have passed, in both directions and on all connections together. */
  cutOnceAfter(bytes: number): void {
    this.#bytesToCut = bytes;
  }

  /** True until what `cutOnceAfter` asked for has happened. */
  get isToBeCut(): boolean {
    return this.#bytesToCut !== Infinity;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #join(a: net.Socket, b: net.Socket): void {
    let bytesLeft = this.cutAfter() ?? Infinity;
    const end = (): void => {
      if (this.#silent.has(a)) return;
      for (const socket of [a, b]) socket.destroy();
    };
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#open.add(from);
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("close", () => {
        this.#open.delete(from);
        end();
      });
      from.on("data", (bytes) => {
        if (this.#silent.has(from)) return;
        const passed = bytes.subarray(0, Math.min(bytesLeft, this.#bytesToCut));
        bytesLeft -= passed.length;
        this.#bytesToCut -= passed.length;
        this.#pass(passed, to);
        if (bytesLeft === 0) for (const socket of [a, b]) socket.resetAndDestroy();
        if (this.#bytesToCut > 0) return;
        this.#bytesToCut = Infinity;
        for (const socket of this.#open) socket.resetAndDestroy();
      });
    }
  }

  #pass(bytes: Buffer, to: net.Socket): void {
    if (!this.isSlow) {
      to.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at++) to.write(bytes.subarray(at, at + 1));
  }
}
