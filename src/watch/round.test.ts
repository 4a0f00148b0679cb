import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { RelativePath } from "../core/path.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import type { PathRecord } from "../index/entry.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { emptyRecord } from "../index/settle.ts";
import { parseIgnoreRules } from "./ignore-rules.ts";
import type { RoundContext } from "./round-context.ts";
import { runRound } from "./round.ts";
import { Spelling } from "./spelling.ts";
import { suspect } from "./suspects.ts";
import { Vanished } from "./vanished.ts";

const NOTES = pathOf("notes.txt");
const blake3 = loadBlake3({ portable: false });

/** A round on a disk with nothing on it, and an index that says otherwise. */
function emptyDisk(): { readonly context: RoundContext; readonly record: PathRecord; readonly again: RelativePath[] } {
  const store = createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) });
  const dot = { replica: replicaIdOf(0), counter: 1 };
  const content = { kind: "file", contentId: contentIdOf(1), size: 5, mode: 0o644, mtimeUs: 0 } as const;
  const known = { seen: [[dot.replica, 1]], live: { dot, stamp: 1, author: "here", content } } as const;
  const signature = { kind: "file", size: 5, mode: 0o644, mtimeNs: 1n, ctimeNs: 1n, inode: 9n } as const;
  const record: PathRecord = { ...emptyRecord(NOTES), known, present: known, signature };
  store.put(record);
  const disk = new MemoryDisk(() => 0n);
  const fs = createMemoryFileSystem(disk);
  for (const path of ["/f", "/f/.dsync"]) fs.makeDirectory(path, 0o755);
  const [root, marker] = ["/f", "/f/.dsync"].map((path) => fs.lstat(path));
  assert.ok(root !== undefined && marker !== undefined);
  const again: RelativePath[] = [];
  const context: RoundContext = {
    store,
    jobs: createInProcessRunner({ context: { fs, blake3 } }),
    identity: { root: "/f", device: root.device, inode: root.inode, markerInode: marker.inode },
    spelling: new Spelling(store),
    ignore: () => parseIgnoreRules([]),
    isBusy: () => false,
    inlineBytesMax: 0,
    keepsModes: true,
    nowMs: () => 0,
    pause: () => Promise.resolve(),
    vanished: new Vanished(),
    claim: () => true,
    retry: () => {},
    retryAfter: () => {},
    walkLater: () => {},
    isAlone: () => false,
    lookAgainAtOnce: () => {},
    lookAgain: (path) => again.push(path),
    onProblem: () => {},
    onDirectory: () => {},
    secondSpellings: () => [],
    onSolved: () => {},
    onOverflow: () => {},
    defer: () => false,
    deliver: async (build) => void build(),
  };
  return { context, record, again };
}

test("what is gone is looked at again, also if its second look was waited for already: it may have found no room", async () => {
  const { context, record, again } = emptyDisk();
  await runRound(context, [suspect(NOTES)]);
  assert.deepEqual(again, [NOTES]);
  assert.ok(context.vanished.has(record.path));
  await runRound(context, [suspect(NOTES)]);
  assert.deepEqual(again, [NOTES, NOTES]);
});
