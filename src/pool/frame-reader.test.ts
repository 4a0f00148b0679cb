import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DsyncError } from "../core/errors.ts";
import { CHUNK_SIZE_BYTES_MAX, MESSAGE_BYTES_MAX } from "../core/limits.ts";
import { FrameReader } from "./frame-reader.ts";
import { encodeMessage } from "./message-codec.ts";
import type { Message } from "./messages.ts";

const bytes = (length: number, seed: number) => Uint8Array.from({ length }, (_, index) => index * seed);

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.constantFrom<Message>({ type: "ping" }, { type: "pong" }, { type: "compared" }),
  fc.nat({ max: 64 }).map((count): Message => ({ type: "want-channels", count })),
  fc.nat().map((pending): Message => ({ type: "stand", root: bytes(16, 3), pendingFiles: pending, pendingBytes: 9 })),
  fc.nat({ max: 3000 }).map((length): Message => ({ type: "manifest", id: length, manifest: bytes(length, 5) })),
  fc
    .nat({ max: 3000 })
    .map((length): Message => ({ type: "chunk", id: 1, index: 2, encoding: "raw", length, payload: bytes(length, 7) })),
);

function readAll(reader: FrameReader): Message[] {
  const messages: Message[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) messages.push(next);
  return messages;
}

/** Bytes as plain arrays, so that a Buffer equals a Uint8Array. */
function plain(messages: readonly Message[]): string {
  return JSON.stringify(messages, (_, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
    const isBuffer = typeof value === "object" && value !== null && "type" in value && value.type === "Buffer";
    return isBuffer && "data" in value ? Buffer.from(value.data as number[]).toString("hex") : value;
  });
}

test("the same messages come out, however their bytes were cut", () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5000 })), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 10 }), sizes, (messages, sizes) => {
      const stream = Buffer.concat(messages.flatMap((message) => encodeMessage(message)));
      const reader = new FrameReader();
      const read: Message[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        reader.push([stream.subarray(at, at + size)]);
        read.push(...readAll(reader));
        at += size;
      }
      assert.equal(plain(read), plain(messages));
    }),
  );
});

test("a chunk within one piece is not copied, one over several is whole", () => {
  const payload = bytes(CHUNK_SIZE_BYTES_MAX, 11);
  const chunk: Message = { type: "chunk", id: 1, index: 0, encoding: "raw", length: payload.length, payload };
  const frame = Buffer.concat(encodeMessage(chunk));
  const reader = new FrameReader();
  reader.push([frame]);
  const whole = reader.next();
  assert.ok(whole?.type === "chunk");
  assert.equal(whole.payload.buffer, frame.buffer);

  reader.push([frame.subarray(0, 100_000), frame.subarray(100_000, 500_000)]);
  assert.equal(reader.next(), undefined);
  reader.push([frame.subarray(500_000)]);
  const joined = reader.next();
  assert.ok(joined?.type === "chunk");
  assert.ok(Buffer.from(joined.payload).equals(payload));
});

test("a message above a chunk's size is put together in growing memory", () => {
  const manifest = bytes(4 * CHUNK_SIZE_BYTES_MAX, 13);
  const frame = Buffer.concat(encodeMessage({ type: "manifest", id: 1, manifest }));
  const reader = new FrameReader();
  for (let at = 0; at < frame.length; at += 200_000) reader.push([frame.subarray(at, at + 200_000)]);
  const message = reader.next();
  assert.ok(message?.type === "manifest" && message.manifest !== undefined);
  assert.ok(Buffer.from(message.manifest).equals(manifest));
});

test("a header alone reserves no more than a chunk", () => {
  const header = Buffer.alloc(5);
  header[0] = 12;
  header.writeUInt32BE(MESSAGE_BYTES_MAX, 1);
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 20 }, () => {
    const reader = new FrameReader();
    reader.push([header]);
    assert.equal(reader.next(), undefined);
    return reader;
  });
  const each = (process.memoryUsage().arrayBuffers - before) / readers.length;
  assert.ok(each < 1.5 * CHUNK_SIZE_BYTES_MAX, `${each} bytes each`);
});

test("an unknown type and a length above the limit are refused with the header", () => {
  for (const header of ["ff00000000", "0c01000001", "0e00100100"]) {
    const reader = new FrameReader();
    reader.push([Buffer.from(header, "hex")]);
    assert.throws(
      () => reader.next(),
      (error) => error instanceof DsyncError && error.code === "protocol",
      header,
    );
  }
});
