// The machine loses power: what dsync had put in place and the disk had not kept is fetched again, and never passed on.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { blake3 } from "@noble/hashes/blake3.js";
import { CHECKPOINT_PATHS } from "../../src/core/limits.ts";
import { systemClock } from "../../src/edge/clock.ts";
import { openLmdbStoreReadOnly } from "../../src/index/lmdb-store.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { pretendReboot } from "../support/reboot.ts";
import { incompressible, snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

/** Other bytes under the old time, as a file system without the data leaves them. */
function damage(file: string, bytes: Uint8Array): void {
  const { atime, mtimeNs } = fs.lstatSync(file, { bigint: true });
  fs.writeFileSync(file, bytes);
  fs.utimesSync(file, atime, String(Number(mtimeNs / 1000n) / 1e6 + 0.000_000_5));
  assert.equal(fs.lstatSync(file, { bigint: true }).mtimeNs / 1000n, mtimeNs / 1000n, "the time is put back");
}

/** With so many files a checkpoint comes only after half a minute: long after the power is lost, on a busy machine too. */
function writeMany(folder: string): void {
  for (let index = 0; index <= CHECKPOINT_PATHS; index++) writeFiles(folder, { [`many/${index}`]: `${index}` });
}

function trashedContents(folder: string): Buffer[] {
  const trash = join(folder, ".dsync/trash");
  return fs
    .readdirSync(trash, { recursive: true, encoding: "utf8" })
    .map((name) => join(trash, name))
    .filter((path) => fs.lstatSync(path).isFile())
    .map((path) => fs.readFileSync(path));
}

function markedPaths(folder: string): string[] {
  const store = openLmdbStoreReadOnly({ directory: join(folder, ".dsync/index"), clock: systemClock, hash: blake3 });
  const paths = [...store.marks()].map(({ path }) => path);
  void store.close();
  return paths.toSorted((x, y) => (x < y ? -1 : 1));
}

test("files that a power loss damaged are fetched again, and not announced as edits", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, {
    "doc.txt": "a document",
    "dir/zeros.bin": incompressible(300_000, 1),
    "dir/lost.txt": "its name never reached the disk",
    "whole.txt": "whole",
    "old.txt": "old",
  });
  writeMany(a.folder);
  await startPair(a, b);
  await b.instance.waitForSync();
  fs.writeFileSync(join(a.folder, "old.txt"), "new and longer");
  await waitFor(() => fs.readFileSync(join(b.folder, "old.txt"), "utf8") === "new and longer", { until: "the edit" });
  await b.instance.waitForSync();
  const expected = snapshot(a.folder);
  await b.kill();

  const marked = await pretendReboot(b.folder);
  for (const path of ["doc.txt", "dir/zeros.bin", "dir/lost.txt", "whole.txt", "old.txt"]) {
    assert.ok(marked.includes(path), `${path} is marked until the next checkpoint: ${marked.join(" ")}`);
  }
  damage(join(b.folder, "doc.txt"), Buffer.alloc(0));
  damage(join(b.folder, "dir/zeros.bin"), Buffer.alloc(300_000));
  damage(join(b.folder, "old.txt"), Buffer.from("new and"));
  fs.rmSync(join(b.folder, "dir/lost.txt"));

  await b.start({ peers: [a.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  await b.instance.waitForSync();
  assert.deepEqual(
    b.instance.events.filter(({ event, isLocal }) => event === "changed" && isLocal === true),
    [],
  );
  assert.deepEqual(snapshot(a.folder), expected, "the other side never changed");
  const trash = trashedContents(b.folder);
  assert.ok(trash.some((content) => content.length === 300_000 && content.every((byte) => byte === 0)));
  assert.ok(trash.some((content) => content.toString() === "new and"));
  assert.deepEqual(trashedContents(a.folder), [], "nothing was replaced on the other side");
  const warning = b.instance.events.find(
    ({ event, message }) => event === "warning" && /fetched again/.test(String(message)),
  );
  assert.match(String(warning?.["message"]), /\b[34] damaged or missing files/);
});

test("renames and removals that never reached the disk are done again, and nothing old comes back", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const before = { "replaced.txt": "old", "removed.txt": "to be removed", "moved/from.txt": "moved" };
  writeFiles(a.folder, before);
  writeMany(a.folder);
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  await b.instance.waitForSync();
  const old = Object.keys(before).map((path) => ({ path, stat: fs.lstatSync(join(b.folder, path)) }));
  fs.writeFileSync(join(a.folder, "replaced.txt"), "new");
  fs.rmSync(join(a.folder, "removed.txt"));
  fs.mkdirSync(join(a.folder, "to"));
  fs.renameSync(join(a.folder, "moved/from.txt"), join(a.folder, "to/here.txt"));
  writeFiles(a.folder, { "fresh.txt": "fresh" });
  await waitForEqualTrees([a.folder, b.folder]);
  await b.instance.waitForSync();
  const expected = snapshot(a.folder);
  await b.kill();

  await pretendReboot(b.folder);
  for (const { path, stat } of old) {
    writeFiles(b.folder, { [path]: before[path as keyof typeof before] });
    fs.utimesSync(join(b.folder, path), stat.atime, String(stat.mtimeMs / 1000 + 0.000_000_5));
  }
  fs.rmSync(join(b.folder, "to"), { recursive: true });
  fs.rmSync(join(b.folder, "fresh.txt"));

  await b.start({ peers: [a.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  await b.instance.waitForSync();
  assert.deepEqual(snapshot(a.folder), expected);
  assert.deepEqual(
    b.instance.events.filter(({ event, isLocal }) => event === "changed" && isLocal === true),
    [],
  );
});

test("a checkpoint takes the marks away while the instance runs", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "one.txt": "1", "dir/two.txt": "2" });
  await startPair(a, b);
  await waitFor(() => fs.existsSync(join(b.folder, "dir/two.txt")), { until: "the files" });
  await waitFor(() => markedPaths(b.folder).length === 3, { until: "marks of two files and their directory" });
  await waitFor(() => markedPaths(b.folder).length === 0, { until: "a checkpoint" });
  await b.kill();
  assert.deepEqual(await pretendReboot(b.folder), []);
});
