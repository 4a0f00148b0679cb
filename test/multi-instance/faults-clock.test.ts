// Clocks that are days and years apart: what somebody did after the others is what counts, whatever the clocks say.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runDsync } from "../support/dsync-process.ts";
import { machines, type Machine } from "../support/machines.ts";
import { incompressible, snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

const DAY_MS = 86_400_000;

async function startApart(a: Machine, b: Machine): Promise<void> {
  await a.start({ clockAheadMs: DAY_MS });
  await b.start({ clockAheadMs: -3_650 * DAY_MS, peers: [a.instance.port] });
  await b.instance.waitForEvent("peer-joined");
}

async function settle(a: Machine, b: Machine): Promise<void> {
  await waitForEqualTrees([a.folder, b.folder]);
  const [first, second] = await Promise.all([a.instance.waitForSync(), b.instance.waitForSync()]);
  assert.equal(first.merkleRoot, second.merkleRoot);
}

function read({ folder }: Machine, path: string): string {
  return fs.readFileSync(join(folder, path), "utf8");
}

async function trashedIn({ folder, home }: Machine): Promise<readonly { path: string; time: string }[]> {
  const { stdout } = await runDsync(["trash", "list", "-d", folder, "--json"], home);
  return JSON.parse(stdout) as { path: string; time: string }[];
}

test("one clock a day ahead, the other ten years behind: the last edit counts, deletes hold, and both sides of a conflict stay", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "doc.txt": "a 0", "large.bin": incompressible(1_500_000, 1), "gone.txt": "gone" });
  writeFiles(b.folder, { "both.txt": "b 0", "kept.txt": "kept" });
  await startApart(a, b);
  await settle(a, b);
  for (const [round, machine] of [a, b, a, b].entries()) {
    const other = machine === a ? b : a;
    writeFiles(machine.folder, { "doc.txt": `edit ${round}`, "large.bin": incompressible(1_500_000, 10 + round) });
    await waitFor(() => read(other, "doc.txt") === `edit ${round}`, { until: `edit ${round}` });
    await settle(a, b);
    assert.equal(read(machine, "doc.txt"), `edit ${round}`);
  }
  fs.rmSync(join(b.folder, "gone.txt"));
  await waitFor(() => !fs.existsSync(join(a.folder, "gone.txt")), { until: "the delete" });
  await settle(a, b);
  assert.equal((await a.instance.status()).conflicts, 0);

  // At the same time: an edit on either side, and a delete against an edit in both directions.
  await Promise.all([a.stop(), b.stop()]);
  writeFiles(a.folder, { "both.txt": "from a", "kept.txt": "edited on a" });
  writeFiles(b.folder, { "both.txt": "from b", "doc.txt": "edited on b" });
  fs.rmSync(join(a.folder, "doc.txt"));
  fs.rmSync(join(b.folder, "kept.txt"));
  await startApart(a, b);
  await settle(a, b);
  const paths = [...snapshot(a.folder).keys()];
  const copies = paths.filter((path) => path.includes(".conflict-"));
  assert.equal(copies.length, 1, copies.join());
  assert.deepEqual(["both.txt", ...copies].map((path) => read(a, path)).toSorted(), ["from a", "from b"]);
  assert.deepEqual([read(a, "doc.txt"), read(b, "kept.txt")], ["edited on b", "edited on a"]);
  assert.equal(paths.length, 5, paths.join());

  // What was replaced and deleted is kept, under each machine's own time; a start does not take it for old.
  const [trashOfA, trashOfB] = await Promise.all([trashedIn(a), trashedIn(b)]);
  assert.ok(trashOfA.some(({ path }) => path === "gone.txt"));
  assert.ok(trashOfB.some(({ path }) => path === "doc.txt"));
  const nowMs = Date.now();
  assert.ok(trashOfA.every(({ time }) => Date.parse(time) > nowMs));
  assert.ok(trashOfB.every(({ time }) => Date.parse(time) < nowMs - 3_000 * DAY_MS));

  // Clocks that are put right change nothing, and edits after that count like any other.
  await Promise.all([a.stop(), b.stop()]);
  const before = snapshot(a.folder);
  await a.start();
  await b.start({ peers: [a.instance.port] });
  await settle(a, b);
  assert.deepEqual(snapshot(a.folder), before);
  for (const [machine, other] of [
    [b, a],
    [a, b],
  ] as const) {
    writeFiles(machine.folder, { "doc.txt": `put right ${machine === a ? "a" : "b"}` });
    await waitFor(() => read(other, "doc.txt") === read(machine, "doc.txt"), { until: "an edit with the right time" });
    assert.match(read(other, "doc.txt"), /^put right/);
  }
  await settle(a, b);
});
