import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";
import { drive } from "../../test/support/drive.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { ScannerWorld, type ScannerWorldOptions } from "../../test/support/scanner-world.ts";
import { waitFor } from "../../test/support/wait.ts";
import {
  ALONE_MS,
  DELETION_DELAY_MS,
  HASHED_PER_MS_BYTES_MAX,
  LARGE_FILE_BYTES,
  LARGE_FILE_QUIET_MS,
  RETRY_MS_MIN,
} from "../core/limits.ts";
import { parsePath, type RelativePath } from "../core/path.ts";
import { systemClock } from "../edge/clock.ts";
import type { FileSystem, Stat } from "../edge/file-system.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { EMPTY_ENTRY } from "../index/entry.ts";

async function inWorld(action: (world: ScannerWorld) => Promise<void>, options?: ScannerWorldOptions): Promise<void> {
  const world = new ScannerWorld(options);
  try {
    await action(world);
  } finally {
    world.close();
  }
}

const MS_PER_HOUR = 3_600_000;

/** In a time that moves only when the test waits, and in which what is on the disk is an hour old. */
async function inFakeTime(action: (world: ScannerWorld, clock: FakeClock) => Promise<void>): Promise<void> {
  const clock = new FakeClock(Date.now() + MS_PER_HOUR);
  await inWorld((world) => action(world, clock), { clock });
}

/** The same, of a watcher that tells of things as they happen. */
async function inPromptWorld(action: (world: ScannerWorld, clock: FakeClock) => Promise<void>): Promise<void> {
  const clock = new FakeClock(Date.now() + MS_PER_HOUR);
  await inWorld((world) => action(world, clock), { clock, hasPromptHints: true, ignore: "*.log\n" });
}

test("the first scan reports everything, parents first; the next one nothing", () =>
  inWorld(async (world) => {
    for (let i = 0; i < 300; i++) world.write(`d${i % 7}/e${i % 3}/f${i}`);
    fs.mkdirSync(world.disk("empty"));
    fs.symlinkSync("d0/../nowhere", world.disk("link"));
    await world.settle();
    await world.scanner.fullScan();
    await world.quiet();
    assert.deepEqual([world.reported, world.hashed], [[], []]);
  }));

test("a saved small file is reported with its content within milliseconds of the hint", () =>
  inFakeTime(async (world, clock) => {
    world.write("a.txt", "one");
    await world.settle();
    world.write("a.txt", "two!");
    world.hint("a.txt");
    await drive(clock, () => world.batches.length > 0, { what: "it is reported", simulatedMsMax: 20 });
    const [observation] = world.batches[0] ?? [];
    assert.ok(observation?.kind === "present");
    assert.equal(Buffer.from(observation.inline ?? []).toString(), "two!");
  }));

test("what the index says already is nobody's news: a record with the signature on disk is an own write", () =>
  inWorld(async (world) => {
    world.write("a/b", "x");
    await world.settle();
    world.hint("a", "a/b", "a/b", "nothing/here");
    await world.quiet();
    assert.deepEqual([world.reported, world.hashed], [[], []]);
  }));

test("a touch is reported with its new mtime, and a link count alone as touched", () =>
  inWorld(async (world) => {
    world.write("a", "x");
    await world.settle();
    fs.utimesSync(world.disk("a"), 1000, 1000);
    world.hint("a");
    await world.quiet();
    assert.deepEqual(world.reported, ["+ a"]);
    fs.linkSync(world.disk("a"), world.disk(".dsync/a"));
    world.forget();
    world.hint("a");
    await world.quiet();
    assert.deepEqual(world.reported, ["~ a"]);
    world.assertMatchesDisk();
  }));

test("a moved file is not read again, and both halves leave in one batch, the creation first", () =>
  inWorld(async (world) => {
    world.write("a", "content");
    world.write("d/x", "more");
    await world.settle();
    fs.renameSync(world.disk("a"), world.disk("d/b"));
    world.hint("a", "d/b");
    await world.quiet();
    assert.deepEqual(
      world.batches.map((batch) => batch.length),
      [2],
    );
    assert.deepEqual([world.reported, world.hashed], [["+ d/b < a", "- a"], []]);
    world.assertMatchesDisk();
  }));

