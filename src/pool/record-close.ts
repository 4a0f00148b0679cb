// What a close record says: why the channel ends. One byte for the code, then UTF-8 detail for a log.

import { protocolError } from "../core/errors.ts";
import { CLOSE_DETAIL_BYTES_MAX } from "../core/limits.ts";
import type { CloseCode } from "./channel.ts";

/** `lost` is what the lack of a close record means, so it has no number. */
export type SentCloseCode = Exclude<CloseCode, "lost">;

const NUMBERS = {
  goodbye: 0,
  superfluous: 1,
  "other-share": 2,
  self: 3,
  version: 4,
  "protocol-error": 5,
  timeout: 6,
  overload: 7,
} as const satisfies Record<SentCloseCode, number>;

const CODES_BY_NUMBER = new Map<number, SentCloseCode>(
  Object.entries(NUMBERS).map(([code, number]) => [number, code as SentCloseCode]),
);

/** Why the other side ended the channel. */
export interface CloseReason {
  readonly code: SentCloseCode;
  /** At most 256 bytes of UTF-8, not escaped. */
  readonly detail: string;
}

/** A detail that is too long is cut. */
export function encodeClose({ code, detail }: CloseReason): Uint8Array {
  const text = Buffer.from(detail);
  let end = Math.min(text.length, CLOSE_DETAIL_BYTES_MAX);
  // Not in the middle of a character: 0b10xxxxxx continues one.
  while (end < text.length && end > 0 && ((text[end] ?? 0) & 0xc0) === 0x80) end--;
  return Buffer.concat([Buffer.of(NUMBERS[code]), text.subarray(0, end)]);
}

/** Throws a protocol error for an unknown code or a detail that is too long. Bytes that are not UTF-8 are replaced. */
export function parseClose(bytes: Uint8Array): CloseReason {
  const code = CODES_BY_NUMBER.get(bytes[0] ?? -1);
  if (code === undefined) throw protocolError("a close record with an unknown code");
  if (bytes.length > 1 + CLOSE_DETAIL_BYTES_MAX) throw protocolError("a close record with too long a detail");
  return { code, detail: Buffer.from(bytes.subarray(1)).toString("utf8") };
}
