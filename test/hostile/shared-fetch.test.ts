// A peer that says it fetches the same large file and has got chunks of it, and then has none, or says so endlessly.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { contentHash } from "../../src/content/blake3.ts";
import { contentIdOf, encodeManifest, parseManifest } from "../../src/content/manifest.ts";
import { CHUNK_SIZE_BYTES_MAX, HAVE_CHUNKS_MAX } from "../../src/core/limits.ts";
import type { FetchMessage, Message } from "../../src/pool/messages.ts";
import { announcement } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { incompressible } from "../support/trees.ts";
import { startVictim, type Victim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const CHUNKS = 16;
const BYTES = incompressible(CHUNKS * CHUNK_SIZE_BYTES_MAX, 3);
const MANIFEST = encodeManifest(
  Array.from({ length: CHUNKS }, (_, index) => chunkAt(index * CHUNK_SIZE_BYTES_MAX)).map((bytes) => ({
    hash: contentHash(bytes),
    length: bytes.length,
  })),
);
const CONTENT_ID = contentIdOf(parseManifest(MANIFEST) ?? assert.fail());
const ENTRY = announcement("large", {
  kind: "file",
  contentId: CONTENT_ID,
  size: BYTES.length,
  mode: 0o644,
  mtimeUs: 0,
});
const ALL = Array.from({ length: CHUNKS }, (_, index) => index);
const FLOOD = 2_000;

function chunkAt(offset: number): Buffer {
  return BYTES.subarray(offset, offset + CHUNK_SIZE_BYTES_MAX);
}

function answer(data: HostilePeer, request: FetchMessage, isThere: boolean): void {
  for (const [index, { offset }] of request.items.entries()) {
    const payload = isThere ? chunkAt(offset) : new Uint8Array(0);
    const encoding = isThere ? "raw" : "gone";
    data.send({ type: "chunk", id: request.id, index, encoding, length: payload.length, payload });
  }
}

/**
 * An honest peer that has the file, and answers no request for a chunk before it is told to; and one that says it lacks
 * it and fetches it as well.
 */
async function attack(t: TestContext, onLiarAsked: (request: FetchMessage, data: HostilePeer) => void) {
  const victim = await startVictim(t);
  const liar = await HostilePeer.join(victim.port);
  const liarData = await liar.openData();
  liarData.onMessage((message) => {
    if (message.type === "fetch") onLiarAsked(message, liarData);
  });
  const holder = await HostilePeer.join(victim.port, { name: "honest" });
  const data = await holder.openData();
  const waiting: FetchMessage[] = [];
  let isOpen = false;
  data.onMessage((message: Message) => {
    if (message.type === "fetch-manifest") data.send({ type: "manifest", id: message.id, manifest: MANIFEST });
    if (message.type !== "fetch") return;
    if (isOpen) answer(data, message, true);
    else waiting.push(message);
  });
  liar.announce([{ ...ENTRY, held: false }]);
  holder.announce([ENTRY]);
  await waitFor(() => waiting.length > 0, { until: "a request for chunks" });
  const open = (): void => {
    isOpen = true;
    for (const request of waiting.splice(0)) answer(data, request, true);
  };
  return { victim, liar, open };
}

async function assertComplete(victim: Victim): Promise<void> {
  const file = join(victim.folder, "large");
  await waitFor(() => fs.existsSync(file), { until: "the file" });
  assert.ok(fs.readFileSync(file).equals(BYTES));
  await victim.assertUnharmed();
}

test("chunks that a peer says it has got, and has not, come from who has them", async (t) => {
  let asked = 0;
  const { victim, liar, open } = await attack(t, (request, data) => {
    asked++;
    answer(data, request, false);
  });
  liar.send({ type: "fetching", contentIds: [CONTENT_ID] });
  liar.send({ type: "have", contentId: CONTENT_ID, chunks: ALL });
  await waitFor(() => asked > 0, { until: "the liar is asked" });
  open();
  await assertComplete(victim);
  assert.ok(asked <= CHUNKS, `asked ${asked} times`);
});

test("a peer that says it has chunks, and does not answer, is not waited for", async (t) => {
  let asked = 0;
  const { victim, liar, open } = await attack(t, () => asked++);
  liar.send({ type: "fetching", contentIds: [CONTENT_ID] });
  liar.send({ type: "have", contentId: CONTENT_ID, chunks: ALL });
  await waitFor(() => asked > 0, { until: "the liar is asked" });
  open();
  await assertComplete(victim);
});

test("who says again and again that it fetches, and has what there is not, costs next to nothing", async (t) => {
  const { victim, liar, open } = await attack(t, () => {});
  const before = victim.memoryBytes();
  const beyond = Array.from({ length: HAVE_CHUNKS_MAX }, (_, index) => CHUNKS + index);
  for (let round = 0; round < FLOOD; round++) {
    const isOpen = liar.send({ type: "fetching", contentIds: round % 2 === 0 ? [CONTENT_ID] : [] });
    liar.send({ type: "have", contentId: CONTENT_ID, chunks: beyond });
    if (!isOpen) await liar.drained();
  }
  open();
  await assertComplete(victim);
  const told = liar.received.filter(({ type }) => type === "have" || type === "fetching").length;
  assert.ok(told < 100, `${told} messages for ${FLOOD}`);
  assert.ok(victim.memoryBytes() - before < 150e6, `${(victim.memoryBytes() - before) / 1e6} MB`);
});

test("a peer that answers nothing that it is asked for keeps nobody from what others have", async (t) => {
  const victim = await startVictim(t);
  const silent = await HostilePeer.join(victim.port);
  await silent.openData();
  silent.announce([ENTRY]);
  await waitFor(() => silent.hasEnded || silent.received.some(({ type }) => type === "stand"), { until: "a word" });
  const holder = await HostilePeer.join(victim.port, { name: "honest" });
  const data = await holder.openData();
  data.onMessage((message) => {
    if (message.type === "fetch-manifest") data.send({ type: "manifest", id: message.id, manifest: MANIFEST });
    if (message.type === "fetch") answer(data, message, true);
  });
  holder.announce([ENTRY]);
  await assertComplete(victim);
});