test("what moved from a path that the index holds no signature of is read, and the path reported absent", () =>
  inFakeTime(async (world) => {
    world.write("a", "content");
    world.write("b", "other");
    await world.settle();
    for (const path of ["a", "b"]) {
      const record = world.store.get(parsePath(path) as RelativePath);
      assert.ok(record !== undefined);
      world.store.put({ ...record, signature: undefined });
    }
    fs.renameSync(world.disk("a"), world.disk("c"));
    await world.scan();
    await world.quiet();
    assert.deepEqual(world.hashed.toSorted(), ["b", "c"]);
    assert.deepEqual(world.reported.toSorted(), ["+ c", "- a", "~ b"]);
    world.assertMatchesDisk();
  }));

test("a moved tree is not read again: one batch, parents first, then deletions, deepest first", () =>
  inWorld(async (world) => {
    for (let i = 0; i < 40; i++) world.write(`old/s${i % 4}/f${i}`);
    await world.settle();
    fs.renameSync(world.disk("old"), world.disk("new"));
    world.hint("new", "old");
    await world.quiet();
    assert.deepEqual(world.hashed, []);
    assert.equal(world.batches.length, 1);
    assert.equal(world.reported[0], "+ new < old");
    assert.equal(world.reported.at(-1), "- old");
    world.assertMatchesDisk();
  }));

test("a tree that was moved while nobody looked is not read again", () =>
  inWorld(async (world) => {
    for (let i = 0; i < 40; i++) world.write(`b/s${i % 4}/f${i}`);
    world.write("keep/x");
    await world.settle();
    fs.renameSync(world.disk("b"), world.disk("a"));
    fs.renameSync(world.disk("keep/x"), world.disk("a/s0/x"));
    await world.scanner.fullScan();
    await world.quiet();
    assert.deepEqual(world.hashed, []);
    assert.ok(world.reported.includes("+ a/s0/x < keep/x"));
    world.assertMatchesDisk();
  }));

test("swapped and rotated files are not read again", () =>
  inWorld(async (world) => {
    for (const name of ["a", "b", "c"]) world.write(name, `content of ${name}`);
    await world.settle();
    fs.renameSync(world.disk("a"), world.disk("t"));
    fs.renameSync(world.disk("b"), world.disk("a"));
    fs.renameSync(world.disk("c"), world.disk("b"));
    fs.renameSync(world.disk("t"), world.disk("c"));
    world.hint("a", "b", "c", "t");
    await world.quiet();
    assert.deepEqual([world.reported, world.hashed], [["+ a < b", "+ b < c", "+ c < a"], []]);
    world.assertMatchesDisk();
  }));

test("a deletion is looked at once more before it is reported", () =>
  inFakeTime(async (world, clock) => {
    world.write("a", "one");
    await world.settle();
    fs.unlinkSync(world.disk("a"));
    world.hint("a");
    await clock.run(DELETION_DELAY_MS - 10);
    assert.deepEqual(world.reported, []);
    world.write("a", "two");
    await world.quiet();
    assert.deepEqual(world.reported, ["+ a"]);
    fs.unlinkSync(world.disk("a"));
    world.hint("a");
    await world.quiet();
    assert.deepEqual(world.reported, ["+ a", "- a"]);
  }));

test("a deletion that nothing else happens beside is reported at once, after a second look", () =>
  inPromptWorld(async (world, clock) => {
    world.write("a", "one");
    world.write("d/b", "two");
    await world.settle();
    await clock.run(ALONE_MS);
    fs.unlinkSync(world.disk("a"));
    world.hint("a");
    await drive(clock, () => world.reported.length > 0, { what: "it is reported", simulatedMsMax: 20 });
    assert.deepEqual(world.reported, ["- a"]);
    // A directory may hold more than is known.
    await clock.run(ALONE_MS);
    fs.rmSync(world.disk("d"), { recursive: true });
    world.hint("d");
    await clock.run(DELETION_DELAY_MS - 10);
    assert.deepEqual(world.reported, ["- a"]);
    await world.quiet();
    assert.deepEqual(world.reported, ["- a", "- d/b", "- d"]);
  }));

const BESIDE: Readonly<Record<string, (world: ScannerWorld) => void>> = {
  "an editor's backup": (world) => {
    fs.renameSync(world.disk("a"), world.disk("a.log"));
    world.hint("a", "a.log");
  },
  "a temporary file a moment before": (world) => {
    world.hint("a.log");
    fs.unlinkSync(world.disk("a"));
    world.hint("a");
  },
  "a new directory": (world) => {
    fs.mkdirSync(world.disk("new"));
    fs.unlinkSync(world.disk("a"));
    world.hint("new", "a");
  },
};

