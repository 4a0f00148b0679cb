import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeChannel, sessionOver } from "../../test/support/fake-channel.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { createPuller } from "../../test/support/pulled-folder.ts";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { waitFor } from "../../test/support/wait.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { RelativePath } from "../core/path.ts";
import type { Content, Entry, PathEntry, StatSignature } from "../index/entry.ts";
import { createFingerprinter } from "../index/fingerprint.ts";
import { Ledger } from "../index/ledger.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { conflictEntry, mergeEntries } from "../index/merge.ts";
import type { RecordStore } from "../index/record-store.ts";
import { emptyRecord } from "../index/settle.ts";
import type { Observation } from "../watch/observation.ts";
import { REPAIR_DELAY_MS, REPAIR_PATIENCE_MS } from "./patient-repairs.ts";
import { Replica } from "./replica.ts";

const NOTES = pathOf("notes.txt");
const DRAFTS = pathOf("drafts");
const DIRECTORY: Content = { kind: "directory", mode: 0o755 };
const hash = (bytes: Uint8Array): Uint8Array => blake3.hash(bytes);
const blake3 = loadBlake3({ portable: false });
let store: RecordStore;
let replica: Replica;
let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
  store = createMemoryStore({ replicaId: replicaIdOf(0), hash });
  replica = new Replica({
    ledger: new Ledger(store),
    fingerprinter: createFingerprinter(hash),
    clock,
    author: "here",
    onChanged: () => {},
    onConflict: () => {},
    onStand: () => {},
    onCommitFailed: (error) => assert.fail(String(error)),
    onCommitted: () => {},
  });
});

function file(content: number, mode = 0o644): Extract<Content, { kind: "file" }> {
  return { kind: "file", contentId: contentIdOf(content), size: 5, mode, mtimeUs: content * 1_000_000 };
}

/** What a replica made that had heard of nothing. */
function made(by: number, counter: number, content: Content): Entry {
  const dot = { replica: replicaIdOf(by), counter };
  return { seen: [[dot.replica, counter]], live: { dot, stamp: counter, author: `machine ${by}`, content } };
}

function signature(inode: bigint): StatSignature {
  return { kind: "file", size: 5, mode: 0o644, mtimeNs: 1n, ctimeNs: 1n, inode };
}

/** A deleted directory, with a file in it of whose deletion nothing has arrived. */
function halfDelete(present: Entry): void {
  const gone: Entry = { seen: [[replicaIdOf(1), 2]], live: undefined };
  store.put({ ...emptyRecord(DRAFTS), known: gone, present });
  const inside = pathOf("drafts/a");
  store.put({ ...emptyRecord(inside), known: made(1, 1, file(1)) });
}

function seen(path: RelativePath, content: Content, inode: bigint): Observation {
  return {
    kind: "present",
    path,
    content,
    signature: signature(inode),
    manifest: undefined,
    inline: undefined,
    movedFrom: undefined,
  };
}

/** `ours` is on this disk and lost against `theirs`; neither it nor its copy has been put in place yet. */
function lose(ours: Entry, theirs: Entry): PathEntry {
  const { merged, conflict } = mergeEntries(ours, theirs, NOTES);
  assert.ok(conflict !== undefined && merged.live === theirs.live);
  store.put({ ...emptyRecord(NOTES), known: merged, present: ours, signature: signature(1n) });
  store.put({ ...emptyRecord(conflict.path), known: conflict.entry });
  return conflict;
}

test("a version that its person replaced by what won against it is not waited for under its conflict path", () => {
  const copy = lose(made(0, 1, file(1)), made(1, 2, file(2)));
  replica.observe([seen(NOTES, file(2), 2n)]);
  const { known, present } = store.get(NOTES) ?? emptyRecord(NOTES);
  assert.equal(present.live, known.live);
  assert.equal(store.get(copy.path)?.known.live, undefined);
});

test("a version whose content its person left is waited for", () => {
  const ours = made(0, 1, file(1));
  const copy = lose(ours, made(1, 2, file(2)));
  // Somebody else has made of it what the person here has: the same content under another mode.
  const known = made(2, 3, file(1, 0o600));
  store.put({ ...emptyRecord(NOTES), known, present: ours, signature: signature(1n) });
  replica.observe([seen(NOTES, file(1, 0o600), 1n)]);
  assert.equal(store.get(NOTES)?.present.live, known.live);
  assert.equal(store.get(copy.path)?.known.live, copy.entry.live);
});

