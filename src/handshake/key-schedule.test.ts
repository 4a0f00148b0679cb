import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import { test } from "node:test";
import { deriveKeys, hashTranscript } from "./key-schedule.ts";

test("each key is HKDF-SHA-256 under a label of its own", () => {
  const sharedSecret = Buffer.alloc(32, 1);
  const passphraseKey = Buffer.alloc(64, 2);
  const transcriptHash = Buffer.alloc(32, 3);
  const labels = {
    clientConfirmation: "dsync client confirmation",
    serverConfirmation: "dsync server confirmation",
    clientProofKey: "dsync client proof",
    serverProofKey: "dsync server proof",
    clientRecordKey: "dsync client records",
    serverRecordKey: "dsync server records",
  };
  const open = deriveKeys({ sharedSecret, transcriptHash });
  const closed = deriveKeys({ sharedSecret, passphraseKey, transcriptHash });
  for (const [name, label] of Object.entries(labels) as [keyof typeof labels, string][]) {
    const expected = (secret: Uint8Array) => Buffer.from(hkdfSync("sha256", secret, transcriptHash, label, 32));
    assert.deepEqual(Buffer.from(open[name]), expected(sharedSecret));
    assert.deepEqual(Buffer.from(closed[name]), expected(Buffer.concat([sharedSecret, passphraseKey])));
  }
});

test("the transcript hash is BLAKE3's, over the client's hello and then the server's", () => {
  const hash = hashTranscript(Buffer.from("a"), Buffer.from("bc"));
  // The BLAKE3 hash of "abc".
  assert.equal(Buffer.from(hash).toString("hex"), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
});
