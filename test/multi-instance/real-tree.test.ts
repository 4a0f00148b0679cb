// The main job on real input: a source tree with links and whatever else packages contain, and a system's documentation.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { waitForEqualTrees } from "../support/trees.ts";

const NODE_MODULES = new URL("../../../node_modules", import.meta.url).pathname;
const DOCUMENTATION = "/usr/share/doc";
const ENTRIES_MIN = 30_000;
/** A first sync of so much takes half a minute on a quiet machine. */
const DEADLINE_MS = 400_000;

test("a real tree arrives whole, and stays equal through edits on both sides and restarts", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  // The defaults leave out every `node_modules`.
  for (const { folder } of [a, b]) fs.writeFileSync(join(folder, ".dsyncignore"), "# nothing\n");
  if (fs.existsSync(DOCUMENTATION)) execFileSync("cp", ["-a", DOCUMENTATION, join(a.folder, "doc")]);
  execFileSync("cp", ["-a", NODE_MODULES, join(a.folder, "packages")]);
  // More of the same, without the large binaries.
  for (let copy = "packages again"; countEntries(a.folder) < ENTRIES_MIN; copy += " again") {
    execFileSync("cp", ["-a", NODE_MODULES, join(a.folder, copy)]);
    execFileSync("find", [join(a.folder, copy), "-type", "f", "-size", "+100k", "-delete"]);
  }
  const entries = countEntries(a.folder);

  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder], DEADLINE_MS);
  await Promise.all([a.instance.waitForSync(), b.instance.waitForSync()]);
  assert.equal(countEntries(b.folder), entries);

  fs.renameSync(join(a.folder, "packages again"), join(a.folder, "packages moved"));
  fs.appendFileSync(join(b.folder, "packages/minimatch/package.json"), "\n");
  fs.rmSync(join(b.folder, "packages/lmdb"), { recursive: true });
  await waitForEqualTrees([a.folder, b.folder], DEADLINE_MS);

  await Promise.all([a.stop(), b.stop()]);
  fs.rmSync(join(a.folder, "packages/minimatch"), { recursive: true });
  fs.writeFileSync(join(b.folder, "packages/made while apart.txt"), "x");
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder], DEADLINE_MS);
  const [first, second] = await Promise.all([a.instance.waitForSync(), b.instance.waitForSync()]);
  assert.equal(first.merkleRoot, second.merkleRoot);
  assert.equal(first.conflicts, 0);
  assert.deepEqual(first.failed, []);
});

/** Without dsync's own at the top. */
function countEntries(folder: string): number {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => !name.startsWith(".dsync")).length;
}