test("a copy is not withdrawn where its content is on this disk already", () => {
  const copy = lose(made(0, 1, file(1)), made(1, 2, file(2)));
  const present = made(2, 1, file(1));
  const { merged: known } = mergeEntries(present, copy.entry, copy.path);
  store.put({ ...emptyRecord(copy.path), known, present, signature: signature(3n) });
  replica.observe([seen(NOTES, file(2), 2n)]);
  assert.equal(store.get(copy.path)?.known.live, known.live);
});

test("a copy is withdrawn when what has its content in its place is deleted, too (simulation, seed 12005151)", () => {
  const copy = lose(made(0, 1, file(1)), made(1, 2, file(2)));
  const present = made(2, 1, file(1, 0o600));
  store.put({ ...emptyRecord(copy.path), known: copy.entry, present, signature: signature(3n) });
  replica.observe([seen(NOTES, file(2), 2n)]);
  assert.equal(store.get(copy.path)?.known.live, copy.entry.live);
  replica.observe([{ kind: "absent", path: copy.path }]);
  assert.equal(store.get(copy.path)?.known.live, undefined);
});

test("a copy is not withdrawn while what would be copied to its name is here, too (simulation, seed 9102627)", () => {
  const copy = lose(made(0, 1, file(1)), made(1, 2, file(2)));
  // The person swapped it with an older conflict copy.
  const { live: older } = made(1, 1, file(2));
  assert.ok(older !== undefined);
  const { path: other } = conflictEntry(NOTES, older);
  const moved = made(0, 3, file(1));
  store.put({ ...emptyRecord(other), known: moved, present: moved, signature: signature(1n) });
  replica.observe([seen(NOTES, file(2), 2n)]);
  assert.equal(store.get(copy.path)?.known.live, copy.entry.live);
  replica.observe([seen(other, file(4), 3n)]);
  assert.equal(store.get(copy.path)?.known.live, undefined);
});

test("a copy of a copy that was withdrawn is withdrawn when it comes (simulation, seed 10704711)", () => {
  const ours = made(0, 1, file(1));
  assert.ok(ours.live !== undefined);
  store.put({ ...emptyRecord(NOTES), known: ours, present: ours, signature: signature(1n) });
  replica.observe([seen(NOTES, file(2), 1n)]);
  const peer = new FakeChannel();
  replica.join(sessionOver(peer));
  const hear = ({ path, entry }: PathEntry): void =>
    peer.receive({ type: "entries", entries: [{ path, entry, held: false, inline: undefined }] });
  // Somebody who had not heard of that made a copy of it, and somebody there changed the copy, as if it were another file.
  const copy = conflictEntry(NOTES, ours.live);
  assert.ok(copy.entry.live !== undefined);
  hear(copy);
  assert.equal(store.get(copy.path)?.known.live, undefined);
  const copyOfCopy = conflictEntry(copy.path, copy.entry.live);
  hear(copyOfCopy);
  assert.equal(store.get(copyOfCopy.path)?.known.live, undefined);
});

test("a change of a conflict copy has not seen what lost under the same name since (simulation, seed 920733)", () => {
  const loser = made(1, 2, file(1));
  assert.ok(loser.live !== undefined);
  const { path: copy } = conflictEntry(NOTES, loser.live);
  const present = made(2, 1, file(1));
  store.put({ ...emptyRecord(copy), known: present, present, signature: signature(1n) });
  store.put({ ...emptyRecord(NOTES), known: loser });
  // Both files were changed; one is read before the other.
  replica.observe([seen(NOTES, file(3), 2n)]);
  replica.observe([seen(copy, file(4), 3n)]);
  const contents = [...store.inSubtree([])].map(({ known }) => known.live?.content);
  assert.deepEqual(new Set(contents), new Set([file(1), file(3), file(4)]));
});

test("a deleted directory that is still here is not brought back before the rest of its deletion had time to arrive", async () => {
  halfDelete(made(1, 1, DIRECTORY));
  replica.repair(DRAFTS);
  assert.equal(store.get(DRAFTS)?.known.live, undefined);
  await clock.run(REPAIR_PATIENCE_MS + 1_000);
  replica.repair(DRAFTS);
  assert.equal(store.get(DRAFTS)?.known.live?.content.kind, "directory");
});

test("a directory that something waits for is brought back soon, if it has not come by then", async () => {
  halfDelete({ seen: [[replicaIdOf(1), 2]], live: undefined });
  replica.repair(pathOf("drafts/a"));
  assert.equal(store.get(DRAFTS)?.known.live, undefined);
  await clock.run(REPAIR_DELAY_MS + 100);
  replica.repair(pathOf("drafts/a"));
  assert.equal(store.get(DRAFTS)?.known.live?.content.kind, "directory");
});

