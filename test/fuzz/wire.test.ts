// Everything that a peer's bytes go through after the handshake: records, frames, messages, entries, manifests.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Packr } from "msgpackr";
import { decompress } from "../../src/content/compression.ts";
import { parseManifest } from "../../src/content/manifest.ts";
import { FRAME_RESERVE_BYTES_MAX, MESSAGE_BYTES_MAX } from "../../src/core/limits.ts";
import { parsePath } from "../../src/core/path.ts";
import { selectAead } from "../../src/handshake/select-aead.ts";
import { encodeEntry, parseEntry } from "../../src/index/entry-codec.ts";
import { encodeMark, parseMark } from "../../src/index/mark-codec.ts";
import {
  encodeRecord,
  parseFingerprint,
  parsePresence,
  parseRecord,
  parseRecordPath,
  parseSignature,
} from "../../src/index/record-codec.ts";
import { FrameReader } from "../../src/pool/frame-reader.ts";
import { parseFrameHeader } from "../../src/pool/frame-header.ts";
import { encodeMessage, parseMessage } from "../../src/pool/message-codec.ts";
import type { Message } from "../../src/pool/messages.ts";
import { parseClose } from "../../src/pool/record-close.ts";
import { RecordOpener, RecordSealer } from "../../src/pool/record-layer.ts";
import { entries, paths } from "../support/arbitraries.ts";
import { fuzz } from "../support/fuzz.ts";
import { mutated } from "../support/mutations.ts";

const packr = new Packr({ useRecords: false });
const aead = selectAead({ portable: false });
const key = new Uint8Array(32);

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const hashes = bytesOf(32).map((bytes) => Buffer.from(bytes).toString("hex") as never);
const prefixes = fc.array(fc.nat(255), { maxLength: 2 });

