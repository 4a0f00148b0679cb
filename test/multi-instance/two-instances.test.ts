// Two real dsync processes on loopback: what people do all day, on either side.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CHUNK_SIZE_BYTES_MAX, CHUNK_SIZE_BYTES_MIN, INLINE_CONTENT_BYTES_MAX } from "../../src/core/limits.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import {
  assertTreesEqual,
  differences,
  incompressible,
  snapshot,
  waitForEqualTrees,
  writeFiles,
} from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

async function settle(a: Machine, b: Machine): Promise<void> {
  await waitForEqualTrees([a.folder, b.folder]);
  const [first, second] = await Promise.all([a.instance.waitForSync(), b.instance.waitForSync()]);
  assert.equal(first.merkleRoot, second.merkleRoot);
  assertTreesEqual(a.folder, b.folder);
}

function conflictsIn(folder: string): string[] {
  return [...snapshot(folder).keys()].filter((path) => path.includes(".conflict-"));
}

test("a first sync carries files, links, modes, times and empty directories", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, {
    "hello.txt": "hello",
    "empty.txt": "",
    "deep/er/and/deeper/file.bin": incompressible(300_000, 1),
    "big.bin": incompressible(5_000_000, 2),
    "script.sh": "#!/bin/sh\n",
  });
  fs.chmodSync(join(a.folder, "script.sh"), 0o755);
  fs.mkdirSync(join(a.folder, "empty directory"));
  fs.symlinkSync("hello.txt", join(a.folder, "link"));
  fs.symlinkSync("../nowhere", join(a.folder, "dangling"));
  fs.utimesSync(join(a.folder, "hello.txt"), 1_234_567_890.123456, 1_234_567_890.123456);
  await startPair(a, b);
  await settle(a, b);
  assert.equal(fs.readFileSync(join(b.folder, "hello.txt"), "utf8"), "hello");
  assert.equal(fs.readlinkSync(join(b.folder, "dangling")), "../nowhere");
});

test("live changes arrive, from either side", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await startPair(a, b);
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const file = join(from.folder, "note.txt");
    fs.writeFileSync(file, "one");
    await settle(from, to);
    fs.writeFileSync(file, "two, edited");
    await settle(from, to);
    fs.appendFileSync(file, " and appended");
    await settle(from, to);
    fs.renameSync(file, join(from.folder, "renamed.txt"));
    await settle(from, to);
    writeFiles(from.folder, { "dir/sub/x": "x", "dir/sub/y": "y", "dir/z": incompressible(200_000, 3) });
    await settle(from, to);
    fs.renameSync(join(from.folder, "dir"), join(from.folder, "moved"));
    await settle(from, to);
    fs.chmodSync(join(from.folder, "moved/z"), 0o600);
    await settle(from, to);
    fs.rmSync(join(from.folder, "moved"), { recursive: true });
    fs.rmSync(join(from.folder, "renamed.txt"));
    await settle(from, to);
    assert.equal(snapshot(to.folder).size, 0);
  }
});

test("folders that are equal already meet without conflict copies and next to no traffic", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  for (const { folder } of [a, b]) {
    writeFiles(folder, { "same.txt": "same", "dir/big.bin": incompressible(3_000_000, 4) });
    for (const path of ["same.txt", "dir/big.bin"]) fs.utimesSync(join(folder, path), 1_700_000_000, 1_700_000_000);
  }
  await startPair(a, b);
  await settle(a, b);
  assert.deepEqual(conflictsIn(a.folder), []);
  const { traffic } = await a.instance.status();
  assert.ok(traffic.sentBytes + traffic.receivedBytes < 100_000, JSON.stringify(traffic));
});

