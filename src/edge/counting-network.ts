// A network that counts what goes over it: every byte of every connection, handshakes and refused ones included.

import type { Connection, Network } from "./network.ts";

/** Bytes since the start. */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export class CountingNetwork implements Network {
  readonly #network: Network;
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(network: Network) {
    this.#network = network;
  }

  get traffic(): Traffic {
    return { sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes };
  }

  listen(port: number, onConnection: (connection: Connection) => void): ReturnType<Network["listen"]> {
    return this.#network.listen(port, (connection) => onConnection(this.#counted(connection)));
  }

  async dial(host: string, port: number, signal: AbortSignal): Promise<Connection> {
    return this.#counted(await this.#network.dial(host, port, signal));
  }

  #counted(connection: Connection): Connection {
    return {
      remote: connection.remote,
      onData: (handler) =>
        connection.onData((bytes) => {
          this.#receivedBytes += bytes.length;
          handler(bytes);
        }),
      onEnd: (handler) => connection.onEnd(handler),
      onDrain: (handler) => connection.onDrain(handler),
      write: (pieces) => {
        for (const piece of pieces) this.#sentBytes += piece.length;
        return connection.write(pieces);
      },
      pause: () => connection.pause(),
      resume: () => connection.resume(),
      end: () => connection.end(),
      destroy: () => connection.destroy(),
    };
  }
}
