// What a peer may say at most, all of it legal, and one more of each, which is not.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentHash } from "../../src/content/blake3.ts";
import {
  BUCKET_ENTRIES_MAX,
  ENTRIES_PER_MESSAGE_MAX,
  FETCH_ITEMS_MAX,
  FILE_NAME_BYTES_MAX,
  FILE_SIZE_BYTES_MAX,
  NAME_BYTES_MAX,
  PATH_BYTES_MAX,
  SYMLINK_TARGET_BYTES_MAX,
  VECTOR_ITEMS_MAX,
} from "../../src/core/limits.ts";
import type { Content } from "../../src/index/entry.ts";
import type { Announcement, FetchItem, Message } from "../../src/pool/messages.ts";
import { announcement, fileAt, fileContent, pathOf, replicaNumber } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const FINGERPRINT_BYTES = 16;
const CONTENT_ID = contentHash(Buffer.from("never to be had"));
const LONGEST_NAME = "n".repeat(FILE_NAME_BYTES_MAX);

function file(fields: Partial<Extract<Content, { kind: "file" }>>): Content {
  return { kind: "file", contentId: CONTENT_ID, size: 1, mode: 0o644, mtimeUs: 0, ...fields };
}

function symlink(targetBytes: number): Announcement {
  return announcement("link", { kind: "symlink", target: "t".repeat(targetBytes) });
}

/** A path of `bytes` bytes that no other number has, of names that every disk takes; all are in the same directory. */
function longPath(number: number, bytes: number): string {
  const name = String(number).padStart(8, "0");
  const directories = `${"x".repeat(199)}/`.repeat(Math.ceil(bytes / 200)).slice(0, bytes - name.length - 1);
  return `${directories.replace(/\/$/, "x")}/${name}`;
}

function many(count: number, pathBytes: number): Message {
  const entries = Array.from({ length: count }, (_, index) => announcement(longPath(index, pathBytes), file({})));
  return { type: "entries", entries };
}

function fetch(items: number): Message {
  const hash = contentHash(Buffer.from("mine"));
  const item: FetchItem = { path: pathOf("mine.txt"), contentId: hash, offset: 0, length: 4, hash };
  return { type: "fetch", id: 1, items: Array.from({ length: items }, () => item) };
}

function want(hashes: number): Message {
  return { type: "want", prefixes: [], hashes: Buffer.alloc(FINGERPRINT_BYTES * hashes) };
}

function summary(entries: number): Message {
  return { type: "summary", prefix: [1, 2], items: Buffer.alloc(2 * FINGERPRINT_BYTES * entries) };
}

function vector(items: number): Message {
  const seen = Array.from({ length: items - 1 }, (_, index) => [replicaNumber(10 + index), 1] as const);
  return { type: "entries", entries: [announcement("vector", file({}), { seen })] };
}

test("the largest of everything is taken, and others are served", async (t) => {
  const victim = await startVictim(t);
  const peer = await HostilePeer.join(victim.port, { name: "m".repeat(NAME_BYTES_MAX) });
  const data = await peer.openData();
  peer.announce([
    announcement("mtime first", file({ mtimeUs: Number.MIN_SAFE_INTEGER })),
    announcement("mtime last", file({ mtimeUs: Number.MAX_SAFE_INTEGER })),
    announcement("mode", file({ mode: 0o7777 })),
    symlink(SYMLINK_TARGET_BYTES_MAX),
    fileAt(LONGEST_NAME, "content", { author: "a".repeat(NAME_BYTES_MAX) }),
  ]);
  peer.send(vector(VECTOR_ITEMS_MAX));
  peer.send(many(ENTRIES_PER_MESSAGE_MAX, PATH_BYTES_MAX));
  peer.send(want(BUCKET_ENTRIES_MAX));
  peer.send(summary(BUCKET_ENTRIES_MAX));
  data.send(fetch(FETCH_ITEMS_MAX));
  await waitFor(() => fs.existsSync(join(victim.folder, LONGEST_NAME)), { until: "the longest name" });
  const { instance } = victim.machine;
  await waitFor(async () => (await instance.status()).entries >= ENTRIES_PER_MESSAGE_MAX, { until: "the entries" });
  const chunks = (): number => data.received.filter(({ type }) => type === "chunk").length;
  await waitFor(() => chunks() === FETCH_ITEMS_MAX, { until: "the answers" });
  assert.equal(peer.close, undefined);
  await victim.assertUnharmed();
  peer.destroy();
});

const TOO_MUCH: Readonly<Record<string, Message>> = {
  "a file that is larger": {
    type: "entries",
    entries: [announcement("size", file({ size: FILE_SIZE_BYTES_MAX + 1 }))],
  },
  "a time before the first": {
    type: "entries",
    entries: [announcement("mtime", file({ mtimeUs: Number.MIN_SAFE_INTEGER - 1 }))],
  },
  "a time after the last": {
    type: "entries",
    entries: [announcement("mtime", file({ mtimeUs: Number.MAX_SAFE_INTEGER + 1 }))],
  },
  "a longer target": { type: "entries", entries: [symlink(SYMLINK_TARGET_BYTES_MAX + 1)] },
  "a longer author": {
    type: "entries",
    entries: [announcement("author", fileContent("a"), { author: "a".repeat(NAME_BYTES_MAX + 1) })],
  },
  "a longer path": many(1, PATH_BYTES_MAX + 1),
  "a longer vector": vector(VECTOR_ITEMS_MAX + 1),
  "one more entry": many(ENTRIES_PER_MESSAGE_MAX + 1, 20),
  "one more wanted entry": want(BUCKET_ENTRIES_MAX + 1),
  "one more entry of a bucket": summary(BUCKET_ENTRIES_MAX + 1),
};

test("one more than the largest breaks the protocol", async (t) => {
  const victim = await startVictim(t);
  for (const [name, message] of Object.entries(TOO_MUCH)) {
    const peer = await HostilePeer.join(victim.port);
    peer.send(message);
    assert.equal((await peer.closed()).code, "protocol-error", name);
  }
  const control = await HostilePeer.join(victim.port);
  const data = await control.openData();
  data.send(fetch(FETCH_ITEMS_MAX + 1));
  assert.equal((await data.closed()).code, "protocol-error", "one more item of a fetch");
  await victim.assertUnharmed();
});

test("two files of the largest size keep no honest peer away", async (t) => {
  const victim = await startVictim(t);
  const peer = await HostilePeer.join(victim.port);
  peer.announce(["one", "two"].map((name) => announcement(name, file({ size: FILE_SIZE_BYTES_MAX }))));
  const { instance } = victim.machine;
  await waitFor(async () => (await instance.status()).entries >= 3, { until: "the entries" });
  peer.destroy();
  await victim.assertUnharmed();
});
