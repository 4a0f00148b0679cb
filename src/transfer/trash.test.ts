import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import type { FileSystem } from "../edge/file-system.ts";
import { nodeFileSystem as fs } from "../edge/node-file-system.ts";
import { restoreFromTrash } from "./restore-trash.ts";
import { TrashBatch } from "./trash-batch.ts";
import { emptyTrash, listTrash, parseTrashBatchName, selectTrashItems, trashBatchName } from "./trash.ts";

const OLD = Date.UTC(2024, 4, 1, 10, 3, 44, 120);
const NEW = OLD + 86_400_000;
const OLD_BATCH = "2024-05-01T10-03-44.120Z";
const NEW_BATCH = "2024-05-02T10-03-44.120Z";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dsync-trash-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function trash(batch: string, path: string, content: string): void {
  put(`.dsync/trash/${batch}/${path}`, content);
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Restores what `wanted` names, as `dsync trash restore` does. */
function restore(wanted: string, on: FileSystem = fs): readonly object[] {
  return selectTrashItems(listTrash(on, root), [wanted]).selected.map((item) => restoreFromTrash(on, root, item));
}

test("a batch's name is its time, and nothing else is a batch", () => {
  assert.equal(trashBatchName(OLD), OLD_BATCH);
  assert.equal(trashBatchName(OLD, 3), `${OLD_BATCH}-3`);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 0, max: 1e6 }), (timeMs, serial) => {
      assert.deepEqual(parseTrashBatchName(trashBatchName(timeMs, serial)), { timeMs, serial });
    }),
  );
  for (const name of ["", "x", `${OLD_BATCH}x`, `x${OLD_BATCH}`, "2024-13-01T10-03-44.120Z", `${OLD_BATCH}-`]) {
    assert.equal(parseTrashBatchName(name), undefined, name);
  }
});

test("the list has the newest first, with where and when", () => {
  trash(OLD_BATCH, "a.txt", "old");
  trash(NEW_BATCH, "docs/b.txt", "newer");
  symlinkSync("target", join(root, ".dsync/trash", NEW_BATCH, "link"));
  trash("not a batch", "c", "");
  const newTime = new Date(NEW).toISOString();
  assert.deepEqual(listTrash(fs, root), [
    { item: `${NEW_BATCH}/docs/b.txt`, path: "docs/b.txt", time: newTime, kind: "file", size: 5 },
    { item: `${NEW_BATCH}/link`, path: "link", time: newTime, kind: "symlink", size: 6 },
    { item: `${OLD_BATCH}/a.txt`, path: "a.txt", time: new Date(OLD).toISOString(), kind: "file", size: 3 },
  ]);
});

test("what the applier put there is listed under its old path, the later content first", () => {
  mkdirSync(join(root, ".dsync/trash"), { recursive: true });
  const batch = new TrashBatch(fs, root, OLD_BATCH);
  for (const content of ["first", "second"]) {
    put("a.txt", content);
    batch.keep("a.txt");
    fs.unlink(join(root, "a.txt"));
  }
  const items = listTrash(fs, root);
  assert.deepEqual(
    items.map(({ path }) => path),
    ["a.txt", "a.txt"],
  );
  assert.equal(restore("a.txt").length, 1);
  assert.equal(read("a.txt"), "second");
});

