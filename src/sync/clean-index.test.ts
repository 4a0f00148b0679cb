import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { ContentHash } from "../core/ids.ts";
import { CLEAN_ROWS } from "../core/limits.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import type { Entry } from "../index/entry.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import type { RecordStore } from "../index/record-store.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import { cleanIndex, type CleanIndexReport } from "./clean-index.ts";

const blake3 = loadBlake3({ portable: false });
const BATCH = ".dsync/trash/2026-01-02T03-04-05.678Z";
let root = "";
let store: RecordStore;

beforeEach(() => {
  root = temporaryDirectory();
  fs.mkdirSync(join(root, ".dsync"));
  store = createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) });
});
afterEach(() => removeDirectory(root));

function identity(): RootIdentity {
  const { dev: device, ino: inode } = fs.lstatSync(root, { bigint: true });
  return { root, device, inode, markerInode: fs.lstatSync(join(root, ".dsync"), { bigint: true }).ino };
}

function clean(
  more: { readonly identity?: RootIdentity; readonly wanted?: readonly ContentHash[]; readonly turns?: number } = {},
): Promise<CleanIndexReport> {
  let turns = more.turns ?? Infinity;
  const jobs = createInProcessRunner({ context: { fs: nodeFileSystem, blake3 } });
  const nextTurn = async (): Promise<boolean> => turns-- > 0;
  return cleanIndex({
    store,
    jobs,
    identity: more.identity ?? identity(),
    wanted: new Set(more.wanted),
    nextTurn,
  });
}

/** A file of two chunks, of which one is its own. */
function putManifest(index: number): ContentHash {
  const id = contentIdOf(index);
  const chunks = [contentIdOf(1000 + index), contentIdOf(999)];
  store.putManifest(
    id,
    Buffer.concat(chunks.map((chunk) => Buffer.concat([Buffer.from(chunk, "hex"), Buffer.alloc(4, 1)]))),
  );
  store.putChunkLocations(id);
  return id;
}

function putFile(name: string, contentId: ContentHash): void {
  const dot = { replica: replicaIdOf(0), counter: 1 };
  const content = { kind: "file", contentId, size: 1, mode: 0o644, mtimeUs: 0 } as const;
  const entry: Entry = { seen: [[dot.replica, 1]], live: { dot, stamp: 1, author: "desk", content } };
  const signature = { kind: "file", size: 1, mode: 0o644, mtimeNs: 0n, ctimeNs: 0n, inode: 1n } as const;
  store.put({ path: pathOf(name), known: entry, present: entry, signature, residue: false });
}

test("what is in the tree, in the trash or to come stays, the rest is forgotten", async () => {
  const [inTree, inTrash, wanted, replaced, emptied] = [1, 2, 3, 4, 5].map(putManifest);
  assert.ok(inTree && inTrash && wanted && replaced && emptied);
  putFile("file", inTree);
  writeFiles(root, { [`${BATCH}/kept`]: "x" });
  store.putTrashLocation(inTrash, `${BATCH}/kept`);
  store.putTrashLocation(emptied, `${BATCH}/emptied`);
  assert.deepEqual(await clean({ wanted: [wanted] }), { locations: 1, manifests: 2 });
  assert.deepEqual(new Set(store.manifestIds()), new Set([inTree, inTrash, wanted]));
  assert.deepEqual([...store.locationsOf(inTrash)], [{ kind: "trash", diskPath: `${BATCH}/kept` }]);
  assert.deepEqual([...store.locationsOf(emptied)], []);
  assert.equal(store.chunkLocation(contentIdOf(1004)), undefined);
  assert.equal(store.chunkLocation(contentIdOf(1001))?.contentId, inTree);
  assert.deepEqual(await clean({ wanted: [wanted] }), { locations: 0, manifests: 0 });
});

test("nothing is concluded from another folder", async () => {
  store.putTrashLocation(putManifest(1), `${BATCH}/a`);
  assert.deepEqual(await clean({ identity: { ...identity(), inode: 0n } }), { locations: 0, manifests: 0 });
});

test("it gives way now and then, and ends when dsync stops", async () => {
  for (let index = 0; index < 3 * CLEAN_ROWS; index++) putManifest(index);
  assert.equal((await clean({ turns: 1 })).manifests, 2 * CLEAN_ROWS);
  assert.equal((await clean()).manifests, CLEAN_ROWS);
});
