import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { DsyncEvent, Progress } from "../core/events.ts";
import type { PeerId } from "../core/ids.ts";
import type { Entry } from "../index/entry.ts";
import { Ledger } from "../index/ledger.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { emptyRecord } from "../index/settle.ts";
import type { LargeFetch } from "../transfer/large-fetch.ts";
import type { Conversation } from "./conversation.ts";
import { ProgressReporter } from "./progress-reporter.ts";

interface Peer {
  isInSync: boolean;
  isComparing: boolean;
  peerStand: { readonly pendingFiles: number; readonly pendingBytes: number } | undefined;
}

/** A film of 1,000 bytes is to come, of which 300 are here; `peers` are connected. */
function world(...peers: Peer[]) {
  const blake3 = loadBlake3({ portable: true });
  const ledger = new Ledger(createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) }));
  const record = emptyRecord(pathOf("film"));
  const dot = { replica: replicaIdOf(1), counter: 1 };
  const content = { kind: "file", contentId: contentIdOf(1), size: 1_000, mode: 0o644, mtimeUs: 1 } as const;
  const known: Entry = { seen: [[dot.replica, 1]], live: { dot, stamp: 1, author: "there", content } };
  ledger.put(record, { ...record, known });
  const conversations = peers.map((peer, index) =>
    Object.assign(peer, { session: { peer: { id: `${index}` as PeerId } } }),
  );
  const clock = new FakeClock();
  const events: DsyncEvent[] = [];
  const scanner = { isQuiet: true, isScanning: false, scannedFiles: 5 };
  const fetches = [{ path: pathOf("film"), size: 1_000, bytesDone: 300 }];
  const seen = { inSync: 0 };
  const reporter = new ProgressReporter({
    ledger,
    replica: { conversations: conversations as unknown as Conversation[] },
    puller: { largeFetches: fetches as unknown as LargeFetch[] },
    scanner,
    clock,
    traffic: () => ({ sentBytes: 0, receivedBytes: 0 }),
    emit: (event) => events.push(event),
    onInSync: () => seen.inSync++,
  });
  const arrive = (): void => {
    fetches.length = 0;
    ledger.put({ ...record, known }, { ...record, known, present: known });
  };
  const progress = (): Progress[] => events.flatMap((event) => (event.kind === "progress" ? [event] : []));
  return { reporter, clock, events, scanner, seen, arrive, progress };
}

const inSync = (): Peer => ({ isInSync: true, isComparing: false, peerStand: { pendingFiles: 0, pendingBytes: 0 } });

test("it is told four times a second until everything is in sync, and that once", () => {
  const { reporter, clock, events, seen, arrive, progress } = world(inSync());
  reporter.note();
  reporter.note();
  clock.advance(250);
  assert.equal(progress().length, 1);
  // It goes on by itself.
  clock.advance(750);
  assert.deepEqual([progress().length, seen.inSync], [4, 0]);
  arrive();
  clock.advance(10_000);
  assert.deepEqual([progress().length, seen.inSync], [5, 1]);
  reporter.note();
  clock.advance(10_000);
  assert.deepEqual([progress().length, seen.inSync], [6, 2]);
  assert.deepEqual(
    events.flatMap((event) => (event.kind === "in-sync" ? [event.peers] : [])),
    [1],
  );
});

test("alone nothing is in sync with anybody, and while files are looked at nothing is", () => {
  const { reporter, clock, events, scanner, seen, arrive } = world();
  arrive();
  scanner.isQuiet = false;
  reporter.note();
  clock.advance(250);
  assert.deepEqual([reporter.isInSync, seen.inSync], [false, 0]);
  scanner.isQuiet = true;
  clock.advance(250);
  assert.deepEqual([reporter.isInSync, seen.inSync], [true, 1]);
  assert.ok(events.every(({ kind }) => kind === "progress"));
});

test("what is staged is not pending, and what peers lack is summed up", () => {
  const peers: Peer[] = [
    { isInSync: false, isComparing: true, peerStand: undefined },
    { isInSync: false, isComparing: true, peerStand: { pendingFiles: 2, pendingBytes: 10 } },
    { isInSync: false, isComparing: false, peerStand: { pendingFiles: 0, pendingBytes: 5 } },
    inSync(),
  ];
  const { reporter, clock, progress } = world(...peers);
  reporter.note();
  clock.advance(250);
  const [told] = progress();
  assert.ok(told !== undefined);
  assert.deepEqual([told.pendingFiles, told.pendingBytes], [1, 700]);
  assert.deepEqual([told.outgoingFiles, told.outgoingBytes], [2, 15]);
  assert.deepEqual(told.transfers, [{ path: "film", doneBytes: 300, sizeBytes: 1_000 }]);
  assert.deepEqual(
    told.peers.map(({ state }) => state),
    ["comparing", "pending", "pending", "in-sync"],
  );
});

test("nothing is told after the stop", () => {
  const { reporter, clock, events } = world(inSync());
  reporter.note();
  reporter.stop();
  clock.advance(250);
  reporter.note();
  clock.advance(250);
  assert.deepEqual(events, []);
});
