// Disks that fill up, turn read-only, or keep less than others do: nothing is lost, and it goes on by itself.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DsyncProcess } from "../support/dsync-process.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { mounts, whyNoMounts } from "../support/mounts.ts";
import { hashOf, incompressible, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

test(
  "a full disk: what was there stays, and it goes on by itself when there is room",
  { skip: whyNoMounts() },
  async (t) => {
    const mounted = mounts(t);
    const [a, b] = machines(t, 2) as [Machine, Machine];
    mounted.tmpfs(b.folder, 72);
    writeFiles(a.folder, { "report.bin": incompressible(8_000_000, 1), "notes.txt": "first" });
    await startPair(a, b);
    await waitForEqualTrees([a.folder, b.folder]);
    const before = hashOf(join(b.folder, "report.bin"));
    writeFiles(a.folder, {
      "report.bin": incompressible(30_000_000, 2),
      "one.bin": incompressible(30_000_000, 3),
      "two.bin": incompressible(30_000_000, 4),
    });
    for (let index = 0; index < 200; index++)
      writeFiles(a.folder, { [`small/${index}`]: incompressible(50_000, index) });
    await b.instance.waitForEvent("halted");
    const { halted } = await b.instance.status();
    assert.match(halted ?? "", /full/);
    const after = hashOf(join(b.folder, "report.bin"));
    assert.ok([before, hashOf(join(a.folder, "report.bin"))].includes(after), "the old or the new content, and whole");
    // What a person changes on the full side still counts.
    fs.rmSync(join(b.folder, "notes.txt"));
    mounted.resize(b.folder, 400);
    await waitForEqualTrees([a.folder, b.folder]);
    await b.instance.waitForEvent("resumed");
    const status = await b.instance.waitForSync();
    assert.equal(status.halted, null);
    assert.ok(!fs.existsSync(join(a.folder, "notes.txt")));
    // 108 MB of content, and what was on its way when the disk turned out to be full.
    assert.ok(status.traffic.receivedBytes < 130_000_000, `${status.traffic.receivedBytes} bytes received`);
  },
);

test(
  "a disk with no room for the index: said, nothing announced, and over when there is room",
  { skip: whyNoMounts() },
  async (t) => {
    const mounted = mounts(t);
    const [a, b] = machines(t, 2) as [Machine, Machine];
    mounted.tmpfs(b.folder, 64);
    writeFiles(a.folder, { "notes.txt": "first" });
    await startPair(a, b);
    await waitForEqualTrees([a.folder, b.folder]);
    await b.instance.waitForSync();
    const filler = join(b.folder, "filler.part");
    fs.writeFileSync(filler, incompressible(56_000_000, 1));
    writeFiles(a.folder, { "notes.txt": "second" });
    writeFiles(b.folder, { "made on the full side.txt": "x" });
    await b.instance.waitForEvent("halted");
    assert.ok(!fs.existsSync(join(a.folder, "made on the full side.txt")), "announced before it was committed");
    // A crash at this moment, and a start that finds the disk full.
    await b.kill();
    const full = DsyncProcess.launch({ folder: b.folder, home: b.home, peers: [a.instance.port] });
    assert.equal(await full.exited(), 1);
    assert.match(full.stderr, /the disk is full/);
    fs.rmSync(filler);
    await b.start({ peers: [a.instance.port] });
    await waitForEqualTrees([a.folder, b.folder]);
    // And once more without a crash.
    fs.writeFileSync(filler, incompressible(56_000_000, 1));
    writeFiles(a.folder, { "notes.txt": "third" });
    await b.instance.waitForEvent("halted");
    fs.rmSync(filler);
    await waitForEqualTrees([a.folder, b.folder]);
    await b.instance.waitForEvent("resumed");
    await waitFor(async () => (await b.instance.status()).halted === null, { until: "no halt in the status" });
    await b.instance.waitForSync();
  },
);

test(
  "what may not be written is listed with its reason, leaves nothing behind, and arrives when it may",
  { skip: whyNoMounts() },
  async (t) => {
    const mounted = mounts(t);
    const [a, b] = machines(t, 2) as [Machine, Machine];
    const content = incompressible(3_000_000, 1);
    writeFiles(a.folder, {
      "locked/old.txt": "first",
      "locked/gone.txt": "gone",
      "locked/dir/gone.txt": "gone",
      "same.bin": content,
      "dir/file.txt": "first",
    });
    await startPair(a, b);
    await waitForEqualTrees([a.folder, b.folder]);
    // A read-only file system in the middle of the folder.
    const locked = join(b.folder, "locked");
    mounted.mount(["--bind", locked, locked]);
    mounted.mount(["-o", "remount,bind,ro", locked]);
    writeFiles(a.folder, {
      "locked/old.txt": "second",
      "locked/new.txt": "new",
      "locked/copy of same.bin": content,
      "locked/sub/new.txt": "new",
      "dir/file.txt": "second",
    });
    fs.symlinkSync("old.txt", join(a.folder, "locked/link"));
    fs.rmSync(join(a.folder, "locked/gone.txt"));
    fs.rmSync(join(a.folder, "locked/dir"), { recursive: true });
    const expected = ["copy of same.bin", "dir/gone.txt", "gone.txt", "link", "new.txt", "old.txt", "sub"];
    const status = await waitFor(
      async () => {
        const found = await b.instance.status();
        const failed = new Set(found.failed.map(({ path }) => path));
        if (expected.every((path) => failed.has(`locked/${path}`))) return found;
        throw new Error(JSON.stringify(found.failed));
      },
      { until: "every path to be listed" },
    );
    for (const { path, reason } of status.failed) assert.match(reason, /read-only/, path);
    await waitFor(() => fs.readFileSync(join(b.folder, "dir/file.txt"), "utf8") === "second", { until: "the rest" });
    assert.equal(fs.readFileSync(join(locked, "old.txt"), "utf8"), "first");
    await waitFor(() => fs.readdirSync(join(b.folder, ".dsync/staging")).length === 0, { until: "an empty staging" });
    assert.equal(fs.readFileSync(join(a.folder, "locked/old.txt"), "utf8"), "second");
    assert.deepEqual(fs.existsSync(join(a.folder, "locked/gone.txt")), false);
    mounted.unmount(locked);
    await waitForEqualTrees([a.folder, b.folder]);
    assert.deepEqual((await b.instance.waitForSync()).failed, []);
  },
);

test("another file system below the folder takes part", { skip: whyNoMounts() }, async (t) => {
  const mounted = mounts(t);
  const [a, b] = machines(t, 2) as [Machine, Machine];
  fs.mkdirSync(join(b.folder, "other"));
  mounted.tmpfs(join(b.folder, "other"), 64);
  writeFiles(a.folder, {
    "other/small.txt": "small",
    "other/big.bin": incompressible(3_000_000, 1),
    "other/dir/x": "x",
    "moves.txt": "moves",
  });
  fs.symlinkSync("small.txt", join(a.folder, "other/link"));
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  fs.renameSync(join(a.folder, "moves.txt"), join(a.folder, "other/moved.txt"));
  fs.renameSync(join(a.folder, "other/big.bin"), join(a.folder, "big.bin"));
  writeFiles(a.folder, { "other/small.txt": "smaller" });
  fs.rmSync(join(a.folder, "other/link"));
  fs.symlinkSync("dir/x", join(a.folder, "other/link"));
  fs.rmSync(join(a.folder, "other/dir/x"));
  await waitForEqualTrees([a.folder, b.folder]);
  writeFiles(b.folder, { "other/from b.txt": "b" });
  await waitForEqualTrees([a.folder, b.folder]);
  assert.deepEqual((await b.instance.waitForSync()).failed, []);
});