for (const [what, happens] of Object.entries(BESIDE)) {
  test(`a deletion waits for its second look if something else happens beside it: ${what}`, () =>
    inPromptWorld(async (world, clock) => {
      world.write("a", "one");
      await world.settle();
      await clock.run(ALONE_MS);
      happens(world);
      await clock.run(DELETION_DELAY_MS - 10);
      assert.ok(!world.reported.includes("- a"), world.reported.join());
      world.write("a", "two");
      await world.quiet();
      assert.ok(!world.reported.includes("- a"), world.reported.join());
    }));
}

test("a deletion waits for its second look where both names of a rename may not be told together", () =>
  inFakeTime(async (world, clock) => {
    world.write("a", "one");
    await world.settle();
    await clock.run(ALONE_MS);
    fs.unlinkSync(world.disk("a"));
    world.hint("a");
    await clock.run(DELETION_DELAY_MS - 10);
    assert.deepEqual(world.reported, []);
  }));

test("a deleted tree is reported deepest first, from one hint", () =>
  inWorld(async (world) => {
    world.write("d/e/f");
    world.write("d/g");
    await world.settle();
    fs.rmSync(world.disk("d"), { recursive: true });
    world.hint("d");
    await world.quiet();
    assert.deepEqual(world.reported, ["- d/e/f", "- d/g", "- d/e", "- d"]);
  }));

test("a directory that becomes a file, and back", () =>
  inWorld(async (world) => {
    world.write("d/e/f");
    await world.settle();
    fs.rmSync(world.disk("d"), { recursive: true });
    world.write("d", "a file now");
    world.hint("d");
    await world.quiet();
    assert.deepEqual(world.reported, ["- d/e/f", "- d/e", "+ d"]);
    fs.unlinkSync(world.disk("d"));
    world.write("d/e/g");
    world.forget();
    world.hint("d");
    await world.quiet();
    assert.deepEqual(world.reported, ["+ d", "+ d/e", "+ d/e/g"]);
    world.assertMatchesDisk();
  }));

test("a file becomes a symlink, and a symlink's target is never followed", () =>
  inWorld(async (world) => {
    world.write("d/x", "inside");
    world.write("f", "file");
    await world.settle();
    fs.unlinkSync(world.disk("f"));
    fs.symlinkSync("d", world.disk("f"));
    world.hint("f", "f/x");
    await world.quiet();
    assert.deepEqual(world.reported, ["+ f"]);
    world.assertMatchesDisk();
  }));

test("editors' ways to save end as one edit of the file", async (context) => {
  const ways: Record<string, (world: ScannerWorld) => void> = {
    "vim: rename to backup, create, delete backup": (world) => {
      fs.renameSync(world.disk("a.txt"), world.disk("a.txt~"));
      world.write("a.txt", "edited");
      fs.unlinkSync(world.disk("a.txt~"));
      world.hint("a.txt~", "a.txt", "4913");
    },
    "emacs: lock link, backup, write in place": (world) => {
      fs.symlinkSync("user@host.1:2", world.disk(".#a.txt"));
      fs.copyFileSync(world.disk("a.txt"), world.disk("a.txt~"));
      world.write("a.txt", "edited");
      fs.unlinkSync(world.disk(".#a.txt"));
      world.hint(".#a.txt", "a.txt~", "a.txt");
    },
    "LibreOffice: lock file, temporary, rename over": (world) => {
      world.write(".~lock.a.txt#", "lock");
      world.write("lu123.tmp", "edited");
      fs.renameSync(world.disk("lu123.tmp"), world.disk("a.txt"));
      fs.unlinkSync(world.disk(".~lock.a.txt#"));
      world.hint(".~lock.a.txt#", "lu123.tmp", "a.txt");
    },
    "sed -i: temporary, rename over": (world) => {
      world.write("sedXYZ", "edited");
      fs.renameSync(world.disk("sedXYZ"), world.disk("a.txt"));
      world.hint("sedXYZ", "a.txt", "sedXYZ");
    },
    "delete and recreate": (world) => {
      fs.unlinkSync(world.disk("a.txt"));
      world.hint("a.txt");
      world.write("a.txt", "edited");
      world.hint("a.txt");
    },
  };
  for (const [name, save] of Object.entries(ways)) {
    await context.test(name, () =>
      inWorld(
        async (world) => {
          world.write("a.txt", "original");
          await world.settle();
          save(world);
          await world.quiet();
          assert.deepEqual(world.reported, ["+ a.txt"]);
          world.assertMatchesDisk();
        },
        { ignore: "*~\n.#*\n*.tmp\n" },
      ),
    );
  }
});

