import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeChannel, sessionOver } from "../../test/support/fake-channel.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { waitFor } from "../../test/support/wait.ts";
import { contentHash, loadBlake3 } from "../content/blake3.ts";
import { contentIdOf, encodeManifest, parseManifest } from "../content/manifest.ts";
import {
  ANSWER_PATIENCE_MS,
  ANSWER_SILENCE_MS_MAX,
  CHUNK_SIZE_BYTES_MIN,
  REQUEST_ITEMS,
  WINDOW_BYTES_PER_PEER,
  WINDOW_BYTES_PER_SMALL_FILE,
} from "../core/limits.ts";
import type { ContentHash } from "../core/ids.ts";
import type { IndexStore } from "../index/index-store.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { FetchQueue, type FetchQueueOptions } from "./fetch-queue.ts";

const blake3 = loadBlake3({ portable: false });
const BYTE = Buffer.from("x");

/** A queue to which nothing happens but what `options` allows. */
function createQueue(options: Partial<FetchQueueOptions>): FetchQueue {
  return new FetchQueue({
    ownId: new FakeChannel().peerId,
    store: createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) }),
    jobs: { run: () => assert.fail("nothing is staged"), close: () => Promise.resolve() },
    clock: new FakeClock(),
    root: "/f",
    toDisk: (path) => path,
    mayBeStaged: () => true,
    onSmall: () => assert.fail("no file is small, and none arrives"),
    onLarge: () => assert.fail("nothing is complete"),
    onProblem: (path, problem) => assert.fail(`${path}: ${problem.message}`),
    ...options,
  });
}

test("so many small files wait to be put in place that a slow disk costs little memory, and all come in the end", async () => {
  const count = 5_000;
  /** Files that have arrived, by when they are in place. */
  const placing: (() => void)[] = [];
  let arrivedCount = 0;
  let placedCount = 0;
  const queue = createQueue({
    onSmall: (arrived) => {
      arrivedCount += arrived.length;
      return new Promise((resolve) => {
        placing.push(() => {
          placedCount += arrived.length;
          resolve();
        });
      });
    },
  });
  const session = sessionOver(new FakeChannel());
  queue.addSource({ session, mayHold: () => true, noteLacking: () => assert.fail("it has everything") });
  const channel = new FakeChannel();
  const client = queue.addChannel(session, channel);
  for (let index = 0; index < count; index++) {
    queue.addSmall({ path: pathOf(`file${index}`), contentId: contentHash(BYTE), size: BYTE.length });
  }
  let answeredCount = 0;
  const answerAll = async (): Promise<void> => {
    while (answeredCount < channel.sent.length) {
      const message = channel.sent[answeredCount++];
      assert.ok(message?.type === "fetch");
      for (const [index, { length }] of message.items.entries()) {
        client.receiveChunk({ type: "chunk", id: message.id, index, encoding: "raw", length, payload: BYTE });
      }
      await turn();
    }
  };
  await answerAll();
  const waiting = arrivedCount;
  assert.ok(waiting >= REQUEST_ITEMS);
  assert.ok(waiting <= WINDOW_BYTES_PER_PEER / WINDOW_BYTES_PER_SMALL_FILE + REQUEST_ITEMS, `${waiting} wait at once`);
  await waitFor(
    () => {
      placing.shift()?.();
      void answerAll();
      return placedCount === count;
    },
    { until: "all are in place", intervalMs: 1 },
  );
});

/** Two chunks that staging may hold, or a peer. */
function largeFile(): { readonly contentId: ContentHash; readonly size: number; readonly store: IndexStore } {
  const store = createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) });
  const chunk = { hash: contentHash(BYTE), length: CHUNK_SIZE_BYTES_MIN };
  const manifest = encodeManifest([chunk, chunk]);
  const contentId = contentIdOf(parseManifest(manifest) ?? assert.fail());
  store.putManifest(contentId, manifest);
  return { contentId, size: 2 * CHUNK_SIZE_BYTES_MIN, store };
}