test("in one batch a path may be a file, then a directory, then a link, and have any name", () => {
  mkdirSync(join(root, ".dsync/trash"), { recursive: true });
  const names = ["a", "a~1", "-rf", "new\nline", "é ü", "trailing. ", OLD_BATCH, "x".repeat(255)];
  const contents = new Map<string, string>();
  const take = (path: string, content: string): void => {
    put(path, content);
    const place = new TrashBatch(fs, root, OLD_BATCH).keep(path);
    assert.ok(place !== undefined);
    rmSync(join(root, path));
    contents.set(place.slice(".dsync/trash/".length), content);
  };
  for (const name of names) {
    take(name, `${name}, a file`);
    take(`${name}/inside`, `${name}, in a directory`);
    rmSync(join(root, name), { recursive: true });
    take(name, `${name}, a file again`);
  }
  symlinkSync("somewhere", join(root, "dir"));
  new TrashBatch(fs, root, OLD_BATCH).keep("dir");
  rmSync(join(root, "dir"));
  take("dir/file", "below what was a link");
  const items = listTrash(fs, root);
  assert.deepEqual(
    new Set(items.flatMap(({ item, kind }) => (kind === "file" ? [item] : []))),
    new Set(contents.keys()),
  );
  for (const { item, path, kind } of items) {
    if (kind !== "file") continue;
    assert.equal(item.slice(item.indexOf("/") + 1), path);
    const [outcome] = restore(item);
    assert.ok(outcome !== undefined && "path" in outcome && typeof outcome.path === "string", JSON.stringify(outcome));
    assert.equal(read(outcome.path), contents.get(item));
    rmSync(join(root, outcome.path.split("/")[0] ?? ""), { recursive: true });
  }
});

test("no trash is an empty list, and a link in its place is not followed", () => {
  assert.deepEqual(listTrash(fs, root), []);
  put("elsewhere/2024-05-01T10-03-44.120Z/a", "");
  mkdirSync(join(root, ".dsync"));
  symlinkSync(join(root, "elsewhere"), join(root, ".dsync/trash"));
  assert.deepEqual(listTrash(fs, root), []);
  emptyTrash(fs, root);
  assert.ok(existsSync(join(root, "elsewhere", OLD_BATCH, "a")));
});

test("items are chosen by name, by path (the newest), or by directory", () => {
  trash(OLD_BATCH, "a", "1");
  trash(NEW_BATCH, "a", "2");
  trash(OLD_BATCH, "d/x", "3");
  trash(NEW_BATCH, "d/y", "4");
  trash(NEW_BATCH, "dd", "5");
  const items = listTrash(fs, root);
  const chosen = (...wanted: string[]): readonly string[] =>
    selectTrashItems(items, wanted)
      .selected.map(({ item }) => item)
      .toSorted();
  assert.deepEqual(chosen("a"), [`${NEW_BATCH}/a`]);
  assert.deepEqual(chosen(`${OLD_BATCH}/a`), [`${OLD_BATCH}/a`]);
  assert.deepEqual(chosen("d/"), [`${OLD_BATCH}/d/x`, `${NEW_BATCH}/d/y`]);
  assert.deepEqual(chosen("a", "./a"), [`${NEW_BATCH}/a`]);
  assert.deepEqual(selectTrashItems(items, ["b", "a"]).missing, ["b"]);
});

test("an item comes back to its path, and its batch goes when it is empty", () => {
  trash(OLD_BATCH, "docs/deep/a.txt", "content");
  assert.deepEqual(restore("docs/deep/a.txt"), [
    { item: `${OLD_BATCH}/docs/deep/a.txt`, restored: true, path: "docs/deep/a.txt" },
  ]);
  assert.equal(read("docs/deep/a.txt"), "content");
  assert.deepEqual(readdirSync(join(root, ".dsync/trash")), []);
});

test("a symlink comes back as a symlink", () => {
  trash(OLD_BATCH, "x", "");
  symlinkSync("target", join(root, ".dsync/trash", OLD_BATCH, "link"));
  restore("link");
  assert.equal(readlinkSync(join(root, "link")), "target");
});

test("nothing is overwritten: it comes back beside what is there", () => {
  put("docs/a.txt", "kept");
  for (const batch of [OLD_BATCH, `${OLD_BATCH}-1`]) trash(batch, "docs/a.txt", batch);
  restore(`${OLD_BATCH}/docs/a.txt`);
  restore(`${OLD_BATCH}-1/docs/a.txt`);
  assert.equal(read("docs/a.txt"), "kept");
  assert.equal(read("docs/a.restored-20240501-100344.txt"), OLD_BATCH);
  assert.equal(read("docs/a.restored-20240501-100344-2.txt"), `${OLD_BATCH}-1`);
});

