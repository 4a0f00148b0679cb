// A peer that announces content and then serves something else: wrong bytes, wrong lengths, wrong manifests.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import lz4 from "lz4-napi";
import { contentHash } from "../../src/content/blake3.ts";
import { contentIdOf, encodeManifest, parseManifest } from "../../src/content/manifest.ts";
import { CHUNK_SIZE_BYTES_MAX } from "../../src/core/limits.ts";
import type { ChunkMessage, FetchMessage, Message } from "../../src/pool/messages.ts";
import { announcement, fileAt } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { incompressible } from "../support/trees.ts";
import { startVictim, type Victim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const SMALL = incompressible(100_000, 1);
const LARGE = incompressible(2 * CHUNK_SIZE_BYTES_MAX, 2);
const HALVES = [LARGE.subarray(0, CHUNK_SIZE_BYTES_MAX), LARGE.subarray(CHUNK_SIZE_BYTES_MAX)] as const;
const MANIFEST = encodeManifest(HALVES.map((bytes) => ({ hash: contentHash(bytes), length: bytes.length })));
const MIB = 1024 * 1024;

type Answer = (request: Message, data: HostilePeer) => void;

/** Joins, announces `evil` and answers what is asked for on the data channel with `answer`. */
async function serve(victim: Victim, what: "small" | "large", answer: Answer) {
  const control = await HostilePeer.join(victim.port);
  const data = await control.openData();
  let requests = 0;
  data.onMessage((message) => {
    if (message.type !== "fetch" && message.type !== "fetch-manifest") return;
    requests++;
    answer(message, data);
  });
  const contentId = what === "small" ? contentHash(SMALL) : contentIdOf(manifest());
  const size = what === "small" ? SMALL.length : LARGE.length;
  control.announce([announcement("evil", { kind: "file", contentId, size, mode: 0o644, mtimeUs: 0 })]);
  await waitFor(() => requests > 0 || control.close !== undefined, { until: "a request" });
  return { control, data, requests: () => requests };
}

function manifest() {
  const parsed = parseManifest(MANIFEST);
  assert.ok(parsed);
  return parsed;
}

function chunk(request: FetchMessage, fields: Partial<ChunkMessage>): ChunkMessage {
  const length = request.items[0]?.length ?? 0;
  return { type: "chunk", id: request.id, index: 0, encoding: "raw", length, payload: SMALL, ...fields };
}

function lz4Of(bytes: Uint8Array, claimed: number): Uint8Array {
  const compressed = Buffer.from(lz4.compressSync(Buffer.from(bytes)));
  compressed.writeUInt32LE(claimed, 0);
  return compressed;
}

const BROKEN: Readonly<Record<string, (request: FetchMessage) => Message>> = {
  "a chunk that nobody asked for": (request) => chunk(request, { id: request.id + 1 }),
  "a chunk out of order": (request) => chunk(request, { index: 1 }),
  "a chunk of another length": (request) => chunk(request, { length: 99_999, payload: SMALL.subarray(1) }),
  "a manifest that nobody asked for": (request) => ({ type: "manifest", id: request.id, manifest: MANIFEST }),
};

for (const [name, reply] of Object.entries(BROKEN)) {
  test(`${name} ends the session`, async (t) => {
    const victim = await startVictim(t);
    const { control, data } = await serve(victim, "small", (request, channel) => {
      if (request.type === "fetch") channel.send(reply(request));
    });
    assert.equal((await data.closed()).code, "protocol-error");
    assert.equal((await control.closed()).code, "protocol-error");
    assert.equal(fs.existsSync(join(victim.folder, "evil")), false);
    await victim.assertUnharmed();
  });
}

const DAMAGED: Readonly<Record<string, Partial<ChunkMessage>>> = {
  "wrong bytes": { payload: incompressible(SMALL.length, 3) },
  "a chunk that inflates to more than it says": {
    encoding: "lz4",
    payload: lz4Of(Buffer.alloc(50 * MIB), SMALL.length),
  },
  "a chunk that says to inflate to 4 GiB": { encoding: "lz4", payload: lz4Of(Buffer.alloc(1000), 0xffff_ffff) },
  "compressed rubbish": { encoding: "lz4", payload: incompressible(1000, 4) },
  "nothing, compressed": { encoding: "lz4", payload: new Uint8Array(0) },
};

for (const [name, fields] of Object.entries(DAMAGED)) {
  test(`${name} never becomes a file`, async (t) => {
    const victim = await startVictim(t);
    const before = victim.memoryBytes();
    const { control, requests } = await serve(victim, "small", (request, channel) => {
      if (request.type === "fetch") channel.send(chunk(request, fields));
    });
    await victim.machine.instance.waitForEvent("problem", { where: (event) => event["path"] === "evil" });
    assert.equal(fs.existsSync(join(victim.folder, "evil")), false);
    assert.ok(requests() < 5, "it is asked again and again without a pause");
    assert.ok(victim.memoryBytes() - before < 100 * MIB);
    control.destroy();
    await victim.assertUnharmed();
  });
}

test("wrong bytes with their announcement are dropped, and fetched from somebody else", async (t) => {
  const victim = await startVictim(t);
  const { control } = await serve(victim, "small", () => {});
  const honest = fileAt("inline", "the real content");
  control.announce([{ ...honest, inline: Buffer.from("another content!") }]);
  await victim.machine.instance.waitForEvent("problem", { where: (event) => event["path"] === "inline" });
  assert.equal(fs.existsSync(join(victim.folder, "inline")), false);
  await victim.assertUnharmed();
  control.destroy();
});

test("a manifest that does not hash to its content ID ends the session", async (t) => {
  const victim = await startVictim(t);
  const wrong = Buffer.from(MANIFEST);
  wrong[0] = (wrong[0] ?? 0) ^ 1;
  const { control } = await serve(victim, "large", (request, channel) => {
    if (request.type === "fetch-manifest") channel.send({ type: "manifest", id: request.id, manifest: wrong });
  });
  assert.equal((await control.closed()).code, "protocol-error");
  await victim.assertUnharmed();
});

test("a wrong chunk of a large file ends the session, and is not used", async (t) => {
  const victim = await startVictim(t);
  const { control } = await serve(victim, "large", (request, channel) => {
    if (request.type === "fetch-manifest") channel.send({ type: "manifest", id: request.id, manifest: MANIFEST });
    if (request.type !== "fetch") return;
    for (const [index, item] of request.items.entries()) {
      channel.send(chunk(request, { index, length: item.length, payload: incompressible(item.length, 9) }));
    }
  });
  assert.equal((await control.closed()).code, "protocol-error");
  assert.equal(fs.existsSync(join(victim.folder, "evil")), false);
  await victim.assertUnharmed();
});

test("who sends wrong bytes for small files keeps nobody from what others have", async (t) => {
  const victim = await startVictim(t);
  const liar = await HostilePeer.join(victim.port);
  const data = await liar.openData();
  data.onMessage((message) => {
    if (message.type !== "fetch") return;
    for (const [index, { length }] of message.items.entries()) {
      data.send({ type: "chunk", id: message.id, index, encoding: "raw", length, payload: Buffer.alloc(length) });
    }
  });
  // An honest peer that joined later has a small file, and announces it without its content.
  const holder = await HostilePeer.join(victim.port, { name: "honest" });
  const held = await holder.openData();
  held.onMessage((message) => {
    if (message.type !== "fetch") return;
    for (const [index, item] of message.items.entries()) {
      held.send({ type: "chunk", id: message.id, index, encoding: "raw", length: item.length, payload: SMALL });
    }
  });
  holder.announce([
    announcement("small", { kind: "file", contentId: contentHash(SMALL), size: SMALL.length, mode: 0o644, mtimeUs: 0 }),
  ]);
  await waitFor(() => fs.existsSync(join(victim.folder, "small")), { until: "the file" });
  liar.destroy();
  holder.destroy();
});
