// Strange names, depths, times and counts, and moves that contradict each other: everything arrives, and nothing is lost.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { incompressible, snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

const STRANGE_NAMES = [
  "-rf",
  "--help",
  "two\nlines",
  "tab\tand\u0007bell",
  "\u001b[31mred",
  "emoji 👩‍👩‍👧 🏳️‍🌈",
  "ü composed",
  "x".repeat(255),
  `${"é".repeat(127)}x`,
  "trailing dot.",
  "trailing space ",
  " ",
  "...",
  "con",
  "aux.txt",
  "a:b",
  'quo"te',
  "back\\slash",
  "*?<>|",
  "%2e%2e",
  "$(touch nothing)",
  "new-1-0",
  "probe",
  "0".repeat(64),
  ".dsync-1-0",
  "notes.conflict-a-20200101-000000-abcd.txt",
];

test("strange names, as files and as directories", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  for (const name of STRANGE_NAMES) {
    writeFiles(a.folder, { [name]: `file ${name}`, [`dir/${name}/${name}`]: "inside", [`sub/${name}`]: "x" });
  }
  writeFiles(a.folder, { "deeper/.dsync/staging/x": "x", "deeper/.dsync/lock": "x" });
  // Never synced, and never touched.
  writeFiles(a.folder, { "stays.part": "a", "dir/.dsync-1-0.part": "a" });
  writeFiles(b.folder, { "stays.part": "b" });
  fs.symlinkSync("two\nlines", join(a.folder, "link\nto two lines"));
  await startPair(a, b);
  const withoutPartial = (folder: string): ReadonlyMap<string, string> =>
    new Map([...snapshot(folder)].filter(([path]) => !path.endsWith(".part")));
  const equal = async (until: string): Promise<void> => {
    await waitFor(
      () => {
        assert.deepEqual(withoutPartial(b.folder), withoutPartial(a.folder));
        return true;
      },
      { until, intervalMs: 100 },
    );
  };
  await equal("equal trees");
  assert.equal(fs.readFileSync(join(b.folder, "deeper/.dsync/lock"), "utf8"), "x");
  for (const name of STRANGE_NAMES) {
    fs.appendFileSync(join(b.folder, name), " and more");
    fs.rmSync(join(b.folder, "dir", name), { recursive: true });
    fs.renameSync(join(b.folder, "sub", name), join(b.folder, "deeper", name));
  }
  await equal("equal trees after edits, deletes and moves");
  assert.equal(fs.readFileSync(join(a.folder, "stays.part"), "utf8"), "a");
  assert.equal(fs.readFileSync(join(b.folder, "stays.part"), "utf8"), "b");
  const status = await b.instance.waitForSync();
  // Two by their names alone.
  assert.deepEqual([status.failed, status.conflicts], [[], 2]);
});

test("64 levels deep, and times from before 1970 to 2200", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const deep = Array.from({ length: 64 }, (_, level) => `level ${level}`).join("/");
  const times = ["1901-12-14T00:00:00", "1969-12-31T23:59:59.5", "1970-01-01T00:00:00", "2038-01-20T00:00:00"];
  times.push("2106-02-08T00:00:00", "2200-01-01T00:00:00.123456");
  writeFiles(a.folder, { [`${deep}/file`]: "deep" });
  for (const time of times) {
    writeFiles(a.folder, { [time.replaceAll(":", "-")]: time });
    execFileSync("touch", ["-d", `${time}Z`, join(a.folder, time.replaceAll(":", "-"))]);
  }
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  // An edit of what comes from the future counts, whatever its time says.
  const future = times.at(-1)?.replaceAll(":", "-") ?? "";
  fs.writeFileSync(join(b.folder, future), "edited");
  await waitForEqualTrees([a.folder, b.folder]);
  assert.equal(fs.readFileSync(join(a.folder, future), "utf8"), "edited");
  const first = times[0]?.replaceAll(":", "-") ?? "";
  fs.writeFileSync(join(a.folder, first), "edited and put back");
  execFileSync("touch", ["-d", `${times[0]}Z`, join(a.folder, first)]);
  await waitForEqualTrees([a.folder, b.folder]);
  assert.equal(fs.readFileSync(join(b.folder, first), "utf8"), "edited and put back");
  fs.renameSync(join(b.folder, "level 0/level 1"), join(b.folder, "moved up"));
  // What waits for its parent is decided again and again: more in one go than the puller does, and nothing is forgotten.
  await waitForEqualTrees([a.folder, b.folder], 30_000);
  fs.rmSync(join(a.folder, "moved up"), { recursive: true });
  await waitForEqualTrees([a.folder, b.folder]);
  const status = await a.instance.waitForSync();
  assert.deepEqual([status.failed, status.conflicts, status.entries], [[], 0, times.length + 1]);
});

function contentsOf(folder: string): Set<string> {
  const paths = [...snapshot(folder).keys()].map((path) => join(folder, path));
  return new Set(
    paths.filter((path) => fs.lstatSync(path).isFile()).map((path) => fs.readFileSync(path, "utf8").slice(0, 20)),
  );
}

