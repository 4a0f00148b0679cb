// A peer that asks without reading the answers, or says for ever what means nothing: the instance's memory stays bounded.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { systemRandom } from "../../src/edge/random.ts";
import { contentHash } from "../../src/content/blake3.ts";
import type { FetchItem, Message } from "../../src/pool/messages.ts";
import { announcement, entryOf, fileContent, pathOf } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { startVictim, type Victim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const MIB = 1024 * 1024;
const GROWTH_BYTES_MAX = 120 * MIB;
const SENT_BYTES_MAX = 120 * MIB;
/** Measured: 1,446 for paths of some 215 bytes, with all that is derived from a record. */
const INDEX_BYTES_PER_ENTRY_MAX = 3_000;
/** Nothing more can be sent for so long: the instance does not read. */
const BLOCKED_MS = 1_500;

/** Sends what `next` gives until the instance closes, takes no more, or has taken a lot; returns the memory it grew by. */
async function flood(victim: Victim, peer: HostilePeer, next: () => Message): Promise<number> {
  const before = victim.memoryBytes();
  let peak = before;
  for (let sent = 0; sent < SENT_BYTES_MAX && !peer.hasEnded; sent += 4 * MIB) {
    const target = peer.bytesSent + 4 * MIB;
    let isOpen = true;
    while (peer.bytesSent < target) isOpen = peer.send(next());
    // So that it is noticed if the instance has closed.
    await nextTurn();
    if (!isOpen && (await Promise.race([peer.drained(), sleep(BLOCKED_MS, "blocked")])) === "blocked") break;
    peak = Math.max(peak, victim.memoryBytes());
  }
  return Math.max(peak, victim.memoryBytes()) - before;
}

/** What the index takes on the disk: blocks, because its file may have holes. */
function indexBytes({ folder }: Victim): number {
  const directory = join(folder, ".dsync", "index");
  return fs.readdirSync(directory).reduce((sum, name) => sum + 512 * fs.statSync(join(directory, name)).blocks, 0);
}

function manyFiles(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`files/${index % 50}/${index}`, `${index}`]));
}

const FLOODS: Readonly<Record<string, () => Message>> = {
  "comparisons of children": () => ({ type: "children", prefix: [], fingerprints: systemRandom.bytes(4096) }),
  "wants of everything": () => ({
    type: "want",
    prefixes: Array.from({ length: 256 }, () => []),
    hashes: new Uint8Array(0),
  }),
  "summaries of nothing": () => ({ type: "summary", prefix: [1, 2], items: systemRandom.bytes(32 * 1000) }),
};

for (const [name, message] of Object.entries(FLOODS)) {
  test(`${name}, with no answer read`, async (t) => {
    const victim = await startVictim(t, manyFiles());
    const peer = await HostilePeer.join(victim.port);
    peer.stopReading();
    const growth = await flood(victim, peer, message);
    t.diagnostic(`${(growth / MIB).toFixed(0)} MiB more after ${(peer.bytesSent / MIB).toFixed(0)} MiB`);
    assert.ok(growth < GROWTH_BYTES_MAX, `${growth / MIB} MiB more`);
    await victim.assertUnharmed();
    peer.destroy();
  });
}

test("content is asked for, and not read", async (t) => {
  const content = "x".repeat(1_000_000);
  const victim = await startVictim(t, { "big.txt": content });
  const control = await HostilePeer.join(victim.port);
  const bytes = Buffer.from(content).subarray(0, 100_000);
  const item: FetchItem = {
    path: pathOf("big.txt"),
    contentId: contentHash(Buffer.from(content)),
    offset: 0,
    length: bytes.length,
    hash: contentHash(bytes),
  };
  const before = victim.memoryBytes();
  for (let channel = 0; channel < 4; channel++) {
    const data = await control.openData();
    data.stopReading();
    for (let id = 1; id <= 8; id++) data.send({ type: "fetch", id, items: Array.from({ length: 80 }, () => item) });
  }
  await sleep(500);
  const growth = victim.memoryBytes() - before;
  assert.ok(growth < GROWTH_BYTES_MAX, `${growth / MIB} MiB more`);
  const data = await control.openData();
  assert.equal(data.close?.code, "overload", "a fifth data channel");
  await victim.assertUnharmed();
  control.destroy();
});

test("more requests than allowed break the protocol", async (t) => {
  const victim = await startVictim(t);
  const control = await HostilePeer.join(victim.port);
  const data = await control.openData();
  const contentId = contentHash(Buffer.from("mine"));
  const item: FetchItem = { path: pathOf("mine.txt"), contentId, offset: 0, length: 4, hash: contentId };
  for (let id = 1; id <= 30; id++) data.send({ type: "fetch", id, items: [item] });
  assert.equal((await data.closed()).code, "protocol-error");
  assert.equal((await control.closed()).code, "protocol-error");
  await victim.assertUnharmed();
});

test("entries that have seen nothing break the protocol", async (t) => {
  const victim = await startVictim(t);
  const peer = await HostilePeer.join(victim.port);
  peer.announce([{ path: pathOf("a"), entry: { seen: [], live: undefined }, held: false, inline: undefined }]);
  assert.equal((await peer.closed()).code, "protocol-error");
  await victim.assertUnharmed();
});

test("an entry list without end is taken at the pace of the index", async (t) => {
  const victim = await startVictim(t);
  const peer = await HostilePeer.join(victim.port);
  let number = 0;
  const content = fileContent("never to be had");
  const next = (): Message => ({
    type: "entries",
    entries: Array.from({ length: 500 }, () => announcement(`endless/${number++}/${"x".repeat(200)}`, content)),
  });
  const before = victim.memoryBytes();
  const indexBefore = indexBytes(victim);
  for (let batch = 0; batch < 30; batch++) {
    if (!peer.send(next())) await peer.drained();
  }
  peer.announce([{ path: pathOf("last"), entry: entryOf(undefined), held: true, inline: undefined }]);
  const { instance } = victim.machine;
  await waitFor(async () => (await instance.status()).entries >= number, { until: "all to be in the index" });
  const growth = victim.memoryBytes() - before;
  t.diagnostic(`${(growth / MIB).toFixed(0)} MiB more for ${number} entries`);
  assert.ok(growth < GROWTH_BYTES_MAX, `${growth / MIB} MiB more`);
  await victim.assertUnharmed();
  peer.destroy();
  // Closed, so that all of it is in the file.
  await victim.machine.stop();
  const perEntry = Math.ceil((indexBytes(victim) - indexBefore) / number);
  t.diagnostic(`${perEntry} bytes of disk for each`);
  assert.ok(perEntry < INDEX_BYTES_PER_ENTRY_MAX, `${perEntry} bytes of disk for each entry`);
});
