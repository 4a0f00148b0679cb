// The network as dsync uses it: byte streams between addresses. The real one is TCP; tests simulate one.

/** Where the other end of a connection is. */
export interface RemoteAddress {
  /** An IP address, without a zone unless it is link-local. */
  readonly host: string;
  readonly port: number;
}

/** Why a connection ended: `error` is `undefined` after an orderly end. */
export interface ConnectionEnd {
  readonly error: Error | undefined;
}

/** One byte stream. Bytes arrive only between `resume` and `pause`; it starts paused. */
export interface Connection {
  readonly remote: RemoteAddress;
  /** Called with each piece that arrives. The bytes are there during the call alone: their memory is used again. */
  onData(handler: (bytes: Uint8Array) => void): void;
  /** Called once, when no more bytes come or go. */
  onEnd(handler: (end: ConnectionEnd) => void): void;
  /** Called whenever the bytes waiting to be sent have fallen low again after `write` returned false. */
  onDrain(handler: () => void): void;
  /** Queues `pieces` in order; the caller must not change them afterwards. False: wait for a drain before the next. */
  write(pieces: readonly Uint8Array[]): boolean;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then ends. */
  end(): void;
  /** Ends at once. */
  destroy(): void;
}

/** A listening port. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** Dialling and listening. */
export interface Network {
  /** Listens on all addresses. Throws Node's system errors (`EADDRINUSE`). `port: 0`: any. */
  listen(port: number, onConnection: (connection: Connection) => void): Promise<Listener>;
  /** Throws Node's system errors (`ECONNREFUSED`). */
  dial(host: string, port: number, signal: AbortSignal): Promise<Connection>;
}
