// What others replaced or deleted comes back, with and without a running instance, and is a change like any other.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RestoreOutcome, TrashItem } from "../../src/core/reports.ts";
import { trashBatchName } from "../../src/transfer/trash.ts";
import { runDsync } from "../support/dsync-process.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

const TREE = {
  "tree/plain.txt": "plain",
  "tree/-rf": "a leading dash",
  "tree/new\nline": "a line break",
  "tree/name~1": "a tilde",
  "tree/deep/er/é 🙂.txt": "emoji",
};

async function trashList({ folder, home }: Machine): Promise<readonly TrashItem[]> {
  const { stdout } = await runDsync(["trash", "list", "-d", folder, "--json"], home);
  return JSON.parse(stdout) as TrashItem[];
}

async function restore({ folder, home }: Machine, ...items: readonly string[]): Promise<readonly RestoreOutcome[]> {
  const { stdout, stderr } = await runDsync(["trash", "restore", "-d", folder, "--json", "--", ...items], home);
  assert.equal(stderr, "");
  return JSON.parse(stdout) as RestoreOutcome[];
}

/** Two machines in sync, of which the first then deletes the tree: it is in the trash of the second. */
async function deleteEverywhere(a: Machine, b: Machine): Promise<void> {
  writeFiles(a.folder, TREE);
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  await b.instance.waitForSync();
  fs.rmSync(join(a.folder, "tree"), { recursive: true });
  await waitFor(() => !fs.existsSync(join(b.folder, "tree")), { until: "the deletion" });
  await b.instance.waitForSync();
}

function assertTreeIsBack(folder: string): void {
  for (const [path, text] of Object.entries(TREE)) assert.equal(fs.readFileSync(join(folder, path), "utf8"), text);
}

test("a tree that another machine deleted comes back everywhere, while the instance runs", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await deleteEverywhere(a, b);
  assert.deepEqual(new Set((await trashList(b)).map(({ path }) => path)), new Set(Object.keys(TREE)));
  const outcomes = await restore(b, "tree");
  assert.ok(outcomes.every(({ restored }) => restored) && outcomes.length === Object.keys(TREE).length);
  await waitForEqualTrees([a.folder, b.folder]);
  assertTreeIsBack(a.folder);
  assert.deepEqual(await trashList(b), []);
});

test("a long list is printed to its end, however slowly it is read", async (t) => {
  const [machine] = machines(t, 1) as [Machine];
  const batch = join(machine.folder, ".dsync/trash", trashBatchName(Date.now()));
  const names = Array.from({ length: 5_000 }, (_, index) => `a file with a long name, number ${index}`);
  writeFiles(batch, Object.fromEntries(names.map((name) => [name, ""])));
  assert.equal((await trashList(machine)).length, names.length);
  const { stdout } = await runDsync(["trash", "list", "-d", machine.folder], machine.home);
  assert.equal(stdout.trimEnd().split("\n").length, names.length);
});

test("a tree that is brought back while nothing runs is announced at the next start", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await deleteEverywhere(a, b);
  await b.stop();
  assert.equal((await restore(b, "tree")).filter(({ restored }) => restored).length, Object.keys(TREE).length);
  await b.start({ peers: [a.instance.port] });
  await waitFor(() => snapshot(a.folder).size > 0, { until: "the tree on the other side" });
  await waitForEqualTrees([a.folder, b.folder]);
  assertTreeIsBack(a.folder);
});

test("where the path is taken, what was replaced comes back beside it, and both are on both sides", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "doc.txt": "first" });
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  await b.instance.waitForSync();
  fs.writeFileSync(join(a.folder, "doc.txt"), "second, longer");
  await waitFor(() => fs.readFileSync(join(b.folder, "doc.txt"), "utf8") === "second, longer", { until: "the edit" });
  const [outcome] = await restore(b, "doc.txt");
  assert.ok(outcome?.restored);
  assert.match(outcome.path, /^doc\.restored-\d{8}-\d{6}\.txt$/);
  await waitFor(() => fs.existsSync(join(a.folder, outcome.path)), { until: "the first content on the other side" });
  await waitForEqualTrees([a.folder, b.folder]);
  assert.equal(fs.readFileSync(join(a.folder, outcome.path), "utf8"), "first");
  assert.equal(fs.readFileSync(join(a.folder, "doc.txt"), "utf8"), "second, longer");
});

test("what has been in the trash for longer than --trash-days goes with the next start", async (t) => {
  const [a] = machines(t, 1) as [Machine];
  await a.start();
  await a.stop();
  const hourMs = 3_600_000;
  const [old, young] = [72 * hourMs, hourMs].map((ageMs) => trashBatchName(Date.now() - ageMs));
  writeFiles(join(a.folder, ".dsync/trash"), { [`${old}/dir/old.txt`]: "old", [`${young}/dir/young.txt`]: "young" });
  // The default is a month: neither goes.
  await a.start();
  await a.stop();
  assert.equal((await trashList(a)).length, 2);
  await a.start({ args: ["--trash-days", "2"] });
  assert.deepEqual(
    (await trashList(a)).map(({ item }) => item),
    [`${young}/dir/young.txt`],
  );
  assert.deepEqual(fs.readdirSync(join(a.folder, ".dsync/trash")), [young]);
});

test("each hour what is too old goes from the trash, and what fills the disk before its time", async (t) => {
  const [a] = machines(t, 1) as [Machine];
  await a.start();
  await a.stop();
  const dayMs = 86_400_000;
  const [old, large, young] = [40, 3, 0.5].map((days) => trashBatchName(Date.now() - days * dayMs));
  const trash = join(a.folder, ".dsync/trash");
  writeFiles(trash, { [`${large}/large.bin`]: "", [`${young}/young.txt`]: "young" });
  // A hole takes no room, and is measured like any other file.
  const { bavail, bsize } = fs.statfsSync(trash);
  fs.truncateSync(join(trash, `${large}/large.bin`), 10 * bavail * bsize);
  // Measuring takes a while: a start does without.
  await a.start();
  assert.deepEqual(fs.readdirSync(trash).toSorted(), [large, young]);
  await a.stop();
  await a.start({ hourMs: 300 });
  writeFiles(`${a.folder}-old`, { "old.txt": "old" });
  fs.renameSync(`${a.folder}-old`, join(trash, old ?? ""));
  await waitFor(() => fs.readdirSync(trash).join() === young, { until: "the sweep" });
  await a.instance.waitForEvent("warning", { where: ({ message }) => /its oldest 1 files/.test(String(message)) });
  assert.equal(fs.readFileSync(join(trash, `${young}/young.txt`), "utf8"), "young");
});