for (const isApart of [true, false]) {
  const when = isApart ? "while they are apart" : "at the same time";
  test(`a directory is moved into its sibling, and the sibling into it, ${when}`, async (t) => {
    const [a, b] = machines(t, 2) as [Machine, Machine];
    writeFiles(a.folder, {
      "x/one.txt": "one",
      "x/deep/two.txt": "two",
      "y/three.txt": "three",
      "y/deep/four.txt": "4",
    });
    await startPair(a, b);
    await waitForEqualTrees([a.folder, b.folder]);
    const expected = contentsOf(a.folder);
    if (isApart) await Promise.all([a.stop(), b.stop()]);
    fs.renameSync(join(a.folder, "x"), join(a.folder, "y/x"));
    fs.renameSync(join(b.folder, "y"), join(b.folder, "x/y"));
    if (isApart) await startPair(a, b);
    await waitFor(
      async () => {
        const [first, second] = await Promise.all([a.instance.status(), b.instance.status()]);
        return first.inSync && second.inSync && first.merkleRoot === second.merkleRoot && first.peers.length === 1;
      },
      { until: "both in sync", intervalMs: 300 },
    );
    await waitForEqualTrees([a.folder, b.folder]);
    assert.deepEqual(contentsOf(a.folder), expected);
    assert.deepEqual((await a.instance.waitForSync()).failed, []);
  });
}

/** Renames in a row, as `mv` does it. */
function rename(folder: string, ...moves: readonly (readonly [from: string, to: string])[]): void {
  for (const [from, to] of moves) fs.renameSync(join(folder, from), join(folder, to));
}

test("three files that take each other's names in turn, and two directories that swap theirs", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const contents = Object.fromEntries(
    ["a.bin", "b.bin", "c.bin", "x/one.bin", "x/deep/two.bin", "y/one.bin", "y/three.bin"].map((path, index) => [
      path,
      incompressible(1_000_000, index + 1),
    ]),
  );
  writeFiles(a.folder, contents);
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  await Promise.all([a.instance.waitForSync(), b.instance.waitForSync()]);
  const { traffic: before } = await a.instance.status();
  const assertHolds = ({ folder }: Machine, places: Readonly<Record<string, string>>): void => {
    for (const [path, former] of Object.entries(places)) {
      assert.ok(contents[former]?.equals(fs.readFileSync(join(folder, path))), `${path} is not ${former}`);
    }
  };
  rename(a.folder, ["c.bin", "aside"], ["b.bin", "c.bin"], ["a.bin", "b.bin"], ["aside", "a.bin"]);
  const rotated = { "b.bin": "a.bin", "c.bin": "b.bin", "a.bin": "c.bin" };
  await waitForEqualTrees([a.folder, b.folder]);
  assertHolds(b, rotated);
  // From the other side, at once.
  rename(b.folder, ["x", "aside"], ["y", "x"], ["aside", "y"]);
  await waitForEqualTrees([a.folder, b.folder]);
  const swapped = {
    "y/one.bin": "x/one.bin",
    "y/deep/two.bin": "x/deep/two.bin",
    "x/one.bin": "y/one.bin",
    "x/three.bin": "y/three.bin",
  };
  for (const machine of [a, b]) assertHolds(machine, { ...rotated, ...swapped });
  const [status, other] = await Promise.all([a.instance.waitForSync(), b.instance.waitForSync()]);
  assert.deepEqual([status.conflicts, status.failed, other.failed, status.entries], [0, [], [], 10]);
  const passed = ({ sentBytes, receivedBytes }: typeof before): number => sentBytes + receivedBytes;
  const movedBytes = passed(status.traffic) - passed(before);
  assert.ok(movedBytes < 100_000, `${movedBytes} bytes for moves`);
});

test("very many files in one directory", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const isLarge = process.env["DSYNC_TEST_LARGE"] !== undefined;
  const count = isLarge ? 100_000 : 20_000;
  const deadlineMs = count * 10;
  fs.mkdirSync(join(a.folder, "many"));
  for (let index = 0; index < count; index++)
    fs.writeFileSync(join(a.folder, `many/file ${index}`), `content ${index}`);
  await startPair(a, b);
  const arrived = (): number =>
    fs.readdirSync(b.folder).includes("many") ? fs.readdirSync(join(b.folder, "many")).length : 0;
  await waitFor(() => arrived() === count, { until: "all files", deadlineMs, intervalMs: 200 });
  await waitForEqualTrees([a.folder, b.folder], deadlineMs);
  if (isLarge) {
    fs.renameSync(join(b.folder, "many"), join(b.folder, "moved"));
    writeFiles(a.folder, { "meanwhile.txt": "x" });
    await waitFor(() => fs.existsSync(join(b.folder, "meanwhile.txt")), { until: "a new file", deadlineMs });
    await waitFor(() => !fs.existsSync(join(a.folder, "many")), { until: "the move", deadlineMs, intervalMs: 200 });
    await waitForEqualTrees([a.folder, b.folder], deadlineMs);
  }
  const status = await a.instance.waitForSync({ deadlineMs });
  assert.deepEqual([status.failed, status.conflicts, status.entries], [[], 0, count + (isLarge ? 2 : 1)]);
});
