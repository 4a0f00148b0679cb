import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { failingAtFirst, fileOf, KilledFolder } from "../../test/support/killed-folder.ts";
import type { Content } from "../index/entry.ts";
import { findInTrash } from "./find-in-trash.ts";

const BATCH = ".dsync/trash/2026-01-02T03-04-05.678Z";

let folder: KilledFolder;
beforeEach(() => {
  folder = new KilledFolder();
});
afterEach(() => folder.dispose());

async function found(more: Parameters<KilledFolder["restart"]>[0] = {}): Promise<number> {
  return findInTrash(await folder.restart(more));
}

function placesOf(content: Content): readonly unknown[] {
  return content.kind === "file" ? [...folder.store.locationsOf(content.contentId)] : [];
}

test("what is wanted and was put in the trash right before a kill is found there (simulation, seed 14500649)", async () => {
  folder.putFile(`${BATCH}/d/a`, "content");
  folder.putFile(`${BATCH}/b`, "CONTENT");
  folder.want("copy", fileOf("content"));
  folder.want("other", fileOf("other content"));
  assert.equal(await found(), 1);
  assert.deepEqual(placesOf(fileOf("content")), [{ kind: "trash", diskPath: `${BATCH}/d/a` }]);
  assert.deepEqual(placesOf(fileOf("CONTENT")), [], "nobody wants it");
  assert.equal(await found(), 0, "it is known");
});

test("also where the index says that it is in a place that was to give it away (simulation, seed 16009560)", async () => {
  folder.putFile("given", "content");
  folder.want("given", fileOf("new"), folder.versionOf(fileOf("content")));
  folder.want("copy", fileOf("content"));
  folder.putFile(`${BATCH}/given`, "content");
  folder.putFile("given", "new");
  assert.equal(await found(), 1);
  const trash = { kind: "trash", diskPath: `${BATCH}/given` };
  assert.deepEqual(placesOf(fileOf("content")), [{ kind: "tree", path: "given" }, trash]);
});

test("it is found although it cannot be read for a moment", async () => {
  folder.putFile(`${BATCH}/a`, "content");
  folder.want("copy", fileOf("content"));
  assert.equal(await found({ disk: failingAtFirst("openForReading", "a", 2) }), 1);
});

test("nothing is looked for where nothing is wanted, no trash is, or all is known", async () => {
  folder.want("copy", fileOf("content"));
  assert.equal(await found(), 0);
  folder.putFile(`${BATCH}/a`, "content");
  assert.equal(await found({ isKilled: false }), 0);
});
