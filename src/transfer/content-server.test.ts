import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { FakeChannel } from "../../test/support/fake-channel.ts";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { encodeManifest } from "../content/manifest.ts";
import { contentHashFromBytes } from "../core/ids.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import type { JobRunner } from "../edge/jobs.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { settled } from "../index/store-contract.ts";
import type { FetchItem, Message } from "../pool/messages.ts";
import { ContentServer } from "./content-server.ts";

const MIB = 1024 * 1024;
const blake3 = loadBlake3({ portable: false });

/** Takes its messages' bytes as they are when they are sent. */
class CopyingChannel extends FakeChannel {
  override send(message: Message): void {
    super.send(message.type === "chunk" ? { ...message, payload: message.payload.slice() } : message);
  }
}

test("a long request is read into two pieces of memory in turn, and every chunk is what was asked for", async () => {
  const disk = new MemoryDisk(() => 1_700_000_000_000_000_000n);
  const fs = createMemoryFileSystem(disk);
  fs.makeDirectory("/f", 0o755);
  const descriptor = fs.createFile("/f/big", 0o644);
  const items = Array.from({ length: 12 }, (_, index): FetchItem => {
    const bytes = randomFillSync(new Uint8Array(MIB - index));
    const offset = index * MIB;
    fs.write(descriptor, bytes, offset);
    const hash = contentHashFromBytes(blake3.hash(bytes));
    return { path: pathOf("big"), contentId: hash, offset, length: bytes.length, hash };
  });
  fs.close(descriptor);

  const used = new Set<unknown>();
  const jobs = createInProcessRunner({ context: { fs, blake3 } });
  const watched: JobRunner = {
    run(name, request) {
      if ("memory" in request) used.add(request.memory);
      return jobs.run(name, request);
    },
    close: () => jobs.close(),
  };
  const channel = new CopyingChannel();
  const answer = new ContentServer({
    store: createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) }),
    jobs: watched,
    root: "/f",
    toDisk: (path) => path,
    isStaged: () => false,
    onStale: (path) => assert.fail(`${path} is stale`),
  }).serve(channel);
  answer({ type: "fetch", id: 1, items });
  while (channel.sent.length < items.length) await nextTurn();

  for (const [index, message] of channel.sent.entries()) {
    assert.ok(message.type === "chunk" && message.index === index && message.encoding === "raw");
    assert.equal(contentHashFromBytes(blake3.hash(message.payload)), items[index]?.hash);
  }
  assert.equal(used.size, 2);
});

test("a job that is lost ends the channel, and nothing else", async () => {
  const jobs: JobRunner = { run: () => Promise.reject(new Error("dsync is stopping")), close: () => Promise.resolve() };
  const channel = new FakeChannel();
  const hash = contentHashFromBytes(blake3.hash(new Uint8Array(1)));
  const answer = new ContentServer({
    store: createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) }),
    jobs,
    root: "/f",
    toDisk: (path) => path,
    isStaged: () => false,
    onStale: (path) => assert.fail(`${path} is stale`),
  }).serve(channel);
  // Two at once: what the second one needs is read already, and nobody waits for it any more.
  const items = [{ path: pathOf("a"), contentId: hash, offset: 0, length: 1, hash }];
  answer({ type: "fetch", id: 1, items });
  answer({ type: "fetch", id: 2, items });
  assert.equal((await channel.ended).code, "overload");
  await nextTurn();
});

test("the manifest of a content of one chunk is to be had wherever the content is", async () => {
  const store = createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) });
  const held = settled("held", 1, "content");
  store.put(held);
  const content = held.present.live?.content;
  assert.ok(content?.kind === "file");
  const channel = new FakeChannel();
  const answer = new ContentServer({
    store,
    jobs: { run: () => Promise.reject(new Error("no job is needed")), close: () => Promise.resolve() },
    root: "/f",
    toDisk: (path) => path,
    isStaged: () => false,
    onStale: (path) => assert.fail(`${path} is stale`),
  }).serve(channel);
  const { contentId, size } = content;
  const other = contentHashFromBytes(blake3.hash(new Uint8Array(1)));
  for (const [id, asked] of [contentId, contentId, other].entries()) {
    answer({ type: "fetch-manifest", id, path: pathOf(id === 0 ? "held" : "elsewhere"), contentId: asked, from: 0 });
  }
  while (channel.sent.length < 3) await nextTurn();
  const manifest = encodeManifest([{ hash: contentId, length: size }]);
  assert.deepEqual(
    channel.sent.map((message) => (message.type === "manifest" ? message.manifest : message)),
    [manifest, manifest, undefined],
  );
});
