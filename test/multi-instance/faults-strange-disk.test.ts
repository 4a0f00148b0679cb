// One side on a file system that keeps less than others do: no modes, no links, coarse times, one spelling for two cases.
// vfat where the kernel has it, exFAT through FUSE elsewhere.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { mounts, whyNoMounts, type Mounts } from "../support/mounts.ts";
import { incompressible, waitForEqualContents, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

interface StrangeDisk {
  readonly name: string;
  readonly mkfs: readonly string[];
  readonly mount: readonly string[];
}

const STRANGE_DISKS: readonly StrangeDisk[] = [
  { name: "vfat", mkfs: ["mkfs.vfat"], mount: ["-t", "vfat", "-o", "loop,utf8=1"] },
  { name: "exFAT", mkfs: ["mkfs.exfat"], mount: ["-t", "exfat-fuse", "-o", "loop"] },
];

/** Mounts the first of them that this machine can; `undefined` if none. */
function mountStrange(mounted: Mounts, directory: string): StrangeDisk | undefined {
  for (const disk of STRANGE_DISKS) {
    try {
      mounted.mount([...disk.mount, mounted.image(64, disk.mkfs), directory]);
      return disk;
    } catch {
      // No such tool, or not in this kernel.
    }
  }
  return undefined;
}

async function settle(a: Machine, b: Machine): Promise<void> {
  await waitForEqualContents([a.folder, b.folder]);
  await waitForEqualContents([a.folder, b.folder]);
  const [first, second] = await Promise.all([a.instance.waitForSync(), b.instance.waitForSync()]);
  assert.equal(first.merkleRoot, second.merkleRoot);
}

function skipWithout(t: TestContext, disk: StrangeDisk | undefined): disk is StrangeDisk {
  if (disk === undefined) t.skip("needs vfat in the kernel, or exfat-fuse");
  return disk !== undefined;
}

test(
  "a memory stick takes part, and what it cannot keep is not taken for an edit",
  { skip: whyNoMounts() },
  async (t) => {
    const mounted = mounts(t);
    const [a, b] = machines(t, 2) as [Machine, Machine];
    const disk = mountStrange(mounted, b.folder);
    if (!skipWithout(t, disk)) return;
    t.diagnostic(`on ${disk.name}`);
    writeFiles(a.folder, {
      "private.txt": "private",
      "script.sh": "#!/bin/sh\n",
      "big.bin": incompressible(3_000_000, 1),
      "dir/deep/file.txt": "x",
      "empty.txt": "",
    });
    fs.chmodSync(join(a.folder, "private.txt"), 0o600);
    fs.chmodSync(join(a.folder, "script.sh"), 0o755);
    fs.utimesSync(join(a.folder, "private.txt"), 1_600_000_001.123456, 1_600_000_001.123456);
    await startPair(a, b);
    await settle(a, b);
    writeFiles(a.folder, { "private.txt": "edited", "new.txt": "new", "dir/other.txt": "other" });
    await settle(a, b);
    fs.renameSync(join(a.folder, "dir"), join(a.folder, "moved"));
    fs.renameSync(join(a.folder, "new.txt"), join(a.folder, "newer.txt"));
    await settle(a, b);
    writeFiles(b.folder, {
      "empty.txt": "edited on the stick",
      "private.txt": "edited on the stick",
      "made there.txt": "new",
      "made there/file.txt": "new",
    });
    fs.rmSync(join(b.folder, "newer.txt"));
    await settle(a, b);
    // Nothing that the disk rounded or dropped came back to the other side.
    assert.equal(fs.statSync(join(a.folder, "script.sh")).mode & 0o777, 0o755);
    assert.equal(fs.statSync(join(a.folder, "private.txt")).mode & 0o777, 0o600);
    assert.equal(fs.statSync(join(a.folder, "made there.txt")).mode & 0o777, 0o644);
    assert.equal(fs.statSync(join(a.folder, "made there")).mode & 0o777, 0o755);
    // Replaced as editors do it, and moved.
    writeFiles(b.folder, { "private.txt~": "replaced on the stick" });
    fs.renameSync(join(b.folder, "private.txt~"), join(b.folder, "private.txt"));
    fs.renameSync(join(b.folder, "script.sh"), join(b.folder, "renamed.sh"));
    await settle(a, b);
    assert.equal(fs.statSync(join(a.folder, "private.txt")).mode & 0o777, 0o600);
    assert.equal(fs.statSync(join(a.folder, "renamed.sh")).mode & 0o777, 0o755);
    // Idle is quiet, also over a restart.
    const changes = (): number => a.instance.events.filter(({ event }) => event === "changed").length;
    const before = changes();
    await b.stop();
    await b.start({ peers: [a.instance.port] });
    await settle(a, b);
    assert.equal(changes(), before, JSON.stringify(a.instance.events.slice(-5)));
    assert.equal((await a.instance.status()).conflicts, 0);
  },
);

test(
  "names that a memory stick cannot keep are listed, and stay where they are",
  { skip: whyNoMounts() },
  async (t) => {
    const mounted = mounts(t);
    const [a, b] = machines(t, 2) as [Machine, Machine];
    if (!skipWithout(t, mountStrange(mounted, b.folder))) return;
    writeFiles(a.folder, {
      "readme.txt": "lower",
      "a:b": "colon",
      'quo"te': "quote",
      "good.txt": "good",
    });
    await startPair(a, b);
    await waitFor(async () => (await b.instance.status()).failed.length >= 2, { until: "problems" });
    writeFiles(a.folder, { "README.txt": "upper" });
    const failed = await waitFor(
      async () => {
        const paths = (await b.instance.status()).failed.map(({ path }) => path);
        if (paths.length >= 3) return paths;
        throw new Error(JSON.stringify(await b.instance.status()));
      },
      { until: "the other case of a name to be listed" },
    );
    assert.ok(failed.includes("README.txt") || failed.includes("readme.txt"), JSON.stringify(failed));
    // Whatever the other side does with one spelling, the other one's file stays.
    fs.rmSync(join(a.folder, "README.txt"));
    writeFiles(a.folder, { "good.txt": "better" });
    await waitFor(() => fs.readFileSync(join(b.folder, "good.txt"), "utf8") === "better", { until: "an edit" });
    await waitFor(async () => (await b.instance.status()).failed.length === 2, { until: "one problem less" });
    assert.equal(fs.readFileSync(join(b.folder, "readme.txt"), "utf8"), "lower");
    assert.equal(fs.readFileSync(join(a.folder, "readme.txt"), "utf8"), "lower");
    assert.equal(fs.readFileSync(join(a.folder, "a:b"), "utf8"), "colon");
  },
);
