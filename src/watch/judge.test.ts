import assert from "node:assert/strict";
import { test } from "node:test";
import type { PathRecord, StatSignature } from "../index/entry.ts";
import { contentId, fileEntry, path } from "../index/store-contract.ts";
import { fileContent, observationOf } from "./judge.ts";

const NOTES = path("notes.txt");
/** What the disk makes of the time -5 µs. */
const KEPT: StatSignature = { kind: "file", size: 1, mode: 0o644, mtimeNs: -2_000_000_000n, ctimeNs: 0n, inode: 7n };

const known = fileEntry({ counter: 1 });
const record: PathRecord = { path: NOTES, known, present: known, signature: KEPT, residue: false };

function seen(id: number, signature: StatSignature): Parameters<typeof observationOf>[1] {
  const content = fileContent(contentId(id), signature);
  return { path: NOTES, content, signature, manifest: undefined, inline: undefined, movedFrom: undefined };
}

test("a disk that keeps coarse times makes no edit of that", () => {
  const chmodded = { ...KEPT, ctimeNs: 5n };
  assert.deepEqual(observationOf(record, seen(1, chmodded)), { kind: "touched", path: NOTES, signature: chmodded });
  const observation = observationOf(record, seen(1, { ...chmodded, mode: 0o600 }));
  assert.ok(observation?.kind === "present");
  assert.deepEqual(observation.content, { ...known.live?.content, mode: 0o600 });
});

test("nor does it of what could not be looked at when it was put there (simulation, seeds 12604502 and 12703929)", () => {
  const unseen = { ...record, signature: undefined };
  assert.deepEqual(observationOf(unseen, seen(1, KEPT)), { kind: "touched", path: NOTES, signature: KEPT });
  const touched = observationOf(unseen, seen(1, { ...KEPT, mtimeNs: 2_000_000_000n }));
  assert.ok(touched?.kind === "present" && touched.content.kind === "file");
  assert.equal(touched.content.mtimeUs, 2_000_000);
});

test("a touch, or another content, is reported with the time that it has", () => {
  const touched = observationOf(record, seen(1, { ...KEPT, mtimeNs: 2_000_000_000n, ctimeNs: 5n }));
  assert.ok(touched?.kind === "present" && touched.content.kind === "file");
  assert.equal(touched.content.mtimeUs, 2_000_000);
  const edited = observationOf(record, seen(2, { ...KEPT, ctimeNs: 5n }));
  assert.ok(edited?.kind === "present" && edited.content.kind === "file");
  assert.equal(edited.content.mtimeUs, -2_000_000);
});
