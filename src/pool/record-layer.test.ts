import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../core/assert.ts";
import { DsyncError } from "../core/errors.ts";
import { RECORD_PLAINTEXT_BYTES_MAX, RECORDS_PER_KEY_MAX } from "../core/limits.ts";
import { nativeAead } from "../handshake/aead-native.ts";
import { openSealed } from "../handshake/aead.ts";
import { nobleAead } from "../handshake/aead-noble.ts";
import { encodeClose, parseClose, type CloseReason } from "./record-close.ts";
import { RECORD_CONTENT_BYTES_MAX, RecordOpener, RecordSealer, type OpenedRecord } from "./record-layer.ts";

const key = Buffer.alloc(32, 5);
const native = { aead: nativeAead, key };

function openAll(opener: RecordOpener): OpenedRecord[] {
  const records: OpenedRecord[] = [];
  for (let record = opener.next(); record !== undefined; record = opener.next()) records.push(record);
  return records;
}

function contentOf(record: OpenedRecord | undefined): Buffer {
  assert.ok(record?.kind === "data");
  return Buffer.concat(record.content);
}

function isProtocolError(error: unknown): boolean {
  return error instanceof DsyncError && error.code === "protocol";
}

/** `bytes` in pieces of the given sizes, over and over. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

test("records come out as they went in, however either side cuts them", () => {
  const contents = fc.array(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }), { maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(contents, sizes, fc.boolean(), (contents, sizes, isPortable) => {
      const sealer = new RecordSealer(native);
      const opener = new RecordOpener({ aead: isPortable ? nobleAead : nativeAead, key });
      const wire = Buffer.concat(contents.flatMap((content) => sealer.sealData(content)));
      const opened: OpenedRecord[] = [];
      for (const piece of cut(wire, sizes)) {
        opener.push(piece);
        opened.push(...openAll(opener));
      }
      assert.deepEqual(
        opened.map((record) => contentOf(record)),
        contents.map((content) => Buffer.concat(content)),
      );
    }),
  );
});

test("the largest record passes, a larger one is a bug here and an error there", () => {
  const sealer = new RecordSealer(native);
  const opener = new RecordOpener(native);
  const largest = Buffer.alloc(RECORD_CONTENT_BYTES_MAX, 7);
  for (const piece of sealer.sealData([largest])) opener.push(piece);
  assert.ok(contentOf(opener.next()).equals(largest));
  assert.throws(() => sealer.sealData([largest, Uint8Array.of(1)]), InvariantError);
});

test("a length out of range is refused before its bytes are waited for", () => {
  for (const length of [0, 16, RECORD_PLAINTEXT_BYTES_MAX + 17, 0xffffff]) {
    const opener = new RecordOpener(native);
    const bytes = Buffer.alloc(3);
    bytes.writeUIntBE(length, 0, 3);
    opener.push(bytes);
    assert.throws(() => opener.next(), isProtocolError, String(length));
  }
});

test("a change to any byte is noticed", () => {
  const record = Buffer.concat(new RecordSealer(native).sealData([Buffer.from("some content")]));
  for (let at = 0; at < record.length; at++) {
    const opener = new RecordOpener(native);
    const changed = Buffer.from(record);
    changed[at] = (changed[at] ?? 0) ^ 0x80;
    // More than any length may claim, so that a longer length does not just wait.
    opener.push(Buffer.concat([changed, Buffer.alloc(RECORD_PLAINTEXT_BYTES_MAX)]));
    assert.throws(() => opener.next(), isProtocolError, `byte ${at}`);
  }
});

test("a record that is repeated, left out, moved or from the other direction does not open", () => {
  const sealer = new RecordSealer(native);
  const records = ["a", "b", "c"].map((text) => Buffer.concat(sealer.sealData([Buffer.from(text)])));
  const foreign = Buffer.concat(new RecordSealer({ ...native, key: Buffer.alloc(32, 6) }).sealData([]));
  const [a, b, c] = records as [Buffer, Buffer, Buffer];
  for (const [order, opening] of [
    [[a, a], 1],
    [[a, c], 1],
    [[b, a], 0],
    [[foreign], 0],
    [[a, b, c, b], 3],
  ] as const) {
    const opener = new RecordOpener(native);
    for (const record of order) opener.push(record);
    for (let count = 0; count < opening; count++) assert.equal(opener.next()?.kind, "data");
    assert.throws(() => opener.next(), isProtocolError);
  }
});

test("what was cut off is never a whole record", () => {
  const record = Buffer.concat(new RecordSealer(native).sealData([Buffer.from("content")]));
  for (let end = 0; end < record.length; end++) {
    const opener = new RecordOpener(native);
    opener.push(record.subarray(0, end));
    assert.equal(opener.next(), undefined);
  }
});

test("a key seals no more records than its nonces last", () => {
  const last = { ...native, recordCount: RECORDS_PER_KEY_MAX - 1 };
  const sealer = new RecordSealer(last);
  const opener = new RecordOpener(last);
  for (const piece of sealer.sealData([Buffer.from("last")])) opener.push(piece);
  assert.equal(contentOf(opener.next()).toString(), "last");
  assert.throws(() => sealer.sealData([]), isProtocolError);
});

test("nonces count in little-endian order after four zero bytes", () => {
  const recordCount = 0x0102_0304_0506;
  const [length, kind, tag] = new RecordSealer({ ...native, recordCount }).sealData([]) as [Buffer, Buffer, Buffer];
  const nonce = Buffer.from("000000000605040302010000", "hex");
  const opened = openSealed(nobleAead, { key, nonce, associatedData: length }, { ciphertext: [kind], tag });
  assert.deepEqual(Buffer.concat(opened ?? []), Buffer.of(0));
});

test("a close record says why", () => {
  const reason: CloseReason = { code: "other-share", detail: "photos, not default" };
  const opener = new RecordOpener(native);
  for (const piece of new RecordSealer(native).sealClose(reason)) opener.push(piece);
  assert.deepEqual(opener.next(), { kind: "close", reason });
});

test("a detail is cut between characters, and checked on arrival", () => {
  const { detail } = parseClose(encodeClose({ code: "goodbye", detail: `x${"ä".repeat(200)}` }));
  assert.equal(detail, `x${"ä".repeat(127)}`);
  assert.throws(() => parseClose(Buffer.alloc(258)), isProtocolError);
  assert.throws(() => parseClose(Buffer.of(200)), isProtocolError);
  assert.throws(() => parseClose(Buffer.alloc(0)), isProtocolError);
});

test("an unknown kind of record is refused", () => {
  const length = Buffer.of(0, 0, 17);
  const sealed = nativeAead.seal({ key, nonce: Buffer.alloc(12), associatedData: length }, [Buffer.of(2)]);
  const opener = new RecordOpener(native);
  opener.push(Buffer.concat([length, ...sealed.ciphertext, sealed.tag]));
  assert.throws(() => opener.next(), isProtocolError);
});