test("files made in a new directory without any event are found", () =>
  inWorld(async (world) => {
    await world.settle();
    fs.mkdirSync(world.disk("new/sub"), { recursive: true });
    world.hint("new");
    await waitFor(() => world.reported.includes("+ new/sub"), { until: "the directory is reported", intervalMs: 1 });
    world.write("new/sub/late");
    await world.quiet();
    world.assertMatchesDisk();
  }));

test("what is in a directory nobody reported comes with that directory", () =>
  inWorld(async (world) => {
    await world.settle();
    world.write("a/b/c");
    world.hint("a/b/c");
    await world.quiet();
    assert.deepEqual(world.reported.slice(0, 3), ["+ a", "+ a/b", "+ a/b/c"]);
  }));

test("an unmounted root is never a deletion", () =>
  inWorld(async (world) => {
    world.write("d/a");
    await world.settle();
    fs.renameSync(world.root, `${world.root}.away`);
    try {
      fs.mkdirSync(world.root);
      fs.mkdirSync(world.disk(".dsync"));
      world.hint("d", "d/a");
      await waitFor(() => world.rootChanges > 0, { until: "the change is noticed" });
      await world.scanner.fullScan();
      await world.quiet();
      assert.deepEqual(world.reported, []);
    } finally {
      fs.rmSync(`${world.root}.away`, { recursive: true });
    }
  }));

test("ignored paths are not reported, neither when rules change nor when they vanish", () =>
  inWorld(
    async (world) => {
      world.write("a.log");
      world.write("build/x");
      world.write("b");
      await world.scanner.fullScan();
      await world.quiet();
      assert.deepEqual(world.reported, ["+ b"]);
      world.forget();
      world.setRules("b\n");
      world.scanner.rulesChanged();
      await world.quiet();
      assert.deepEqual(world.reported.toSorted(), ["+ a.log", "+ build", "+ build/x"]);
      fs.unlinkSync(world.disk("b"));
      world.forget();
      world.hint("b");
      await world.scanner.fullScan();
      await world.quiet();
      assert.deepEqual(world.reported, []);
    },
    { ignore: "*.log\nbuild/\n" },
  ));

test("a path that is being applied is looked at when that is over", () =>
  inFakeTime(async (world, clock) => {
    world.write("a", "one");
    await world.settle();
    world.busy.add("a");
    fs.unlinkSync(world.disk("a"));
    world.hint("a");
    await clock.run(1_000);
    assert.deepEqual(world.reported, []);
    world.busy.delete("a");
    await world.quiet();
    assert.deepEqual(world.reported, ["- a"]);
  }));

test("what is gone is looked at a second time also if more hints of it come while it is being applied", () =>
  inFakeTime(async (world, clock) => {
    world.write("a", "one");
    await world.settle();
    fs.unlinkSync(world.disk("a"));
    world.hint("a");
    await clock.run(DELETION_DELAY_MS / 2);
    world.busy.add("a");
    await clock.run(DELETION_DELAY_MS);
    // The second look waits by now; each hint that waits with it is one of many that ask for a first look only.
    for (let time = 0; time < 5; time++) {
      world.hint("a");
      await clock.run(RETRY_MS_MIN / 2);
    }
    world.busy.delete("a");
    await world.quiet();
    assert.deepEqual(world.reported, ["- a"]);
  }));

test("a look proves nothing if the index changed its mind meanwhile", () =>
  inWorld(async (world) => {
    world.write("d/a", "one");
    await world.settle();
    // As when an entry is applied between the look and its result: the file is there again, as the index says.
    fs.unlinkSync(world.disk("d/a"));
    world.hint("d/a");
    await waitFor(() => !world.scanner.isQuiet, { until: "it is gone" });
    let looks = 0;
    world.beforeJob = (name) => {
      if (name !== "look" || ++looks !== 2) return;
      queueMicrotask(() => {
        world.write("d/a", "applied");
        const before = [...world.store.children(undefined)].flatMap(({ path }) =>
          Array.from(world.store.children(path)),
        )[0];
        assert.ok(before?.signature !== undefined);
        const stat = fs.lstatSync(world.disk("d/a"), { bigint: true });
        const { ino: inode, mtimeNs, ctimeNs } = stat;
        world.store.put({
          ...before,
          signature: { ...before.signature, inode, mtimeNs, ctimeNs, size: Number(stat.size) },
        });
      });
    };
    await world.quiet();
    assert.ok(looks >= 2);
    assert.ok(!world.reported.includes("- d/a"), world.reported.join());
  }));

