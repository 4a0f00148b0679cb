// Rights that a user does not have, and a folder that turns read-only: listed with a way out, the rest goes on, and what
// was held up arrives when it may.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { mounts, whyNoMounts } from "../support/mounts.ts";
import { incompressible, waitForEqualContents, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

const MAIN = fileURLToPath(new URL("../../app/main.js", import.meta.url));
/** The user that owns nothing. */
const OTHER_ID = 65_534;

function whyNoOtherUser(): string | false {
  if (process.getuid?.() !== 0) return "needs root, to run as another user";
  const tried = spawnSync(process.execPath, [MAIN, "--version"], { uid: OTHER_ID, gid: OTHER_ID, stdio: "ignore" });
  return tried.status === 0 ? false : "needs a node and a dist/ that other users may read";
}

function giveTo(id: number, ...paths: readonly string[]): void {
  for (const path of paths) {
    fs.lchownSync(path, id, id);
    if (!fs.lstatSync(path).isDirectory()) continue;
    giveTo(id, ...fs.readdirSync(path).map((name) => join(path, name)));
  }
}

async function waitForFailed(machine: Machine, expected: readonly string[]): Promise<void> {
  await waitFor(
    async () => {
      const { failed } = await machine.instance.status();
      assert.deepEqual(failed.map(({ path }) => path).toSorted(), expected.toSorted());
      for (const { path, reason } of failed)
        assert.match(reason, /permission denied: give the user .+ the right/, path);
      return true;
    },
    { until: "exactly these problems", intervalMs: 200 },
  );
}

test("a copy of what may not be written here arrives all the same", { skip: whyNoOtherUser() }, async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  fs.chmodSync(dirname(dirname(b.folder)), 0o711);
  writeFiles(b.folder, { "locked/old.txt": "old" });
  giveTo(OTHER_ID, dirname(b.folder));
  fs.chownSync(join(b.folder, "locked"), 0, 0);
  await a.start();
  await b.start({ peers: [a.instance.port], userId: OTHER_ID });
  await waitFor(() => fs.existsSync(join(a.folder, "locked/old.txt")), { until: "a first sync" });
  // Some of them are fetched for the path that may not be written, and some for the other one.
  const names = Array.from({ length: 12 }, (_, index) => `file ${index}`);
  for (const [index, name] of names.entries()) {
    const content = incompressible(index % 2 === 0 ? 100_000 : 700_000, index);
    writeFiles(a.folder, { [`locked/${name}`]: content, [name]: content });
  }
  await waitForFailed(
    b,
    names.map((name) => `locked/${name}`),
  );
  for (const name of names) await waitFor(() => fs.existsSync(join(b.folder, name)), { until: name });
});

test(
  "a user without the rights: listed, the rest goes on, and solved when the rights are there",
  { skip: whyNoOtherUser() },
  async (t) => {
    const [a, b] = machines(t, 2) as [Machine, Machine];
    fs.chmodSync(dirname(dirname(b.folder)), 0o711);
    writeFiles(b.folder, {
      "unreadable.txt": "secret",
      "closed/inside.txt": "inside",
      "locked/old.txt": "old",
      "open.txt": "open",
    });
    giveTo(OTHER_ID, dirname(b.folder));
    const foreign = ["unreadable.txt", "closed", "locked"].map((name) => join(b.folder, name));
    for (const path of foreign) fs.chownSync(path, 0, 0);
    fs.chmodSync(join(b.folder, "unreadable.txt"), 0o600);
    fs.chmodSync(join(b.folder, "closed"), 0o700);
    await a.start();
    await b.start({ peers: [a.instance.port], userId: OTHER_ID });
    await b.instance.waitForEvent("peer-joined");
    await waitForFailed(b, ["unreadable.txt", "closed"]);
    await waitFor(() => fs.existsSync(join(a.folder, "locked/old.txt")), { until: "what may be read" });
    assert.ok(!fs.existsSync(join(a.folder, "unreadable.txt")));
    // What may not be written.
    writeFiles(a.folder, { "locked/new.txt": "new", "locked/old.txt": "newer", "open.txt": "opened" });
    await waitForFailed(b, ["unreadable.txt", "closed", "locked/new.txt", "locked/old.txt"]);
    await waitFor(() => fs.readFileSync(join(b.folder, "open.txt"), "utf8") === "opened", { until: "the rest" });
    assert.equal(fs.readFileSync(join(b.folder, "locked/old.txt"), "utf8"), "old");
    giveTo(OTHER_ID, ...foreign);
    await waitForEqualContents([a.folder, b.folder]);
    await waitForFailed(b, []);
    assert.equal(fs.readFileSync(join(a.folder, "unreadable.txt"), "utf8"), "secret");
    assert.equal(fs.readFileSync(join(a.folder, "closed/inside.txt"), "utf8"), "inside");
    // It is watched from now on, too.
    fs.writeFileSync(join(b.folder, "closed/later.txt"), "later");
    await waitFor(() => fs.existsSync(join(a.folder, "closed/later.txt")), { until: "a file made in it" });
    assert.equal((await a.instance.waitForSync()).conflicts, 0);
  },
);

test(
  "a folder that turns read-only while it is synced: nothing is deleted, and it goes on by itself",
  { skip: whyNoMounts() },
  async (t) => {
    const mounted = mounts(t);
    const [a, b] = machines(t, 2) as [Machine, Machine];
    mounted.tmpfs(b.folder, 64);
    writeFiles(a.folder, { "notes.txt": "first", "gone.txt": "gone", "dir/file.txt": "x" });
    await startPair(a, b);
    await waitForEqualTrees([a.folder, b.folder]);
    // The index goes on being written: its file was opened before.
    mounted.mount(["--bind", b.folder, b.folder]);
    mounted.mount(["-o", "remount,bind,ro", b.folder]);
    writeFiles(a.folder, { "notes.txt": "second", "dir/new.txt": "new" });
    fs.rmSync(join(a.folder, "gone.txt"));
    const expected = ["dir/new.txt", "gone.txt", "notes.txt"];
    await waitFor(
      async () => {
        const { failed } = await b.instance.status();
        assert.deepEqual(failed.map(({ path }) => path).toSorted(), expected);
        for (const { path, reason } of failed) assert.match(reason, /read-only: mount it writable/, path);
        return true;
      },
      { until: "every path to be listed", intervalMs: 200 },
    );
    assert.equal(fs.readFileSync(join(b.folder, "notes.txt"), "utf8"), "first");
    assert.ok(!fs.existsSync(join(a.folder, "gone.txt")), "a delete undone by a disk that cannot delete");
    mounted.unmount(b.folder, { isLazy: true });
    await waitForEqualTrees([a.folder, b.folder]);
    assert.deepEqual((await b.instance.waitForSync()).failed, []);
    assert.equal((await a.instance.waitForSync()).conflicts, 0);
  },
);