/** Every type of message, well formed. */
const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: fc.constant("hello" as const),
    purpose: fc.constantFrom("control" as const, "data" as const),
    share: fc.string({ maxLength: 20 }),
    name: fc.string({ maxLength: 20 }),
    replicaId: bytesOf(8).map((bytes) => Buffer.from(bytes).toString("hex") as never),
    dataChannelsMax: fc.nat(64),
  }),
  fc.constantFrom<Message>({ type: "ping" }, { type: "pong" }, { type: "compared" }),
  fc.record({ type: fc.constant("want-channels" as const), count: fc.nat(64) }),
  fc.record({
    type: fc.constant("stand" as const),
    root: bytesOf(16),
    pendingFiles: fc.maxSafeNat(),
    pendingBytes: fc.maxSafeNat(),
  }),
  fc.record({
    type: fc.constant("children" as const),
    prefix: fc.array(fc.nat(255), { maxLength: 1 }),
    fingerprints: bytesOf(4096),
  }),
  fc.record({
    type: fc.constant("summary" as const),
    prefix: fc.tuple(fc.nat(255), fc.nat(255)),
    items: fc.nat(5).chain((count) => bytesOf(32 * count)),
  }),
  fc.record({
    type: fc.constant("want" as const),
    prefixes: fc.array(prefixes, { maxLength: 5 }),
    hashes: fc.nat(5).chain((count) => bytesOf(16 * count)),
  }),
  fc.record({
    type: fc.constant("entries" as const),
    entries: fc.array(
      fc.record({
        path: paths,
        entry: entries.filter(({ seen }) => seen.length > 0),
        held: fc.boolean(),
        inline: fc.option(fc.uint8Array({ maxLength: 50 }), { nil: undefined }),
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({ type: fc.constant("fetching" as const), contentIds: fc.array(hashes, { maxLength: 5 }) }),
  fc.record({ type: fc.constant("have" as const), contentId: hashes, chunks: fc.array(fc.nat(), { maxLength: 9 }) }),
  fc.record({
    type: fc.constant("fetch-manifest" as const),
    id: fc.nat(),
    path: paths,
    contentId: hashes,
    from: fc.nat(1000),
  }),
  fc.record({
    type: fc.constant("manifest" as const),
    id: fc.nat(),
    manifest: fc.option(fc.uint8Array({ maxLength: 80 }), { nil: undefined }),
  }),
  fc.record({
    type: fc.constant("fetch" as const),
    id: fc.nat(),
    items: fc.array(
      fc.record({ path: paths, contentId: hashes, offset: fc.maxSafeNat(), length: fc.nat(1000), hash: hashes }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
  fc
    .uint8Array({ maxLength: 50 })
    .map((payload): Message => ({ type: "chunk", id: 1, index: 0, encoding: "raw", length: payload.length, payload })),
);

const frames = messages.map((message) => Buffer.concat(encodeMessage(message)));

test("valid messages come back", () => {
  fuzz(frames, (frame) => {
    const { type } = parseFrameHeader(frame);
    const again = Buffer.concat(encodeMessage(parseMessage(type, frame.subarray(5))));
    assert.equal(again.toString("hex"), Buffer.from(frame).toString("hex"));
  });
});

test("any bytes, and mutated messages, are a message or break the protocol", () => {
  const inputs = fc.oneof(mutated(frames), fc.uint8Array({ minLength: 5, maxLength: 200 }));
  fuzz(
    inputs,
    (frame) => {
      if (frame.length < 5) return;
      const { type } = parseFrameHeader(frame);
      const message = parseMessage(type, frame.subarray(5));
      // What was accepted can be said again.
      encodeMessage(message);
    },
    { mayThrow: "protocol" },
  );
});

test("any MessagePack value in a frame's payload is a message or breaks the protocol", () => {
  const values = fc.anything({ withBigInt: false, withDate: true, withMap: true, withSet: true, withTypedArray: true });
  const types = fc.constantFrom(
    "hello",
    "stand",
    "children",
    "summary",
    "want",
    "entries",
    "manifest",
    "fetch",
    "fetching",
    "have",
  );
  fuzz(
    fc.tuple(types, fc.oneof(values, fc.array(values, { maxLength: 6 }))),
    ([type, value]) => parseMessage(type as "hello", packr.pack(value)),
    { mayThrow: "protocol" },
  );
});

test("a stream of mutated frames, cut anywhere, is read or breaks the protocol, and reserves little", () => {
  const streams = mutated(fc.array(frames, { maxLength: 4 }).map((list) => Buffer.concat(list)));
  const before = process.memoryUsage().arrayBuffers;
  fuzz(
    fc.tuple(streams, fc.integer({ min: 1, max: 100 })),
    ([stream, step]) => {
      const reader = new FrameReader();
      for (let at = 0; at < stream.length; at += step) {
        reader.push([stream.subarray(at, at + step)]);
        for (let message = reader.next(); message !== undefined; message = reader.next());
      }
    },
    { mayThrow: "protocol" },
  );
  assert.ok(process.memoryUsage().arrayBuffers - before < 200 * FRAME_RESERVE_BYTES_MAX);
});

test("a frame's length alone reserves no more than a chunk", () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 20 }, () => new FrameReader());
  for (const reader of readers) {
    const head = Buffer.alloc(6);
    head[0] = 10;
    head.writeUInt32BE(MESSAGE_BYTES_MAX, 1);
    reader.push([head]);
    assert.equal(reader.next(), undefined);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 22 * FRAME_RESERVE_BYTES_MAX);
});

test("any bytes, and mutated records, open or break the protocol", () => {
  const sealed = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }).map((contents) => {
    const sealer = new RecordSealer({ aead, key });
    return Buffer.concat([
      ...contents.flatMap((content) => sealer.sealData([content])),
      ...sealer.sealClose({ code: "goodbye", detail: "bye" }),
    ]);
  });
  fuzz(
    fc.oneof(mutated(sealed), fc.uint8Array({ maxLength: 200 })),
    (bytes) => {
      const opener = new RecordOpener({ aead, key });
      opener.push(bytes);
      for (let record = opener.next(); record !== undefined; record = opener.next());
    },
    { mayThrow: "protocol" },
  );
  fuzz(fc.uint8Array({ maxLength: 400 }), parseClose, { mayThrow: "protocol" });
});

test("entries: any value, and mutated ones, are an entry that can be said again, or none", () => {
  const packed = mutated(entries.map((entry) => packr.pack(encodeEntry(entry))));
  const unpacked = packed.map((bytes): unknown => {
    try {
      return packr.unpack(Buffer.from(bytes));
    } catch {
      return undefined;
    }
  });
  fuzz(fc.oneof(unpacked, fc.anything(), fc.array(fc.anything(), { maxLength: 12 })), (value) => {
    const entry = parseEntry(value);
    if (entry !== undefined) assert.deepEqual(parseEntry(encodeEntry(entry)), entry);
  });
});

test("index records: mutated ones are a record, or the index is damaged", () => {
  const records = fc.tuple(paths, entries, entries, fc.boolean()).map(([path, known, other, isSettled]) => {
    const record = { path, known, present: isSettled ? known : other, signature: undefined, residue: false };
    return encodeRecord(record, new Uint8Array(16));
  });
  fuzz(fc.oneof(mutated(records), fc.uint8Array({ maxLength: 200 })), parseRecord, { mayThrow: "index" });
  fuzz(fc.oneof(mutated(records), fc.uint8Array({ maxLength: 60 })), parseSignature, { mayThrow: "index" });
  const parts = fc.constantFrom(parsePresence, parseRecordPath, parseFingerprint);
  const noise = fc.uint8Array({ maxLength: 200 });
  fuzz(fc.tuple(parts, fc.oneof(mutated(records), noise)), ([parse, bytes]) => parse(bytes), { mayThrow: "index" });
  // Of a whole record each part is what the record says.
  fuzz(records, (bytes) => {
    const { path } = parseRecord(bytes);
    assert.equal(parseRecordPath(bytes), path);
    assert.deepEqual(parsePresence(bytes), { path, signature: undefined });
    assert.deepEqual(Buffer.from(parseFingerprint(bytes)), Buffer.alloc(16));
  });
});

test("marks: mutated ones are a mark that can be said again, or none", () => {
  const marks = fc
    .tuple(bytesOf(8), fc.array(entries, { maxLength: 3 }))
    .map(([bootTag, before]) => encodeMark({ bootTag, before }));
  fuzz(fc.oneof(mutated(marks), fc.uint8Array({ maxLength: 100 })), (bytes) => {
    const mark = parseMark(bytes);
    if (mark !== undefined) assert.deepEqual(parseMark(encodeMark(mark)), mark);
  });
});

test("manifests, paths and compressed chunks: anything is one, or none", () => {
  const items = fc.array(bytesOf(36), { maxLength: 5 }).map((list) => Buffer.concat(list));
  fuzz(fc.oneof(mutated(items), fc.uint8Array({ maxLength: 100 })), (bytes) => {
    const manifest = parseManifest(bytes);
    if (manifest === undefined) return;
    for (let index = 0; index < manifest.count; index++) assert.ok(manifest.lengthOf(index) >= 0);
  });
  fuzz(fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.anything()), (text) => {
    const path = parsePath(text);
    if (path !== undefined) assert.equal(path.split("/").includes(".."), false);
  });
  fuzz(fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.nat(2 ** 21)), ([bytes, length]) => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(length);
    const result = decompress(Buffer.concat([head, bytes]), length);
    assert.ok(result === undefined || result.length === length);
  });
});