test("what a folder holds already is not fetched from a peer that is ahead with reading it", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  // Large enough that it is left alone for a moment after it was written.
  const files = { "small.txt": "small", "dir/large.bin": incompressible(10_000_000, 5) };
  for (const machine of [a, b]) {
    writeFiles(machine.folder, files);
    for (const path of Object.keys(files)) fs.utimesSync(join(machine.folder, path), 1_700_000_000, 1_700_000_000);
    if (machine === a) {
      await a.start();
      await waitFor(async () => (await a.instance.status()).entries === 3, { until: "a to have read its files" });
    }
  }
  await b.start({ peers: [a.instance.port] });
  await settle(a, b);
  assert.deepEqual(conflictsIn(a.folder), []);
  const { traffic } = await a.instance.status();
  assert.ok(traffic.sentBytes + traffic.receivedBytes < 100_000, JSON.stringify(traffic));
});

test("of a change inside a large file only what changed is sent", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const content = incompressible(30_000_000, 6);
  const file = join(a.folder, "image.bin");
  fs.writeFileSync(file, content);
  await startPair(a, b);
  await settle(a, b);
  const sentFor = async (change: () => void): Promise<number> => {
    const { traffic: before } = await a.instance.status();
    change();
    await settle(a, b);
    const { traffic: after } = await a.instance.status();
    return after.sentBytes - before.sentBytes;
  };
  const overwritten = await sentFor(() => {
    incompressible(1_000_000, 7).copy(content, 15_000_000);
    fs.writeFileSync(file, content);
  });
  assert.ok(overwritten < 4_000_000, `${overwritten} bytes for 1 MB`);
  const inserted = await sentFor(() => fs.writeFileSync(file, Buffer.concat([Buffer.from("!"), content])));
  assert.ok(inserted < 2_000_000, `${inserted} bytes for one`);
  // Back to what the trash holds.
  const undone = await sentFor(() => fs.writeFileSync(file, content));
  assert.ok(undone < 100_000, `${undone} bytes for what is in the trash`);
});

test("sizes just below, at and above each bound arrive, at the first sync and as edits, from either side", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const bounds = [INLINE_CONTENT_BYTES_MAX, CHUNK_SIZE_BYTES_MIN, CHUNK_SIZE_BYTES_MAX];
  const sizes = [0, 1, ...bounds.flatMap((bound) => [bound - 1, bound, bound + 1])];
  const writeSizes = (machine: Machine, { round, seed }: { round: number; seed: number }): void => {
    for (const index of sizes.keys()) {
      const size = sizes[(index + round) % sizes.length] ?? 0;
      writeFiles(machine.folder, {
        [`of ${seed}/random ${index}`]: incompressible(size, seed + round * sizes.length + index),
        // Equal bytes have no bounds inside: chunks are then as large as they may be.
        [`of ${seed}/equal ${index}`]: Buffer.alloc(size, seed + round),
      });
    }
  };
  writeSizes(a, { round: 0, seed: 100 });
  writeSizes(b, { round: 0, seed: 200 });
  await startPair(a, b);
  await settle(a, b);
  // Each file takes the next size, the largest becomes empty; each is written where it came to.
  writeSizes(a, { round: 1, seed: 200 });
  writeSizes(b, { round: 1, seed: 100 });
  await settle(a, b);
  assert.equal(snapshot(a.folder).size, 2 + 4 * sizes.length);
  assert.deepEqual(conflictsIn(a.folder), []);
  for (const { instance } of [a, b]) {
    assert.deepEqual((await instance.status()).failed, []);
    // What one side takes for too much ends the session; then it comes another way.
    assert.deepEqual(
      instance.events.filter(({ event }) => event === "peer-left"),
      [],
    );
  }
});

test("folders that differ become their union", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "only-a.txt": "a", "shared/from-a.txt": "a" });
  writeFiles(b.folder, { "only-b.txt": "b", "shared/from-b.txt": "b" });
  await startPair(a, b);
  await settle(a, b);
  const files = [...snapshot(a.folder)].filter(([, line]) => line.startsWith("file")).map(([path]) => path);
  assert.deepEqual(files.toSorted(), ["only-a.txt", "only-b.txt", "shared/from-a.txt", "shared/from-b.txt"]);
});