test("residue is no change while it stays, and its end is told", () =>
  inWorld(
    async (world) => {
      world.write("d/x.log");
      await world.settle();
      const [record] = world.store.children(undefined);
      assert.ok(record !== undefined);
      const deleted = { ...record.present, live: undefined };
      world.store.put({ ...record, known: deleted, present: deleted, signature: undefined, residue: true });
      world.hint("d");
      await world.scanner.fullScan();
      await world.quiet();
      assert.deepEqual(world.reported, []);
      fs.rmSync(world.disk("d"), { recursive: true });
      world.hint("d");
      await world.quiet();
      assert.deepEqual(world.reported, ["x d"]);
    },
    { ignore: "*.log" },
  ));

test("one file that is found under two spellings is no problem, and takes the one that is listed", () =>
  inWorld(async (world) => {
    world.write("\u00e9");
    await world.settle();
    // As on a disk that takes either name for the same file (simulation, seed 21).
    fs.linkSync(world.disk("\u00e9"), world.disk("e\u0301"));
    await world.scanner.fullScan();
    await world.quiet();
    assert.deepEqual([...world.problems], []);
    fs.unlinkSync(world.disk("\u00e9"));
    await world.scanner.fullScan();
    await world.quiet();
    const [record] = world.store.children(undefined);
    assert.ok(record !== undefined);
    assert.equal(world.spelling.toDisk(record.path), "e\u0301");
    world.assertMatchesDisk();
  }));

test("what is in a directory whose spelling is not known any more is found all the same (simulation, seed 923124 with power loss)", () =>
  inWorld(async (world) => {
    world.write("\u00e9/d/a", "before");
    await world.settle();
    fs.renameSync(world.disk("\u00e9"), world.disk("e\u0301"));
    world.write("e\u0301/d/a", "after it");
    await world.scanner.fullScan();
    await world.quiet();
    assert.deepEqual(world.reported, ["+ \u00e9/d/a"]);
    world.assertMatchesDisk();
  }));

test("names in decomposed Unicode keep their disk spelling; a second spelling is a problem", () =>
  inWorld(async (world) => {
    const nfd = "Gru\u0308n/A\u0308";
    const nfc = nfd.normalize("NFC");
    world.write(nfd, "x");
    await world.scanner.fullScan();
    await world.quiet();
    assert.deepEqual(world.reported.slice(0, 2), ["+ Grün", `+ ${nfc}`]);
    assert.deepEqual(world.problems.size, 0);
    const [top] = world.store.children(undefined);
    assert.ok(top !== undefined);
    const [file] = world.store.children(top.path);
    assert.ok(file !== undefined);
    assert.equal(world.spelling.toDisk(file.path), nfd);
    world.forget();
    world.write("Gru\u0308n/Ä", "the second");
    world.hint("Gru\u0308n/Ä");
    await waitFor(() => world.problems.size > 0, { until: "the problem is told" });
    await world.scanner.fullScan();
    await world.quiet();
    assert.deepEqual([...world.problems.keys()], ["Gru\u0308n/Ä"]);
    assert.deepEqual(world.reported, []);
    fs.unlinkSync(world.disk(nfd));
    world.hint(nfd);
    await world.quiet();
    assert.deepEqual(world.reported, [`+ ${nfc}`]);
    assert.equal(world.spelling.toDisk(file.path), "Gru\u0308n/Ä");
  }));

test("names that are no Unicode, and special files in the place of files, are problems and never deletions", () =>
  inWorld(async (world) => {
    world.write("a", "x");
    await world.settle();
    fs.writeFileSync(Buffer.concat([Buffer.from(`${world.root}/`), Buffer.from([0x66, 0xff, 0x67])]), "x");
    await world.scanner.fullScan();
    await world.quiet();
    assert.deepEqual(
      [...world.problems.values()].map(({ code }) => code),
      ["EILSEQ"],
    );
    fs.unlinkSync(world.disk("a"));
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [world.disk("a")]);
    world.hint("a");
    await waitFor(() => world.problems.has("a"), { until: "the pipe is told" });
    await world.quiet();
    assert.deepEqual(world.reported, []);
    fs.unlinkSync(world.disk("a"));
    world.write("a", "x");
    world.hint("a");
    await world.quiet();
    assert.ok(!world.problems.has("a"));
  }));