test("after a stop nothing more is staged, and it waits for what is under way (simulation, seed 16500378)", async () => {
  const { store, ...file } = largeFile();
  const asked: string[] = [];
  let finish = (): void => assert.fail("no job");
  const run = (name: string): Promise<never> => {
    asked.push(name);
    return new Promise((resolve) => (finish = () => resolve({ removed: 0 } as never)));
  };
  const queue = createQueue({
    store,
    jobs: { run, close: () => Promise.resolve() },
  });
  queue.addLarge({ path: pathOf("large"), ...file });
  let isStopped = false;
  const stopped = queue.stop().then(() => (isStopped = true));
  await turn();
  assert.deepEqual([asked, isStopped], [["unstage"], false]);
  finish();
  await stopped;
  await turn();
  assert.deepEqual(asked, ["unstage"]);
});

for (const lost of ["unstage", "stage"]) {
  test(`a worker that is lost with the job "${lost}" is a problem of the file`, async () => {
    const { store, ...file } = largeFile();
    const problems: string[] = [];
    const queue = createQueue({
      store,
      jobs: {
        run: (name) =>
          name === lost ? Promise.reject(new Error("it is lost")) : Promise.resolve({ removed: 0 } as never),
        close: () => Promise.resolve(),
      },
      onProblem: (path, { message }) => problems.push(`${path}: ${message}`),
    });
    queue.addLarge({ path: pathOf("large"), ...file });
    await waitFor(() => problems.length > 0, { until: "the problem" });
    await queue.stop();
    assert.deepEqual(problems, ["large: Cannot write: it is lost."]);
    assert.equal(queue.has(pathOf("large")), undefined);
  });
}

test("who says nothing for a while is not asked for what others may have, until it says something", async () => {
  const clock = new FakeClock();
  const lacking: string[] = [];
  const arrived: string[] = [];
  const queue = createQueue({
    clock,
    onSmall: async (tasks) => void arrived.push(...tasks.map(({ task }) => task.path)),
  });
  const [silent, other] = [0, 1].map(() => {
    const session = sessionOver(new FakeChannel());
    const channel = new FakeChannel();
    const noteLacking = (path: string): void => void lacking.push(path);
    queue.addSource({ session, mayHold: (path) => !lacking.includes(path), noteLacking });
    return { channel, client: queue.addChannel(session, channel) };
  });
  assert.ok(silent !== undefined && other !== undefined);
  const asked = ({ channel }: typeof silent): readonly string[] =>
    channel.sent.flatMap((message) => (message.type === "fetch" ? message.items.map(({ path }) => path) : []));
  const answer = ({ channel, client }: typeof silent, id: number): void => {
    channel.bytesReceived += BYTE.length;
    client.receiveChunk({ type: "chunk", id, index: 0, encoding: "raw", length: BYTE.length, payload: BYTE });
  };
  const add = (name: string): void =>
    queue.addSmall({ path: pathOf(name), contentId: contentHash(BYTE), size: BYTE.length });

  add("one");
  assert.deepEqual([asked(silent), asked(other)], [["one"], []]);
  await clock.run(ANSWER_PATIENCE_MS);
  assert.deepEqual([asked(silent), asked(other)], [["one"], ["one"]]);
  answer(other, 1);
  add("two");
  assert.deepEqual([asked(silent), asked(other)], [["one"], ["one", "two"]]);
  answer(other, 2);
  await clock.run(1);
  assert.deepEqual([arrived, lacking], [["one", "two"], []]);

  // Its answer is of no use by now, and it is there again.
  answer(silent, 1);
  add("three");
  assert.deepEqual(asked(silent), ["one", "three"]);
  await clock.run(1);
  assert.deepEqual(arrived, ["one", "two"]);
});

test("who alone may have something is given more time, and counts as lacking it then", async () => {
  const clock = new FakeClock();
  const lacking: string[] = [];
  const queue = createQueue({
    clock,
  });
  const session = sessionOver(new FakeChannel());
  const noteLacking = (path: string): void => void lacking.push(path);
  queue.addSource({ session, mayHold: (path) => !lacking.includes(path), noteLacking });
  queue.addChannel(session, new FakeChannel());
  queue.addSmall({ path: pathOf("one"), contentId: contentHash(BYTE), size: BYTE.length });
  await clock.run(ANSWER_SILENCE_MS_MAX - 1);
  assert.deepEqual(lacking, []);
  await clock.run(1);
  assert.deepEqual(lacking, ["one"]);
});
