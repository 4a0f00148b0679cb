// What a command reads of an instance's answers over the local socket: any JSON, and answers with something changed.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  parseConflicts,
  parseEmptyTrash,
  parseIgnoreReport,
  parseRestoreOutcomes,
  parseStatus,
  parseTrashItems,
} from "../../src/cli/local-messages.ts";
import { ShapeError, type Shape } from "../../src/cli/shape.ts";
import { fuzz } from "../support/fuzz.ts";
import { mutatedText } from "../support/mutations.ts";

const STATUS = {
  running: true,
  folder: "/home/x",
  share: "default",
  name: null,
  port: 9000,
  replicaId: "0123456789abcdef",
  peerId: null,
  merkleRoot: "00",
  inSync: false,
  peers: [
    {
      id: "01",
      name: "laptop",
      address: "10.0.0.1:9000",
      inSync: true,
      pending: { files: 1, bytes: 2 },
      verification: "a b",
    },
  ],
  pending: { files: 0, bytes: 0 },
  outgoing: { files: 0, bytes: 0 },
  failed: [{ path: "a", reason: "no" }],
  conflicts: 1,
  halted: null,
  entries: 3,
  traffic: { sentBytes: 1, receivedBytes: 2 },
  refused: [{ address: "10.0.0.2", reason: "version" }],
};

/** A parser with a reply that it takes as it is. */
const REPLIES: Readonly<Record<string, { readonly parse: Shape<unknown>; readonly valid: unknown }>> = {
  status: { parse: parseStatus, valid: STATUS },
  conflicts: {
    parse: parseConflicts,
    valid: [{ path: "a.conflict-x", original: "a", author: "x", time: "2026-01-01T00:00:00Z", size: 1 }],
  },
  "trash list": {
    parse: parseTrashItems,
    valid: [{ item: "1/a", path: "a", time: "2026-01-01T00:00:00Z", kind: "file", size: 1 }],
  },
  "trash restore": {
    parse: parseRestoreOutcomes,
    valid: [
      { item: "1/a", path: "a", restored: true },
      { item: "1/b", reason: "gone", restored: false },
    ],
  },
  "trash empty": { parse: parseEmptyTrash, valid: { files: 1, bytes: 2, failed: [{ path: "a", reason: "no" }] } },
  "ignore test": {
    parse: parseIgnoreReport,
    valid: { path: "a", ignored: true, rule: { pattern: "*.a", source: ".dsyncignore", line: null } },
  },
};

/** What JSON can say, or nothing. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

for (const [name, { parse, valid }] of Object.entries(REPLIES)) {
  test(`replies to ${name}`, () => {
    assert.deepEqual(parse(valid), valid);
    const changed = mutatedText(fc.constant(JSON.stringify(valid))).map(fromJson);
    fuzz(fc.oneof(changed, fc.anything(), fc.jsonValue()), (value) => {
      let reply: unknown;
      try {
        reply = parse(value);
      } catch (error) {
        assert.ok(error instanceof ShapeError, String(error));
        return;
      }
      // What was taken is whole: it is taken once more, and is the same.
      assert.deepEqual(parse(reply), reply);
    });
  });
}