test("a job that throws costs nothing but time", () =>
  inWorld(async (world) => {
    world.write("a", "x");
    let isFirst = true;
    world.beforeJob = (name) => {
      if (name !== "hash" || !isFirst) return;
      isFirst = false;
      throw new Error("lost worker");
    };
    await world.scanner.fullScan();
    assert.equal(world.problems.get("a")?.code, "EJOB");
    world.hint("a");
    await world.quiet();
    assert.equal(world.problems.size, 0);
    world.assertMatchesDisk();
  }));

test("a large file that is still being written is read once it is quiet", async () => {
  const clock = new FakeClock();
  let writtenMs = clock.now();
  const write = async (world: ScannerWorld): Promise<void> => {
    await world.settle();
    world.write("big", new Uint8Array(LARGE_FILE_BYTES + 1));
    world.hint("big");
    for (let piece = 0; piece < 20; piece++) {
      await clock.run(LARGE_FILE_QUIET_MS - 10);
      fs.appendFileSync(world.disk("big"), "more");
      writtenMs = clock.now();
    }
    assert.deepEqual(world.hashed, []);
    await world.quiet();
    assert.deepEqual([world.hashed, world.reported], [["big"], ["+ big"]]);
  };
  await inWorld(write, { clock, fs: withTimes(() => BigInt(writtenMs) * 1_000_000n) });
});

test("a large file is read once while it gets quiet, and reported when it is", async () => {
  const clock = new FakeClock();
  let writtenMs = 0;
  const write = async (world: ScannerWorld): Promise<void> => {
    await world.settle();
    const save = (): void => {
      fs.writeFileSync(world.disk("big"), String(writtenMs));
      fs.truncateSync(world.disk("big"), LARGE_FILE_BYTES + 20 * HASHED_PER_MS_BYTES_MAX);
      writtenMs = clock.now();
      world.hint("big");
    };
    save();
    for (const again of [true, false]) {
      world.forget();
      await clock.run(LARGE_FILE_QUIET_MS - 30);
      assert.deepEqual([world.hashed, world.reported], [[], []]);
      await clock.run(20);
      assert.deepEqual([world.hashed, world.reported], [["big"], []]);
      if (again) save();
    }
    await clock.run(20);
    assert.deepEqual([world.hashed, world.reported], [["big"], ["+ big"]]);
  };
  await inWorld(write, { clock, fs: withTimes(() => BigInt(writtenMs) * 1_000_000n) });
});

test("a directory is reported absent only after all that was in it", () =>
  inFakeTime(async (world, clock) => {
    world.write("d/e/f");
    await world.settle();
    world.busy.add("d/e/f");
    fs.rmSync(world.disk("d"), { recursive: true });
    world.hint("d", "d/e", "d/e/f");
    await clock.run(1_000);
    assert.deepEqual(world.reported, []);
    world.busy.clear();
    await world.quiet();
    assert.deepEqual(world.reported, ["- d/e/f", "- d/e", "- d"]);
  }));

test("a file that was moved and edited is read", () =>
  inWorld(async (world) => {
    world.write("a", "one");
    await world.settle();
    fs.renameSync(world.disk("a"), world.disk("b"));
    fs.appendFileSync(world.disk("b"), "two");
    world.hint("a", "b");
    await world.quiet();
    assert.deepEqual(world.reported, ["+ b", "- a"]);
    world.assertMatchesDisk();
  }));

test("a new file that has the inode, size and time of one that is gone is read", async () => {
  // As ext4 gives away what is free, and as an archive sets times.
  const withInode = <S extends Stat | undefined>(stat: S): S => (stat?.kind === "file" ? { ...stat, inode: 7n } : stat);
  await inWorld(
    async (world) => {
      world.write("a", "one");
      fs.utimesSync(world.disk("a"), 1000, 1000);
      await world.settle();
      fs.rmSync(world.disk("a"));
      world.write("b", "two");
      fs.utimesSync(world.disk("b"), 1000, 1000);
      world.hint("a", "b");
      await world.quiet();
      assert.ok(world.hashed.includes("b"));
      world.assertMatchesDisk();
    },
    {
      fs: {
        ...nodeFileSystem,
        lstat: (path) => withInode(nodeFileSystem.lstat(path)),
        fstat: (descriptor) => withInode(nodeFileSystem.fstat(descriptor)),
      },
    },
  );
});

