// Replicas that are not what their index says: copied, cloned, without an index, with an older one, put back whole.
// What an index does not know it has no opinion on: nothing is lost, and no replica ID is used by two.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { mounts, whyNoMounts } from "../support/mounts.ts";
import { incompressible, snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

async function settle(...all: readonly Machine[]): Promise<void> {
  await waitForEqualTrees(all.map(({ folder }) => folder));
  const statuses = await Promise.all(all.map(({ instance }) => instance.waitForSync({ peers: all.length - 1 })));
  assert.equal(new Set(statuses.map(({ merkleRoot }) => merkleRoot)).size, 1);
  assert.equal(new Set(statuses.map(({ replicaId }) => replicaId)).size, all.length, "a replica ID used by two");
}

function contents(folder: string): string[] {
  return [...snapshot(folder).keys()]
    .map((path) => join(folder, path))
    .filter((path) => fs.lstatSync(path).isFile())
    .map((path) => fs.readFileSync(path, "latin1"));
}

function copy(from: string, to: string): void {
  fs.rmSync(to, { recursive: true, force: true });
  execFileSync("cp", ["-a", from, to]);
}

test("a folder copied with its .dsync becomes a replica of its own, also beside the original", async (t) => {
  const [a, b, c] = machines(t, 3) as [Machine, Machine, Machine];
  writeFiles(a.folder, { "one.txt": "one", "dir/two.txt": "two", "big.bin": incompressible(2_000_000, 1) });
  await startPair(a, b);
  await settle(a, b);
  await a.stop();
  // Once onto another machine, once onto the same one.
  copy(a.folder, c.folder);
  const beside = join(dirname(a.folder), "copy");
  copy(a.folder, beside);
  writeFiles(c.folder, { "one.txt": "edited in the copy" });
  fs.rmSync(join(c.folder, "dir/two.txt"));
  writeFiles(a.folder, { "one.txt": "edited in the original" });
  await a.start({ peers: [b.instance.port] });
  await c.start({ peers: [b.instance.port, a.instance.port] });
  await settle(a, b, c);
  assert.ok(contents(b.folder).includes("edited in the copy"));
  assert.ok(contents(b.folder).includes("edited in the original"));
  assert.ok(!fs.existsSync(join(b.folder, "dir/two.txt")), "a delete in the copy, which had seen the file");
  writeFiles(c.folder, { "later.txt": "c" });
  writeFiles(a.folder, { "later too.txt": "a" });
  await settle(a, b, c);
  await c.stop();
  await a.stop();
  const twin = new (c.constructor as new (base: string, name: string) => Machine)(dirname(dirname(a.folder)), "twin");
  copy(beside, twin.folder);
  await a.start({ peers: [b.instance.port] });
  const { replicaId } = await a.instance.status();
  t.after(() => twin.kill());
  await twin.start({ peers: [b.instance.port] });
  assert.notEqual((await twin.instance.status()).replicaId, replicaId);
  await waitForEqualTrees([a.folder, b.folder, twin.folder]);
});

test("a folder without its index, and with an older one, takes part again and loses nothing", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "edited.txt": "first", "deleted at b.txt": "x", "kept.txt": "kept", "dir/x.txt": "x" });
  await startPair(a, b);
  await settle(a, b);
  const before = (await a.instance.status()).replicaId;
  await a.stop();
  const index = join(a.folder, ".dsync/index");
  const older = `${a.folder}-older-index`;
  copy(index, older);
  // Deleted while the others go on.
  writeFiles(b.folder, { "edited.txt": "second" });
  fs.rmSync(join(b.folder, "deleted at b.txt"));
  await waitFor(async () => (await b.instance.status()).entries === 4, { until: "the delete to be noticed" });
  writeFiles(a.folder, { "made at a.txt": "a" });
  fs.rmSync(index, { recursive: true });
  await a.start({ peers: [b.instance.port] });
  await settle(a, b);
  assert.notEqual((await a.instance.status()).replicaId, before, "a lost index means a new replica");
  assert.ok(contents(a.folder).includes("second"));
  assert.ok(contents(a.folder).includes("a"));
  // An older index is put back: what a did since is done, and dots of then are not used again.
  await a.stop();
  const newer = `${a.folder}-newer-index`;
  copy(index, newer);
  await a.start({ peers: [b.instance.port] });
  await b.instance.waitForEvent("peer-joined");
  for (const round of [1, 2, 3]) {
    writeFiles(a.folder, { [`round ${round}.txt`]: `${round}`, "edited.txt": `round ${round}` });
    await settle(a, b);
  }
  fs.rmSync(join(a.folder, "kept.txt"));
  await settle(a, b);
  await a.stop();
  writeFiles(b.folder, { "edited.txt": "while a was away", "dir/x.txt": "b" });
  copy(newer, index);
  writeFiles(a.folder, { "round 3.txt": "edited after the index was put back" });
  await a.start({ peers: [b.instance.port] });
  await settle(a, b);
  const all = contents(a.folder);
  for (const content of ["1", "2", "edited after the index was put back", "while a was away"]) {
    assert.ok(all.includes(content), content);
  }
  assert.ok(!fs.existsSync(join(a.folder, "kept.txt")), "a delete that was seen by all came back");
  // What was edited while the index knew less than the disk: both contents are kept. Of "3" a conflict copy is made only
  // if a heard of it before it looked at its disk; else it is in the trash of b, where the edit replaced it.
  const isCopy = all.includes("3");
  assert.ok(isCopy || contents(join(b.folder, ".dsync/trash")).includes("3"), "3");
  assert.equal((await a.instance.status()).conflicts, isCopy ? 3 : 2);
  fs.rmSync(older, { recursive: true });
  fs.rmSync(newer, { recursive: true });
});

