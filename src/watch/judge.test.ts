import assert from "node:assert/strict";
import { test } from "node:test";
import { HASHED_PER_MS_BYTES_MAX, LARGE_FILE_BYTES, LARGE_FILE_PAUSE_MS, LARGE_FILE_QUIET_MS } from "../core/limits.ts";
import type { PathRecord, StatSignature } from "../index/entry.ts";
import { contentId, fileEntry, path } from "../index/store-contract.ts";
import { fileContent, observationOf, quietDelayMs, readDelayMs } from "./judge.ts";

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

test("reading a large file takes part of the time in which it gets quiet, and never begins right after a change", () => {
  const changedMs = 1_000_000;
  const ofSize = (size: number): StatSignature => ({ ...KEPT, size, ctimeNs: BigInt(changedMs) * 1_000_000n });
  const delays = (size: number, afterMs: number): readonly number[] =>
    [readDelayMs, quietDelayMs].map((delay) => delay(ofSize(size), changedMs + afterMs));
  assert.deepEqual(delays(LARGE_FILE_BYTES, 0), [0, 0]);
  const readIn100Ms = LARGE_FILE_BYTES + 100 * HASHED_PER_MS_BYTES_MAX;
  assert.deepEqual(delays(readIn100Ms, 0), [LARGE_FILE_QUIET_MS - 100, LARGE_FILE_QUIET_MS]);
  assert.deepEqual(delays(readIn100Ms, LARGE_FILE_QUIET_MS - 90), [0, 90]);
  assert.deepEqual(delays(readIn100Ms, LARGE_FILE_QUIET_MS), [0, 0]);
  assert.deepEqual(delays(1_000 * readIn100Ms, 0), [LARGE_FILE_PAUSE_MS, LARGE_FILE_QUIET_MS]);
  // The clock was set back: nobody knows when it changed.
  assert.deepEqual(delays(readIn100Ms, -1), [0, 0]);
});