test("a directory in its place, a hidden name without extension", () => {
  mkdirSync(join(root, ".profile"));
  trash(OLD_BATCH, ".profile", "x");
  restore(".profile");
  assert.equal(read(".profile.restored-20240501-100344"), "x");
});

test("a file or link above it is no way in", () => {
  put("file", "");
  const outside = mkdtempSync(join(tmpdir(), "dsync-outside-"));
  symlinkSync(outside, join(root, "link"));
  trash(OLD_BATCH, "file/a", "1");
  trash(OLD_BATCH, "link/a", "2");
  for (const outcome of [...restore("file/a"), ...restore("link/a")]) assert.equal("reason" in outcome, true);
  assert.deepEqual(readdirSync(outside), []);
  assert.equal(listTrash(fs, root).length, 2);
  rmSync(outside, { recursive: true });
});

test("an item that leads out of the trash is refused", () => {
  put("secret", "kept");
  trash(OLD_BATCH, "a", "");
  for (const item of ["../../secret", `${OLD_BATCH}/../../../secret`, "", OLD_BATCH]) {
    const outcome = restoreFromTrash(fs, root, {
      item,
      path: "stolen",
      time: new Date(OLD).toISOString(),
      kind: "file",
      size: 0,
    });
    assert.equal(outcome.restored, false, item);
  }
  assert.equal(read("secret"), "kept");
  assert.ok(!existsSync(join(root, "stolen")));
});

test("without hard links it is copied, and still never overwrites", () => {
  const noLinks: FileSystem = {
    ...fs,
    link: () => {
      throw Object.assign(new Error("no links here"), { code: "EPERM" });
    },
  };
  mkdirSync(join(root, ".dsync/staging"), { recursive: true });
  put("a", "kept");
  trash(OLD_BATCH, "a", "old");
  restore("a", noLinks);
  assert.deepEqual([read("a"), read("a.restored-20240501-100344")], ["kept", "old"]);
  assert.deepEqual(listTrash(fs, root), []);
});

test("a full disk leaves the item in the trash", () => {
  const full: FileSystem = {
    ...fs,
    link: () => {
      throw Object.assign(new Error("full"), { code: "ENOSPC" });
    },
  };
  trash(OLD_BATCH, "a", "old");
  assert.match(JSON.stringify(restore("a", full)), /disk is full/);
  assert.equal(listTrash(fs, root).length, 1);
});

test("emptying removes the batches before a moment, or all, and nothing that is not a batch", () => {
  trash(OLD_BATCH, "d/a", "12");
  trash(NEW_BATCH, "b", "345");
  trash("mine", "c", "");
  symlinkSync(root, join(root, ".dsync/trash", OLD_BATCH, "link"));
  const size = Buffer.byteLength(root);
  assert.deepEqual(emptyTrash(fs, root, { beforeMs: NEW }), { files: 2, bytes: 2 + size, failed: [] });
  assert.deepEqual(readdirSync(join(root, ".dsync/trash")).toSorted(), [NEW_BATCH, "mine"]);
  assert.deepEqual(emptyTrash(fs, root), { files: 1, bytes: 3, failed: [] });
  assert.deepEqual(readdirSync(join(root, ".dsync/trash")), ["mine"]);
});

test("what cannot be removed is told, and the rest goes", () => {
  const stubborn: FileSystem = {
    ...fs,
    unlink: (path) => {
      if (path.endsWith("/a")) throw Object.assign(new Error("no"), { code: "EBUSY" });
      fs.unlink(path);
    },
  };
  trash(OLD_BATCH, "d/a", "1");
  trash(OLD_BATCH, "d/b", "1");
  const { files, failed } = emptyTrash(stubborn, root);
  assert.equal(files, 1);
  assert.deepEqual(
    failed.map(({ path }) => path),
    [`.dsync/trash/${OLD_BATCH}/d/a`],
  );
});