/** Files were all changed when `timeNs` says. */
function withTimes(timeNs: () => bigint): FileSystem {
  const change = <S extends Stat | undefined>(stat: S): S =>
    stat?.kind === "file" ? { ...stat, mtimeNs: timeNs(), ctimeNs: timeNs() } : stat;
  return {
    ...nodeFileSystem,
    lstat: (path) => change(nodeFileSystem.lstat(path)),
    fstat: (descriptor) => change(nodeFileSystem.fstat(descriptor)),
  };
}

test("a file as fresh as the clock is fine is read once more, since its times may hide an edit", async (context) => {
  const startMs = Date.UTC(2024, 0, 1);
  const times = {
    "fine clock": BigInt(startMs + 300) * 1_000_000n,
    "whole seconds": BigInt(startMs / 1000 + 1) * 1_000_000_000n,
  };
  for (const [name, timeNs] of Object.entries(times)) {
    await context.test(name, () =>
      inWorld(
        async (world) => {
          world.write("a", "one");
          await world.scan();
          fs.writeFileSync(world.disk("a"), "two");
          await world.quiet();
          assert.deepEqual(world.hashed, ["a", "a"]);
          assert.equal(world.reported.length, 2);
        },
        // The times stand still, as between two ticks of a coarse clock.
        { clock: new FakeClock(startMs), fs: withTimes(() => timeNs) },
      ),
    );
  }
});

test("suspects beyond what fits wait for a full scan, and nothing is lost", () =>
  inWorld(async (world) => {
    for (let i = 0; i < 5000; i++) world.write(`d${i % 5}/f${i}`, "");
    await world.scanner.fullScan();
    await world.quiet();
    world.assertMatchesDisk();
    fs.renameSync(world.disk("d0"), world.disk("e"));
    fs.rmSync(world.disk("d1"), { recursive: true });
    world.forget();
    world.hint("d0", "e", "d1");
    await world.quiet();
    assert.deepEqual(world.hashed, []);
    world.assertMatchesDisk();
  }));

test("a full scan has old leftovers of our own removed", async (t) => {
  const clock = { ...systemClock, now: () => Date.now() + 2 * 86_400_000 };
  const world = new ScannerWorld({ clock });
  t.after(() => world.close());
  world.write("dir/.dsync-1-0.part");
  world.write("dir/mine.part");
  await world.scanner.fullScan();
  await waitFor(() => !fs.existsSync(world.disk("dir/.dsync-1-0.part")), { until: "the leftover to go" });
  assert.ok(fs.existsSync(world.disk("dir/mine.part")));
});

test("what is left in a directory: nothing, what is ignored, or what is not", () =>
  inWorld(
    async (world) => {
      fs.mkdirSync(world.disk("empty"));
      world.write("ignored/x.log");
      world.write("mixed/x.log");
      world.write("mixed/x.txt");
      const left = await Promise.all(["gone", "empty", "ignored", "mixed"].map((path) => world.scanner.leftIn(path)));
      assert.deepEqual(left, [
        { kind: "nothing" },
        { kind: "nothing" },
        { kind: "ignored" },
        { kind: "others", diskPaths: ["mixed/x.txt"] },
      ]);
    },
    { ignore: "*.log" },
  ));

test("a directory that is as the index says is not compared, until it or what the index says of it is another", () =>
  inWorld(async (world) => {
    for (const name of ["a/b/one", "a/b/two", "a/c/three", "d/é".normalize("NFD")]) world.write(name);
    const scan = async (): Promise<readonly string[]> => {
      world.forget();
      await world.scan();
      await world.quiet();
      return world.compared.toSorted();
    };
    await world.settle();
    // The folder itself holds what is not in the index: dsync's own directory.
    assert.deepEqual(
      await scan(),
      ["", "d"],
      "already the second time; a name in another spelling is compared each time",
    );
    assert.deepEqual(await scan(), ["d"]);

    // Found without an event, also below what is as it was.
    world.write("a/b/one", "another content");
    assert.deepEqual(await scan(), ["a/b", "d"]);
    assert.deepEqual(world.reported, ["+ a/b/one"]);
    assert.deepEqual(await scan(), ["d"]);

    // The disk is the same, the index is not: also if it changes while the disk is being looked at.
    for (const when of ["before", "meanwhile"]) {
      const record = world.store.get(known("a/c/three"));
      assert.ok(record?.signature !== undefined);
      let scans = 0;
      const change = (): void => {
        world.beforeJob = () => {};
        world.store.put({ ...record, present: EMPTY_ENTRY, signature: undefined });
      };
      if (when === "before") change();
      // The third one is of what is in "a".
      else world.beforeJob = (name) => name === "scan" && ++scans === 3 && change();
      assert.deepEqual(await scan(), ["a/c", "d"], when);
      assert.deepEqual(world.reported, ["+ a/c/three"], when);
      await world.settle();
    }
  }));

