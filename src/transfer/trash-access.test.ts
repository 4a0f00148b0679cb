import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { TRASH_PAGE_ITEMS } from "../core/limits.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { trashAccess, type TrashAccess } from "./trash-access.ts";

const BATCH = "2026-01-02T03-04-05.678Z";
let root = "";
let trash: TrashAccess;

beforeEach(() => {
  root = temporaryDirectory();
  for (const directory of ["staging", "trash"]) fs.mkdirSync(join(root, ".dsync", directory), { recursive: true });
  trash = trashAccess(
    createInProcessRunner({ context: { fs: nodeFileSystem, blake3: loadBlake3({ portable: false }) } }),
    root,
  );
});
afterEach(() => removeDirectory(root));

test("a list of several pages is whole and in order", async () => {
  const count = 2 * TRASH_PAGE_ITEMS + 1;
  const names = Array.from({ length: count }, (_, index) => `f${String(index).padStart(5, "0")}`);
  writeFiles(root, Object.fromEntries(names.map((name) => [`.dsync/trash/${BATCH}/${name}`, ""])));
  assert.deepEqual(
    (await trash.list()).map(({ path }) => path),
    names,
  );
});

test("a tree comes back whole, what is not there is said, and the rest can be emptied", async () => {
  const files = { "dir/a": "1", "dir/sub/b": "2", "dir/sub/new\nline": "3", other: "4" };
  writeFiles(
    root,
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`.dsync/trash/${BATCH}/${path}`, text])),
  );
  const outcomes = await trash.restore(["dir", "nothing"]);
  assert.equal(outcomes.filter(({ restored }) => restored).length, 3);
  assert.deepEqual(outcomes.at(-1), { item: "nothing", restored: false, reason: "It is not in the trash." });
  for (const [path, text] of Object.entries(files).slice(0, 3)) {
    assert.equal(fs.readFileSync(join(root, path), "utf8"), text);
  }
  assert.deepEqual(await trash.empty(), { files: 1, bytes: 1, failed: [] });
  assert.deepEqual(await trash.list(), []);
  assert.deepEqual(fs.readdirSync(join(root, ".dsync/trash")), []);
});