test("what is heard of a path while that is put in place is stored after the outcome (simulation, seed 7104852)", async () => {
  const disk = new MemoryDisk(() => 1_700_000_000_000_000_000n);
  const fs = createMemoryFileSystem(disk);
  for (const path of ["/f", "/f/.dsync"]) fs.makeDirectory(path, 0o755);
  const peer = new FakeChannel();
  const gone: Entry = { seen: [[replicaIdOf(1), 2]], live: undefined };
  /** Whether the directory is known to be live: when its deletion was heard, and at each outcome. */
  const lives: boolean[] = [];
  const hear = (): void => {
    if (lives.length > 0 || !puller.isBusy(DRAFTS)) return;
    peer.receive({ type: "entries", entries: [{ path: DRAFTS, entry: gone, held: true, inline: undefined }] });
    lives.push(store.get(DRAFTS)?.known.live !== undefined);
  };
  // It is heard when the index is about to commit the directory, which is made right afterwards.
  store.committed = async () => queueMicrotask(hear);
  const puller = createPuller(
    { disk, store, clock },
    {
      leftIn: async () => "nothing",
      onSettled: (records) => lives.push(...records.map(({ known }) => known.live !== undefined)),
    },
  );
  replica.puller = puller;
  replica.join(sessionOver(peer));
  store.put({ ...emptyRecord(DRAFTS), known: made(1, 1, DIRECTORY) });
  puller.add(DRAFTS);
  await waitFor(() => lives.length === 3, { until: "the directory is made, and goes again", intervalMs: 1 });
  await puller.stop();
  replica.stop();
  assert.deepEqual(lives, [true, true, false]);
  assert.equal(fs.lstat("/f/drafts"), undefined);
});

test("what is seen while something else is being committed is told when it is committed, too", async () => {
  const commits: (() => void)[] = [];
  store.committed = () => new Promise((resolve) => commits.push(resolve));
  const peer = new FakeChannel();
  replica.join(sessionOver(peer));
  const told = (): readonly RelativePath[] =>
    peer.sent.flatMap((message) => (message.type === "entries" ? message.entries.map(({ path }) => path) : []));
  const seen = (path: RelativePath): Observation => ({
    kind: "present",
    path,
    content: file(1),
    signature: signature(1n),
    manifest: undefined,
    inline: undefined,
    movedFrom: undefined,
  });
  replica.observe([seen(NOTES)]);
  replica.observe([seen(DRAFTS)]);
  commits.shift()?.();
  await waitFor(() => commits.length > 0, { until: "another commit" });
  assert.deepEqual(told(), []);
  await waitFor(
    () => {
      commits.shift()?.();
      return told().length >= 2;
    },
    { until: "both are told" },
  );
  assert.deepEqual(new Set(told()), new Set([NOTES, DRAFTS]));
});

test("who compares opens a channel for content meanwhile, and who has nothing to compare does not", () => {
  for (const [root, wanted] of [
    [new Uint8Array(16).fill(7), [1]],
    [store.merkle.root(), []],
  ] as const) {
    const peer = new FakeChannel();
    const channels: number[] = [];
    const session = sessionOver(peer);
    replica.join({ ...session, isLeader: true, wantDataChannels: (count) => channels.push(count) });
    peer.receive({ type: "stand", root, pendingFiles: 0, pendingBytes: 0 });
    const questions = peer.sent.filter(({ type }) => type === "children" || type === "summary");
    assert.deepEqual([channels, questions.length], [wanted, wanted.length]);
    peer.end();
  }
});

test("a directory is told before what is in it, and once (simulation, seeds 13001184 and 13901964)", async () => {
  const paths = Array.from({ length: 20 }, (_, tree) => ["", "/d", "/d/d", "/d/d/a"].map((end) => `tree${tree}${end}`));
  for (const path of paths.flat()) {
    store.put({ ...emptyRecord(pathOf(path)), known: made(1, 1, path.endsWith("a") ? file(1) : DIRECTORY) });
  }
  const peer = new FakeChannel();
  replica.join(sessionOver(peer));
  const told = (): string[] =>
    peer.sent.flatMap((message) => (message.type === "entries" ? message.entries : [])).map(({ path }) => path);
  const prefixes = Array.from({ length: 256 }, (_, child) => [child]);
  peer.receive({ type: "want", prefixes, hashes: new Uint8Array(0) });
  await waitFor(() => peer.sent.some(({ type }) => type === "compared"), { until: "all is told", intervalMs: 1 });
  assert.deepEqual(told().toSorted(), paths.flat().toSorted());
  const isInOrder = paths.every((tree) =>
    tree.every((path, level) => told().indexOf(path) >= told().indexOf(tree[level - 1] ?? "")),
  );
  assert.ok(isInOrder, told().join(" "));
});