test("a whole folder put back from an older backup takes over what happened since", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "edited.txt": "first", "deleted.txt": "x", "deleted by a.txt": "x" });
  await startPair(a, b);
  await settle(a, b);
  await a.stop();
  const backup = `${a.folder}-backup`;
  copy(a.folder, backup);
  await a.start({ peers: [b.instance.port] });
  for (const round of [1, 2, 3]) {
    writeFiles(a.folder, { "edited.txt": `round ${round}`, [`new ${round}.txt`]: `${round}` });
    await settle(a, b);
  }
  fs.rmSync(join(b.folder, "deleted.txt"));
  fs.rmSync(join(a.folder, "deleted by a.txt"));
  await settle(a, b);
  await a.stop();
  const expected = snapshot(b.folder);
  // As another directory, and into the same directories (rsync, tar).
  for (const isInPlace of [true, false]) {
    if (isInPlace) execFileSync("rsync", ["-a", "--delete", "--inplace", `${backup}/`, `${a.folder}/`]);
    else copy(backup, a.folder);
    await a.start({ peers: [b.instance.port] });
    await settle(a, b);
    assert.deepEqual(snapshot(b.folder), expected, isInPlace ? "in place" : "as another directory");
    writeFiles(a.folder, { "edited.txt": `after ${isInPlace}` });
    await settle(a, b);
    assert.equal(fs.readFileSync(join(b.folder, "edited.txt"), "utf8"), `after ${isInPlace}`);
    writeFiles(a.folder, { "edited.txt": "round 3" });
    fs.utimesSync(join(a.folder, "edited.txt"), 1_700_000_000, 1_700_000_000);
    await settle(a, b);
    (expected as Map<string, string>).set("edited.txt", snapshot(b.folder).get("edited.txt") ?? "");
    await a.stop();
  }
  fs.rmSync(backup, { recursive: true });
});

test("a cloned disk: two replicas with one ID both keep everything", { skip: whyNoMounts() }, async (t) => {
  const mounted = mounts(t);
  const [a, b, c] = machines(t, 3) as [Machine, Machine, Machine];
  const image = mounted.image(64, ["mkfs.ext4", "-q", "-F"]);
  mounted.mount(["-o", "loop", image, a.folder]);
  fs.rmdirSync(join(a.folder, "lost+found"));
  writeFiles(a.folder, { "one.txt": "one", "two.txt": "two" });
  await startPair(a, b);
  await settle(a, b);
  await a.stop();
  mounted.unmount(a.folder);
  const clone = `${image}-clone`;
  fs.copyFileSync(image, clone);
  execFileSync("cp", ["-a", a.home, c.home]);
  mounted.mount(["-o", "loop", image, a.folder]);
  mounted.mount(["-o", "loop", clone, c.folder]);
  await a.start({ peers: [b.instance.port] });
  await c.start();
  // Before they meet: what is newer at one of the two has not seen the other's.
  writeFiles(a.folder, { "two.txt": "two by a", "new.txt": "new by a" });
  await waitForEqualTrees([a.folder, b.folder]);
  writeFiles(c.folder, { "two.txt": "two by c", "new.txt": "new by c" });
  await waitFor(async () => (await c.instance.status()).entries === 3 && (await c.instance.status()).inSync, {
    until: "the clone to notice its own changes",
  });
  const { port } = c.instance;
  await c.stop();
  await c.start({ port, peers: [b.instance.port, a.instance.port] });
  await waitFor(async () => (await a.instance.status()).replicaId !== (await c.instance.status()).replicaId, {
    until: "two replica IDs",
  });
  for (const [index, machine] of [a, c, a, c].entries()) {
    writeFiles(machine.folder, { [`made ${index}.txt`]: `${index}`, "one.txt": `edited ${index}` });
  }
  writeFiles(a.folder, { "same name.txt": "by a" });
  writeFiles(c.folder, { "same name.txt": "by c" });
  await settle(a, b, c);
  writeFiles(a.folder, { "after.txt": "a" });
  await settle(a, b, c);
  const all = contents(b.folder);
  for (const content of ["0", "1", "2", "3", "by a", "by c", "two by a", "two by c", "new by a", "new by c"])
    assert.ok(all.includes(content), content);
});
