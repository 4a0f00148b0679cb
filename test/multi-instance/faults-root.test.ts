// The folder goes away, comes back older, or comes twice: nothing that is missing then counts as deleted.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DsyncProcess } from "../support/dsync-process.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { mounts, whyNoMounts } from "../support/mounts.ts";
import { incompressible, snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";

test(
  "a disk that is unmounted while it is synced: code 4, and the others keep everything",
  { skip: whyNoMounts() },
  async (t) => {
    const mounted = mounts(t);
    const [a, b] = machines(t, 2) as [Machine, Machine];
    const image = mounted.image(64, ["mkfs.ext4", "-q", "-F"]);
    mounted.mount(["-o", "loop", image, a.folder]);
    fs.rmdirSync(join(a.folder, "lost+found"));
    writeFiles(a.folder, { "dir/file.txt": "x", "big.bin": incompressible(3_000_000, 1) });
    await startPair(a, b);
    await waitForEqualTrees([a.folder, b.folder]);
    const before = snapshot(b.folder);
    // Nothing happens in the folder: it is not by accident that somebody notices.
    mounted.unmount(a.folder, { isLazy: true });
    assert.equal(await a.instance.exited(), 4);
    assert.deepEqual(fs.readdirSync(a.folder), [], "written below the mount point");
    // Stopped, and the disk is still not there.
    const stopped = DsyncProcess.launch({ folder: a.folder, home: a.home, peers: [b.instance.port] });
    assert.equal(await stopped.exited(), 4);
    assert.match(stopped.stderr, /not the folder that it was/);
    assert.deepEqual(fs.readdirSync(a.folder), [], "written below the mount point");
    assert.deepEqual(snapshot(b.folder), before);
    writeFiles(b.folder, { "made meanwhile.txt": "b" });
    mounted.mount(["-o", "loop", image, a.folder]);
    await a.start({ peers: [b.instance.port] });
    await waitForEqualTrees([a.folder, b.folder]);
    assert.equal(snapshot(a.folder).size, before.size + 1);
  },
);

test(
  "a disk that goes while content arrives: nothing is written below its mount point",
  { skip: whyNoMounts() },
  async (t) => {
    const mounted = mounts(t);
    const [a, b] = machines(t, 2) as [Machine, Machine];
    mounted.tmpfs(b.folder, 400);
    for (let index = 0; index < 3_000; index++) writeFiles(a.folder, { [`top${index}/file`]: `content ${index}` });
    await a.start();
    await b.start({ peers: [a.instance.port] });
    await b.instance.waitForEvent("changed");
    mounted.unmount(b.folder, { isLazy: true });
    assert.equal(await b.instance.exited(), 4);
    assert.deepEqual(fs.readdirSync(b.folder), [], "written below the mount point");
    assert.equal(snapshot(a.folder).size, 6_000);
  },
);
