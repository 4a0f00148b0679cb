import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { failingAtFirst, fileOf, KilledFolder } from "../../test/support/killed-folder.ts";
import { pathOf } from "../../test/support/replica-world.ts";
import { EMPTY_ENTRY } from "../index/entry.ts";
import { conflictEntry } from "../index/merge.ts";
import { adoptPlaced } from "./adopt-placed.ts";

let folder: KilledFolder;
beforeEach(() => {
  folder = new KilledFolder();
});
afterEach(() => folder.dispose());

async function adopted({ keepsModes = true, ...more }: RestartOptions = {}): Promise<readonly string[]> {
  return adoptPlaced({ ...(await folder.restart(more)), toDisk: (path) => path, keepsModes });
}

type RestartOptions = Parameters<KilledFolder["restart"]>[0] & { readonly keepsModes?: boolean };

test("what was put in place and not noted is present, and marked until it is durable", async () => {
  folder.putFile("dir.txt", "content");
  fs.mkdirSync(join(folder.root, "dir"), { mode: 0o755 });
  fs.symlinkSync("target", join(folder.root, "link"));
  const file = folder.want("dir.txt", fileOf("content"));
  const directory = folder.want("dir", { kind: "directory", mode: 0o755 });
  const symlink = folder.want("link", { kind: "symlink", target: "target" });
  const missing = folder.want("missing", fileOf("content"));
  assert.deepEqual((await adopted()).toSorted(), ["dir", "dir.txt", "link"]);
  for (const [text, known] of Object.entries({ "dir.txt": file, dir: directory, link: symlink })) {
    const record = folder.store.get(pathOf(text));
    assert.deepEqual(record?.present, known);
    assert.ok(record.signature !== undefined);
  }
  assert.deepEqual([...folder.store.pending()], ["missing"]);
  assert.deepEqual(folder.store.get(pathOf("missing"))?.known, missing);
  assert.deepEqual([...folder.store.marks()].map(({ path }) => String(path)).toSorted(), ["dir", "dir.txt", "link"]);
});

for (const [what, found, options] of [
  ["other bytes of the same length and time", "CONTENT", {}],
  ["another time", "content", { mtimeS: 1_001 }],
  ["another mode", "content", { mode: 0o600 }],
] as const) {
  test(`${what}: a person's, and left to the scanner`, async () => {
    folder.putFile("a", found, options);
    folder.want("a", fileOf("content"));
    assert.deepEqual(await adopted(), []);
    assert.deepEqual(folder.store.get(pathOf("a"))?.present, EMPTY_ENTRY);
  });
}

test("what was there before is not taken for what was to come, though all of it is equal", async () => {
  folder.putFile("a", "content");
  const before = folder.versionOf(fileOf("content"));
  folder.want("a", fileOf("content"), before);
  assert.deepEqual(await adopted(), []);
  assert.deepEqual(folder.store.get(pathOf("a"))?.present, before);
});

test("what took the place of a file whose conflict copy is still to come is a person's (simulation, seed 14813190)", async () => {
  const lost = folder.versionOf(fileOf("lost"));
  assert.ok(lost.live !== undefined);
  const copy = conflictEntry(pathOf("a"), lost.live);
  const isAdopted = async (isCopyThere: boolean): Promise<boolean> => {
    const directory = folder.versionOf({ kind: "directory", mode: 0o755 });
    folder.store.put({ path: pathOf("a"), known: directory, present: lost, signature: undefined, residue: false });
    folder.store.put({
      path: copy.path,
      known: copy.entry,
      present: EMPTY_ENTRY,
      signature: undefined,
      residue: false,
    });
    if (isCopyThere) folder.putFile(copy.path, "lost");
    return (await adopted()).includes("a");
  };
  fs.mkdirSync(join(folder.root, "a"), { mode: 0o755 });
  assert.equal(await isAdopted(false), false);
  assert.equal(await isAdopted(true), true);
});

test("where a disk keeps no modes, none is compared", async () => {
  folder.putFile("a", "content", { mode: 0o755 });
  folder.want("a", fileOf("content", { mode: 0o600 }));
  assert.deepEqual(await adopted({ keepsModes: false }), ["a"]);
});

test("after a clean stop nothing is looked at: every outcome is known", async () => {
  folder.putFile("a", "content");
  folder.want("a", fileOf("content"));
  assert.deepEqual(await adopted({ isKilled: false }), []);
});

for (const call of ["lstat", "openForReading"] as const) {
  test(`${call} fails for a moment, and nothing is hidden by that (simulation, seed 14201476)`, async () => {
    folder.putFile("a", "content");
    const known = folder.want("a", fileOf("content"));
    assert.deepEqual(await adopted({ disk: failingAtFirst(call, "a", 2) }), ["a"]);
    assert.deepEqual(folder.store.get(pathOf("a"))?.present, known);
  });
}
