// What stands before each message: its type and the length of its payload. Pure.

import { protocolError } from "../core/errors.ts";
import { CHUNK_SIZE_BYTES_MAX, MESSAGE_BYTES_MAX } from "../core/limits.ts";
import { CHUNK_HEADER_BYTES, type Message } from "./messages.ts";

/** `[type: u8][length: u32 big-endian]` */
export const FRAME_HEADER_BYTES = 5;

const TYPE_CODES = {
  hello: 1,
  "want-channels": 2,
  ping: 3,
  pong: 4,
  stand: 5,
  children: 6,
  summary: 7,
  want: 8,
  compared: 9,
  entries: 10,
  "fetch-manifest": 11,
  manifest: 12,
  fetch: 13,
  chunk: 14,
  fetching: 15,
  have: 16,
} as const satisfies Record<Message["type"], number>;

const TYPES_BY_CODE = new Map<number, Message["type"]>(
  Object.entries(TYPE_CODES).map(([type, code]) => [code, type as Message["type"]]),
);

/** Writes the header of a frame with `length` bytes of payload at the start of `frame`. */
export function writeFrameHeader(frame: Buffer, type: Message["type"], length: number): void {
  frame[0] = TYPE_CODES[type];
  frame.writeUInt32BE(length, 1);
}

/** Reads a frame's header. Throws if the type is unknown or the length above its limit. */
export function parseFrameHeader(header: Uint8Array): { readonly type: Message["type"]; readonly length: number } {
  const view = new DataView(header.buffer, header.byteOffset, FRAME_HEADER_BYTES);
  const type = TYPES_BY_CODE.get(view.getUint8(0));
  if (type === undefined) throw protocolError(`unknown message type ${view.getUint8(0)}`);
  const length = view.getUint32(1);
  const lengthMax = type === "chunk" ? CHUNK_HEADER_BYTES + CHUNK_SIZE_BYTES_MAX : MESSAGE_BYTES_MAX;
  if (length > lengthMax) throw protocolError(`a ${type} message of ${length} bytes`);
  return { type, length };
}