test("a delete while the other side is away stays deleted after both restart", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "keep.txt": "keep", "gone.txt": "gone", "dir/gone too.txt": "gone" });
  await startPair(a, b);
  await settle(a, b);
  await b.stop();
  fs.rmSync(join(a.folder, "gone.txt"));
  fs.rmSync(join(a.folder, "dir"), { recursive: true });
  await waitFor(async () => (await a.instance.status()).entries === 1, { until: "the deletes to be noticed" });
  await a.stop();
  await startPair(a, b);
  await settle(a, b);
  assert.deepEqual([...snapshot(b.folder).keys()], ["keep.txt"]);
});

test("a file edited on both sides while apart leaves one conflict copy, of one name", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "report.txt": "first" });
  await startPair(a, b);
  await settle(a, b);
  await a.stop();
  await b.stop();
  fs.writeFileSync(join(a.folder, "report.txt"), "from a");
  fs.writeFileSync(join(b.folder, "report.txt"), "from b");
  await startPair(a, b);
  await settle(a, b);
  const copies = conflictsIn(a.folder);
  assert.equal(copies.length, 1, copies.join());
  const contents = ["report.txt", ...copies].map((path) => fs.readFileSync(join(b.folder, path), "utf8"));
  assert.deepEqual(contents.toSorted(), ["from a", "from b"]);
  assert.equal((await a.instance.status()).conflicts, 1);
});

test("an edit made at the same time as a delete survives it", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "dir/file.txt": "first" });
  await startPair(a, b);
  await settle(a, b);
  await a.stop();
  await b.stop();
  fs.rmSync(join(a.folder, "dir"), { recursive: true });
  fs.writeFileSync(join(b.folder, "dir/file.txt"), "edited");
  await startPair(a, b);
  await settle(a, b);
  assert.equal(fs.readFileSync(join(a.folder, "dir/file.txt"), "utf8"), "edited");
  assert.deepEqual(conflictsIn(a.folder), []);
});

test("odd names arrive", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const names = [
    "-leading",
    "new\nline",
    "emoji 🎉",
    "trailing dot.",
    "trailing space ",
    "con",
    "aux.txt",
    "a:b",
    "back\\slash",
    "ä".normalize("NFC"),
    "ö".normalize("NFD"),
    "x".repeat(255),
    "é".normalize("NFC").repeat(127),
    ".hidden",
    "tab\there",
  ];
  for (const name of names) writeFiles(a.folder, { [name]: name, [`directory ${name.slice(0, 100)}/inside`]: name });
  await startPair(a, b);
  await settle(a, b);
  fs.appendFileSync(join(a.folder, "ö".normalize("NFD")), "more");
  await settle(a, b);
  assert.equal(snapshot(b.folder).size, names.length * 3);
});

test("a git repository stays sound on the other side", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await startPair(a, b);
  const work = join(a.folder, "work");
  const git = (folder: string, ...args: string[]): string =>
    execFileSync("git", [`--git-dir=${folder}/repository`, `--work-tree=${folder}`, ...args], { encoding: "utf8" });
  fs.mkdirSync(work);
  git(work, "init", "-q");
  for (let commit = 0; commit < 12; commit++) {
    writeFiles(work, { [`file${commit % 5}.txt`]: `content ${commit}\n`.repeat(50) });
    git(work, "add", "--", `file${commit % 5}.txt`);
    git(work, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", `commit ${commit}`);
  }
  await settle(a, b);
  assert.equal(git(join(b.folder, "work"), "fsck", "--strict"), "");
  assert.equal(git(join(b.folder, "work"), "log", "--oneline").split("\n").length, 13);
});

test("many files at once arrive whole", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await startPair(a, b);
  for (let index = 0; index < 2_000; index++) {
    writeFiles(a.folder, { [`dir${index % 20}/file${index}`]: `content of ${index}\n`.repeat(20) });
  }
  await settle(a, b);
  assert.equal(differences(snapshot(a.folder), snapshot(b.folder)).length, 0);
});
