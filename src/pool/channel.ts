// One authenticated, encrypted, framed TCP connection, as the pool and the conversation above it use it.

import type { PeerId } from "../core/ids.ts";
import type { RemoteAddress } from "../edge/network.ts";
import type { Message } from "./messages.ts";

/** Why a channel or session ended; the closed set of codes that travels in the close record. */
export type CloseCode =
  | "goodbye" // the instance stops
  | "superfluous" // another session or channel to the same peer stays
  | "other-share" // the shares differ
  | "self" // it is ourselves
  | "version" // no common protocol version
  | "protocol-error" // the other side broke the protocol
  | "timeout" // nothing heard for too long
  | "overload" // too many sessions or channels
  | "lost"; // the connection broke without a close record (never sent)

export interface ChannelEnd {
  readonly code: CloseCode;
  /** True if the other side closed. */
  readonly byPeer: boolean;
  /** Detail for the log; escaped by whoever prints it. */
  readonly detail: string;
}

export interface Channel {
  readonly peerId: PeerId;
  readonly remote: RemoteAddress;
  /** True if this side dialled. */
  readonly isDialer: boolean;
  /** 32 bytes for people to compare, the same on both sides, never the same twice: handshake/verification.ts. */
  readonly verification: Uint8Array;
  readonly bytesSent: number;
  readonly bytesReceived: number;

  /** Queues a message; messages arrive in order. Ignored after the end. The caller must not change its buffers until `writable()` resolves. */
  send(message: Message): void;
  /** True while more than the high-water mark waits to be written: callers that stream must await `writable()`. */
  readonly isCongested: boolean;
  /** Resolves when the channel is not congested, or has ended. Needs no buffer of a message sent before the call then. */
  writable(): Promise<void>;
  /** Sets the handler (before the next turn of the event loop). A handler that throws a DsyncError `protocol` closes the channel. */
  onMessage(handler: (message: Message) => void): void;
  /** Stops and continues reading, for back-pressure. */
  pause(): void;
  resume(): void;
  /** Sends a close record with the code after everything queued, then ends. */
  close(code: CloseCode, detail?: string): void;
  /** Resolves once, when the channel has ended for whatever reason. */
  readonly ended: Promise<ChannelEnd>;
}