test("other rules have every directory with ignored files compared again", () =>
  inWorld(async (world) => {
    for (const name of ["a/x.log", "a/y", "b/z"]) world.write(name);
    world.setRules("*.log\n");
    await world.settle();
    await world.settle();
    await world.scan();
    assert.deepEqual(world.compared, []);
    world.setRules("");
    await world.scan();
    await world.quiet();
    assert.deepEqual(new Set(world.compared), new Set(["", "a"]));
    assert.deepEqual(world.reported, ["+ a/x.log"]);
  }));

function known(text: string): RelativePath {
  const path = parsePath(text);
  assert.ok(path !== undefined);
  return path;
}

test("a directory that cannot be listed for a moment is listed again within seconds, each time a little later", async () => {
  const clock = new FakeClock(Date.now() + MS_PER_HOUR);
  let listings = 0;
  let fails = true;
  const disk: FileSystem = {
    ...nodeFileSystem,
    readDirectory(path) {
      if (!path.endsWith("/d")) return nodeFileSystem.readDirectory(path);
      listings++;
      if (fails) throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
      return nodeFileSystem.readDirectory(path);
    },
  };
  await inWorld(
    async (world) => {
      world.write("d/a");
      await world.scan();
      await clock.run(60_000);
      assert.ok(world.problems.has("d"));
      assert.ok(listings >= 3 && listings <= 8, `listed ${listings} times in a minute`);
      fails = false;
      await clock.run(60_000);
      assert.ok(world.reported.includes("+ d/a"), world.reported.join());
      assert.equal(world.problems.size, 0);
    },
    { clock, fs: disk },
  );
});

test("a directory that could not be listed and is gone is looked at once, and is no problem any more", async () => {
  const clock = new FakeClock(Date.now() + MS_PER_HOUR);
  let fails = false;
  const disk: FileSystem = {
    ...nodeFileSystem,
    readDirectory(path) {
      if (fails && path.endsWith("/d")) throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
      return nodeFileSystem.readDirectory(path);
    },
  };
  await inWorld(
    async (world) => {
      world.write("d/a");
      await world.settle();
      fails = true;
      world.scanner.hintSubtree("d");
      await clock.run(1_000);
      assert.ok(world.problems.has("d"));
      fs.rmSync(world.disk("d"), { recursive: true });
      world.hint("d/a", "d");
      let jobs = 0;
      world.beforeJob = () => jobs++;
      await clock.run(60_000);
      assert.equal(world.problems.size, 0);
      world.assertMatchesDisk();
      assert.ok(jobs < 20, `${jobs} jobs in a minute`);
    },
    { clock, fs: disk },
  );
});

test("what is in a directory that was exchanged while it was listed is found", async () => {
  let exchange = (): void => {};
  const disk: FileSystem = {
    ...nodeFileSystem,
    readDirectory(path) {
      const listing = nodeFileSystem.readDirectory(path);
      if (path.endsWith("/d")) exchange();
      return listing;
    },
  };
  await inWorld(
    async (world) => {
      world.write("d/a");
      world.write("other/b");
      await world.settle();
      exchange = () => {
        exchange = () => {};
        fs.renameSync(world.disk("d"), world.disk("former"));
        fs.renameSync(world.disk("other"), world.disk("d"));
      };
      world.scanner.hintSubtree("d");
      world.hint("former", "other");
      await world.quiet();
      world.assertMatchesDisk();
    },
    { fs: disk },
  );
});

test("a walk that could not be done at all is a problem until it has been", async () => {
  const clock = new FakeClock(Date.now() + MS_PER_HOUR);
  await inWorld(
    async (world) => {
      let fails = true;
      world.beforeJob = (name) => {
        if (fails && name === "scan") throw new Error("Worker initialization failure: EMFILE");
      };
      await world.scan();
      assert.equal(world.problems.size, 1);
      fails = false;
      await clock.run(600_000);
      assert.equal(world.problems.size, 0);
    },
    { clock },
  );
});
