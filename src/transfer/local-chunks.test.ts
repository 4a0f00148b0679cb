import assert from "node:assert/strict";
import { test } from "node:test";
import { contentIdOf, pathOf } from "../../test/support/replica-world.ts";
import type { ContentHash } from "../core/ids.ts";
import type { ChunkLocation, ContentLocation } from "../index/index-store.ts";
import { LocalChunks } from "./local-chunks.ts";

const [OLD, TRASHED, GONE] = [contentIdOf(1), contentIdOf(2), contentIdOf(3)];

const PLACES: ReadonlyMap<ContentHash, readonly ContentLocation[]> = new Map([
  [
    OLD,
    [
      { kind: "tree", path: pathOf("image") },
      { kind: "tree", path: pathOf("copy") },
    ],
  ],
  [TRASHED, [{ kind: "trash", diskPath: ".dsync/trash/1/image" }]],
]);

const CHUNKS: ReadonlyMap<ContentHash, ChunkLocation> = new Map([
  [contentIdOf(11), { contentId: OLD, offset: 0 }],
  [contentIdOf(12), { contentId: OLD, offset: 500 }],
  [contentIdOf(13), { contentId: TRASHED, offset: 7 }],
  [contentIdOf(14), { contentId: GONE, offset: 9 }],
]);

test("chunks are found in the content that the index names, wherever that is on the disk", () => {
  const lookedUp: ContentHash[] = [];
  const store = {
    chunkLocation: (chunk: ContentHash) => CHUNKS.get(chunk),
    locationsOf: (contentId: ContentHash) => {
      lookedUp.push(contentId);
      return PLACES.get(contentId) ?? [];
    },
  };
  const chunks = new LocalChunks(store, (path) => `disk/${path}`);
  const found = [11, 12, 13, 12, 14, 14, 15, 11].map((index) => {
    const source = chunks.find(contentIdOf(index));
    return source === undefined ? undefined : `${source.diskPath} ${source.offset}`;
  });
  const inTrash = ".dsync/trash/1/image 7";
  assert.deepEqual(
    found,
    ["disk/image 0", "disk/image 500", inTrash, "disk/image 500", undefined, undefined, undefined, "disk/image 0"],
    "first place of each content",
  );
  assert.deepEqual(lookedUp, [OLD, TRASHED, OLD, GONE, OLD], "a content once as long as no other one comes between");
});
