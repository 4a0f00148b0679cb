import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { loadBlake3 } from "../content/blake3.ts";
import { compressIfSmaller } from "../content/compression.ts";
import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf } from "../index/signature.ts";
import { removeDirectory, rootIdentity, temporaryDirectory } from "../../test/support/trees.ts";
import { applyOperations } from "./apply-job.ts";
import type { ApplyOperation, ApplyOutcome } from "./apply-operation.ts";
import { stageChunks } from "./stage-job.ts";

const context: JobContext = { fs: nodeFileSystem, blake3: loadBlake3({ portable: false }) };
const BATCH = "2026-01-02T03-04-05.678Z";
let root = "";

beforeEach(() => {
  root = temporaryDirectory();
  fs.mkdirSync(join(root, ".dsync/staging"), { recursive: true });
  fs.mkdirSync(join(root, ".dsync/trash"));
});
afterEach(() => removeDirectory(root));

function apply(...operations: ApplyOperation[]): ApplyOutcome[] {
  return applyOn(nodeFileSystem, operations);
}

/** Applies on a disk that behaves in its own way. */
function applyOn(disk: FileSystem, operations: readonly ApplyOperation[]): ApplyOutcome[] {
  const request = { identity: rootIdentity(root), trashBatch: BATCH, jobId: 1, operations };
  const result = applyOperations({ ...context, fs: disk }, request);
  assert(result.kind === "applied");
  return [...result.outcomes];
}

function signatureAt(path: string): StatSignature {
  const stat = nodeFileSystem.lstat(join(root, path));
  const signature = stat === undefined ? undefined : signatureOf(stat);
  assert.ok(signature);
  return signature;
}

function idOf(content: string | Uint8Array): ContentHash {
  return contentHashFromBytes(context.blake3.hash(Buffer.from(content)));
}

function file(diskPath: string, content: string, expected: StatSignature | "absent" = "absent"): ApplyOperation {
  const payload = Buffer.from(content);
  const source = { kind: "bytes", encoding: "raw", payload } as const;
  const size = payload.length;
  return {
    kind: "file",
    diskPath,
    expected,
    contentId: idOf(content),
    size,
    mode: 0o640,
    mtimeUs: 1_500_000_000_123_456,
    source,
  };
}

const read = (path: string): string => fs.readFileSync(join(root, path), "utf8");
const write = (path: string, content: string): void => fs.writeFileSync(join(root, path), content);
const staging = (): string[] => fs.readdirSync(join(root, ".dsync/staging"));

test("a file is put in place with its mode and its time to the microsecond", () => {
  const [outcome] = apply(file("a.txt", "hello"));
  assert.equal(outcome?.kind, "applied");
  assert.equal(read("a.txt"), "hello");
  const stat = fs.lstatSync(join(root, "a.txt"), { bigint: true });
  assert.equal(stat.mtimeNs / 1000n, 1_500_000_000_123_456n);
  assert.equal(Number(stat.mode) & 0o7777, 0o640);
  assert.deepEqual(outcome.kind === "applied" && outcome.signature, signatureAt("a.txt"));
  assert.deepEqual(staging(), []);
});

test("what is replaced is in the trash", () => {
  write("a.txt", "old");
  const [outcome] = apply(file("a.txt", "new", signatureAt("a.txt")));
  assert.equal(outcome?.kind, "applied");
  assert.equal(read("a.txt"), "new");
  assert.equal(read(`.dsync/trash/${BATCH}/a.txt`), "old");
});

test("a file that a person made or changed meanwhile is left alone", () => {
  write("new.txt", "mine");
  write("edited.txt", "before");
  const expected = signatureAt("edited.txt");
  write("edited.txt", "mine, edited");
  const outcomes = apply(file("new.txt", "theirs"), file("edited.txt", "theirs", expected));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["changed", "changed"],
  );
  assert.equal(read("new.txt"), "mine");
  assert.equal(read("edited.txt"), "mine, edited");
  assert.deepEqual(staging(), []);
});

test("a file that a person removed meanwhile is not made again", () => {
  write("a.txt", "old");
  const expected = signatureAt("a.txt");
  fs.rmSync(join(root, "a.txt"));
  assert.deepEqual(apply(file("a.txt", "new", expected)), [{ kind: "changed" }]);
  assert.ok(!fs.existsSync(join(root, "a.txt")));
});

test("bytes that are not what their content ID says are not put in place", () => {
  const wrong: ApplyOperation = { ...file("a.txt", "right"), contentId: idOf("wrong") } as ApplyOperation;
  assert.deepEqual(apply(wrong), [{ kind: "damaged" }]);
  assert.ok(!fs.existsSync(join(root, "a.txt")));
  assert.deepEqual(staging(), []);
});

test("compressed bytes are unpacked", () => {
  const content = "again and again ".repeat(1000);
  const payload = compressIfSmaller(Buffer.from(content));
  assert.ok(payload);
  const operation = {
    ...file("a.txt", content),
    source: { kind: "bytes", encoding: "lz4", payload },
  } as ApplyOperation;
  assert.equal(apply(operation)[0]?.kind, "applied");
  assert.equal(read("a.txt"), content);
});

test("nothing is reached through a symlink", () => {
  const outside = temporaryDirectory();
  try {
    fs.writeFileSync(join(outside, "victim"), "outside");
    fs.symlinkSync(outside, join(root, "link"));
    const outcomes = apply(
      file("link/new.txt", "x"),
      { kind: "remove", diskPath: "link/victim", expected: signatureAt("link/victim") },
      { kind: "directory", diskPath: "link/dir", expected: "absent", mode: 0o755 },
      { kind: "symlink", diskPath: "link/sym", expected: "absent", target: "x" },
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["changed", "changed", "changed", "changed"],
    );
    assert.deepEqual(fs.readdirSync(outside), ["victim"]);
  } finally {
    removeDirectory(outside);
  }
});

test("a symlink replaces a file, and a file a symlink, each through the trash", () => {
  write("a", "file");
  fs.symlinkSync("somewhere", join(root, "b"));
  const outcomes = apply(
    { kind: "symlink", diskPath: "a", expected: signatureAt("a"), target: "target" },
    file("b", "now a file", signatureAt("b")),
  );
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["applied", "applied"],
  );
  assert.equal(fs.readlinkSync(join(root, "a")), "target");
  assert.equal(read("b"), "now a file");
  assert.equal(read(`.dsync/trash/${BATCH}/a`), "file");
  assert.equal(fs.readlinkSync(join(root, `.dsync/trash/${BATCH}/b`)), "somewhere");
});

test("a move renames, and is refused when its source is another file by now", () => {
  write("from", "content");
  const fromSignature = signatureAt("from");
  const mtimeUs = 1_600_000_000_000_001;
  const move = {
    kind: "move",
    diskPath: "to",
    expected: "absent",
    from: "from",
    fromSignature,
    mode: 0o600,
    mtimeUs,
  } as const;
  const [outcome] = apply(move);
  assert.equal(outcome?.kind, "applied");
  assert.equal(read("to"), "content");
  assert.equal(signatureAt("to").inode, fromSignature.inode);
  assert.equal(signatureAt("to").mode, 0o600);
  write("from", "another");
  assert.deepEqual(apply({ ...move, diskPath: "to2" }), [{ kind: "damaged" }]);
  assert.equal(read("from"), "another");
});

test("a copy is verified", () => {
  write("source", "content");
  const good = { ...file("copy", "content"), source: { kind: "copy", diskPath: "source" } } as ApplyOperation;
  const bad = { ...file("copy2", "other"), source: { kind: "copy", diskPath: "source" } } as ApplyOperation;
  assert.deepEqual(
    apply(good, bad).map(({ kind }) => kind),
    ["applied", "damaged"],
  );
  assert.equal(read("copy"), "content");
  assert.deepEqual(staging(), []);
});

test("a copy that cannot be read back for a moment says nothing about where it was taken from (simulation, seed 9014905)", () => {
  write("source", "content");
  const copy = { ...file("copy", "content"), source: { kind: "copy", diskPath: "source" } } as ApplyOperation;
  const fail = (): never => {
    throw Object.assign(new Error("EACCES"), { code: "EACCES" });
  };
  const openForReading = (path: string): number =>
    path.includes("/.dsync/staging/") ? fail() : nodeFileSystem.openForReading(path);
  const [unreadable] = applyOn({ ...nodeFileSystem, openForReading }, [copy]);
  assert.equal(unreadable?.kind === "problem" && unreadable.problem.code, "EACCES");
  const lstat: FileSystem["lstat"] = (path) => (path.endsWith("/.dsync/staging") ? fail() : nodeFileSystem.lstat(path));
  assert.deepEqual(applyOn({ ...nodeFileSystem, lstat }, [copy]), [{ kind: "changed" }]);
  assert.deepEqual(staging(), []);
  assert.equal(apply(copy)[0]?.kind, "applied");
});

test("removals go to the trash; a directory goes only when it is empty", () => {
  fs.mkdirSync(join(root, "dir"));
  write("dir/file", "content");
  const directory: ApplyOperation = { kind: "remove", diskPath: "dir", expected: signatureAt("dir") };
  assert.deepEqual(apply(directory), [{ kind: "not-empty" }]);
  const outcomes = apply({ kind: "remove", diskPath: "dir/file", expected: signatureAt("dir/file") }, directory);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["applied", "applied"],
  );
  assert.ok(!fs.existsSync(join(root, "dir")));
  assert.equal(read(`.dsync/trash/${BATCH}/dir/file`), "content");
});

test("two files of one path in one trash batch are both kept", () => {
  write("a", "one");
  apply({ kind: "remove", diskPath: "a", expected: signatureAt("a") });
  write("a", "two");
  const [outcome] = apply({ kind: "remove", diskPath: "a", expected: signatureAt("a") });
  assert.ok(outcome?.kind === "applied" && outcome.trashed !== undefined);
  assert.equal(read(outcome.trashed), "two");
  assert.equal(read(`.dsync/trash/${BATCH}/a`), "one");
});

test("without a trash, what is removed is gone", () => {
  write("a", "one");
  const operations: ApplyOperation[] = [{ kind: "remove", diskPath: "a", expected: signatureAt("a") }];
  applyOperations(context, { identity: rootIdentity(root), trashBatch: undefined, jobId: 2, operations });
  assert.ok(!fs.existsSync(join(root, "a")));
  assert.deepEqual(fs.readdirSync(join(root, ".dsync/trash")), []);
});

test("what is gone with its parents is removed already", () => {
  fs.mkdirSync(join(root, "d/e"), { recursive: true });
  const removals = ["d/e", "d"].map(
    (path) => ({ kind: "remove", diskPath: path, expected: signatureAt(path) }) as const,
  );
  fs.rmSync(join(root, "d"), { recursive: true });
  for (const { kind } of apply(...removals)) assert.equal(kind, "applied");
  write("d", "a file by now");
  assert.equal(apply(...removals.slice(0, 1))[0]?.kind, "applied");
  assert.equal(read("d"), "a file by now");
});

test("nothing is done to another folder that is at the path by now", () => {
  const operations: ApplyOperation[] = [
    { kind: "directory", diskPath: "dir", expected: "absent", mode: 0o755 },
    file("a", "new"),
  ];
  const before = rootIdentity(root);
  fs.renameSync(root, `${root}-away`);
  fs.mkdirSync(join(root, ".dsync/staging"), { recursive: true });
  const result = applyOperations(context, { identity: before, trashBatch: BATCH, jobId: 3, operations });
  removeDirectory(`${root}-away`);
  assert.deepEqual(result, { kind: "root-changed" });
  assert.deepEqual(fs.readdirSync(root), [".dsync"]);
  assert.deepEqual(staging(), []);
});

test("staged chunks become a file; wrong ones are refused", () => {
  const pieces = ["first ", "second"].map((text) => Buffer.from(text));
  const contentId = "ab".repeat(32) as ContentHash;
  const stage = (offset: number, payload: Buffer, hash: ContentHash): boolean | undefined =>
    stageChunks(context, {
      root,
      contentId,
      pieces: [{ offset, length: payload.length, hash, source: { kind: "bytes", encoding: "raw", payload } }],
    }).staged[0];
  const [first, second] = pieces as [Buffer, Buffer];
  assert.equal(stage(6, second, idOf(second)), true);
  assert.equal(stage(0, first, idOf("something else")), false);
  assert.equal(stage(0, first, idOf(first)), true);
  const operation = { ...file("whole", "first second"), contentId, source: { kind: "staged" } } as ApplyOperation;
  assert.equal(apply(operation)[0]?.kind, "applied");
  assert.equal(read("whole"), "first second");
  assert.deepEqual(staging(), []);
});

/** Applies on a disk where a person does something right before the `count`-th of the calls named `call`. */
function applyInterrupted(
  operation: ApplyOperation,
  { call, count, person }: { call: "lstat" | "unlink"; count: number; person: () => void },
): ApplyOutcome | undefined {
  let left = count;
  const interrupted = {
    ...nodeFileSystem,
    [call](path: string) {
      if (path === join(root, "a") && --left === 0) person();
      return nodeFileSystem[call](path);
    },
  };
  return applyOn(interrupted, [operation])[0];
}

const TOUCHED = { kind: "applied", signature: undefined, trashed: undefined, touched: true };

test("who replaces a file right after it was put in place is not taken for us", () => {
  const person = (): void => {
    write("b", "another");
    fs.renameSync(join(root, "b"), join(root, "a"));
  };
  const outcome = applyInterrupted(file("a", "content"), { call: "lstat", count: 2, person });
  assert.deepEqual(outcome, TOUCHED);
  assert.equal(read("a"), "another");
});

test("who changes a file's mode right after it was put in place keeps that, and is noticed (simulation, seed 600344)", () => {
  const person = (): void => fs.chmodSync(join(root, "a"), 0o600);
  assert.deepEqual(applyInterrupted(file("a", "content"), { call: "lstat", count: 2, person }), TOUCHED);
  assert.equal(signatureAt("a").mode, 0o600);
});

test("who edits a file while it is moved keeps the edit, its time, and a look at it", () => {
  write("from", "content");
  const operation = {
    ...file("a", "content"),
    kind: "move",
    from: "from",
    fromSignature: signatureAt("from"),
  } as ApplyOperation;
  // After the last look at it, in the very moment.
  const rename = (from: string, to: string): void => {
    write("from", "longer content");
    nodeFileSystem.rename(from, to);
  };
  assert.deepEqual(applyOn({ ...nodeFileSystem, rename }, [operation]), [TOUCHED]);
  assert.equal(read("a"), "longer content");
  assert.ok(Date.now() - fs.statSync(join(root, "a")).mtimeMs < 60_000);
});

test("who replaces a symlink right after it was put in place is not taken for us", () => {
  const operation: ApplyOperation = { kind: "symlink", diskPath: "a", expected: "absent", target: "ours" };
  const person = (): void => {
    fs.unlinkSync(join(root, "a"));
    fs.symlinkSync("theirs", join(root, "a"));
  };
  assert.deepEqual(applyInterrupted(operation, { call: "lstat", count: 3, person }), TOUCHED);
});

test("who rewrites a file while its mode and time are set is noticed, at the same length too", () => {
  write("a", "content");
  const operation: ApplyOperation = {
    kind: "metadata",
    diskPath: "a",
    expected: signatureAt("a"),
    mode: 0o600,
    mtimeUs: 1_500_000_000_123_456,
  };
  for (const count of [2, 3]) {
    const person = (): void => write("a", "CONTENT");
    const outcome = applyInterrupted({ ...operation, expected: signatureAt("a") }, { call: "lstat", count, person });
    assert.deepEqual(outcome, TOUCHED);
  }
});

test("a disk may round a time down; a later one than was set is a person's (simulation, seed 12900931)", () => {
  const mtimeUs = 1_500_000_001_716_000;
  for (const [foundUs, isTouched] of [
    [1_500_000_000_000_000, false],
    [1_500_000_001_710_000, false],
    [1_500_000_002_000_000, true],
  ] as const) {
    write("a", "content");
    const expected = signatureAt("a");
    const setTimes = (path: string): void => nodeFileSystem.setTimes(path, foundUs);
    const [outcome] = applyOn({ ...nodeFileSystem, setTimes }, [
      { kind: "metadata", diskPath: "a", expected, mode: expected.mode, mtimeUs },
    ]);
    assert.equal(outcome?.kind === "applied" && outcome.touched, isTouched);
  }
});

test("who gives another mode to what is just put in place, or given a time or a mode, is noticed", () => {
  const old = { mode: 0o644, mtimeUs: 1_600_000_000_000_001 };
  const operations: ((expected: StatSignature) => ApplyOperation)[] = [
    (expected) => file("a", "new", expected),
    (expected) => ({ kind: "metadata", diskPath: "a", expected, ...old }),
    (expected) => ({ kind: "metadata", diskPath: "a", expected, ...old, mode: 0o640 }),
    (expected) => ({ ...old, kind: "move", diskPath: "a", expected, from: "from", fromSignature: signatureAt("from") }),
  ];
  const prepare = (): void => {
    for (const path of ["a", "from"]) {
      write(path, "content");
      fs.chmodSync(join(root, path), 0o644);
    }
  };
  for (const [index, operationFor] of operations.entries()) {
    prepare();
    const count = countLooks(operationFor(signatureAt("a")));
    prepare();
    const person = (): void => fs.chmodSync(join(root, "a"), 0o604);
    const outcome = applyInterrupted(operationFor(signatureAt("a")), { call: "lstat", count, person });
    assert.ok(outcome?.kind === "applied" && outcome.touched && outcome.signature === undefined, `operation ${index}`);
    assert.equal(fs.statSync(join(root, "a")).mode & 0o777, 0o604);
  }
});

/** Gives other modes to a file and a directory that are as the index says. */
function changeModes(disk: FileSystem): readonly (ApplyOutcome | undefined)[] {
  write("a", "content");
  fs.chmodSync(join(root, "a"), 0o644);
  fs.mkdirSync(join(root, "b"));
  fs.chmodSync(join(root, "b"), 0o755);
  const outcomes = applyOn(disk, [
    { kind: "metadata", diskPath: "a", expected: signatureAt("a"), mode: 0o444, mtimeUs: 1_600_000_000_000_001 },
    { kind: "metadata", diskPath: "b", expected: signatureAt("b"), mode: 0o700, mtimeUs: undefined },
  ]);
  assert.deepEqual(staging(), []);
  return outcomes;
}

test("who gives back the mode that was there before is noticed (simulation, seed 4102697)", () => {
  const setMode = (path: string, mode: number): void => {
    const before = fs.statSync(path).mode & 0o777;
    nodeFileSystem.setMode(path, mode);
    fs.chmodSync(path, before);
  };
  assert.deepEqual(changeModes({ ...nodeFileSystem, setMode }), [TOUCHED, TOUCHED]);
});

test("a disk that keeps no modes shows the one that was there before, and nobody touched that", () => {
  const ignore = (): void => {};
  const onStick = (path: string): boolean => !path.startsWith(join(root, ".dsync")) && path !== root;
  const lstat: FileSystem["lstat"] = (path) => {
    const stat = nodeFileSystem.lstat(path);
    return stat !== undefined && onStick(path) ? { ...stat, device: stat.device + 1n } : stat;
  };
  const disks: readonly Partial<FileSystem>[] = [
    { setMode: ignore, setModeOf: ignore },
    // A stick mounted inside a folder whose own disk keeps modes.
    { setMode: ignore, lstat },
    // It is full: nothing can be tried.
    {
      setMode: ignore,
      createFile: () => {
        throw Object.assign(new Error("full"), { code: "ENOSPC" });
      },
    },
  ];
  for (const disk of disks) {
    for (const outcome of changeModes({ ...nodeFileSystem, ...disk })) {
      assert.ok(outcome?.kind === "applied" && !outcome.touched && outcome.signature !== undefined);
    }
    fs.rmdirSync(join(root, "b"));
  }
});

/** How often `a` is looked at. */
function countLooks(operation: ApplyOperation): number {
  let looks = 0;
  const lstat: FileSystem["lstat"] = (path) => {
    if (path === join(root, "a")) looks++;
    return nodeFileSystem.lstat(path);
  };
  applyOn({ ...nodeFileSystem, lstat }, [operation]);
  return looks;
}

test("who puts a file where a directory is about to be made keeps it as it is", () => {
  fs.mkdirSync(join(root, "a"));
  const operation: ApplyOperation = { kind: "directory", diskPath: "a", expected: signatureAt("a"), mode: 0o755 };
  const person = (): void => {
    fs.rmdirSync(join(root, "a"));
    fs.writeFileSync(join(root, "a"), "mine", { mode: 0o600 });
  };
  assert.deepEqual(applyInterrupted(operation, { call: "lstat", count: 2, person }), { kind: "changed" });
  assert.equal(fs.statSync(join(root, "a")).mode & 0o777, 0o600);
});

test("who puts a file where a directory was just made of a file is noticed, and where that one is kept is told (simulation, seed 8001292)", () => {
  write("a", "before");
  const operation: ApplyOperation = { kind: "directory", diskPath: "a", expected: signatureAt("a"), mode: 0o755 };
  const makeDirectory = (path: string, mode: number): void => {
    nodeFileSystem.makeDirectory(path, mode);
    if (path !== join(root, "a")) return;
    fs.rmdirSync(path);
    write("a", "mine");
  };
  const kept = `.dsync/trash/${BATCH}/a`;
  assert.deepEqual(applyOn({ ...nodeFileSystem, makeDirectory }, [operation]), [{ ...TOUCHED, trashed: kept }]);
  assert.deepEqual([read("a"), read(kept)], ["mine", "before"]);
});

test("a path below what was a file earlier in the same batch goes into another batch", () => {
  write("a", "file");
  const [first] = apply({ kind: "remove", diskPath: "a", expected: signatureAt("a") });
  fs.mkdirSync(join(root, "a"));
  write("a/b", "below");
  const [second] = apply({ kind: "remove", diskPath: "a/b", expected: signatureAt("a/b") });
  assert.deepEqual([first?.kind, second?.kind], ["applied", "applied"]);
  assert.equal(read(`.dsync/trash/${BATCH}/a`), "file");
  assert.equal(read(`.dsync/trash/${BATCH}-1/a/b`), "below");
});

test("who edits a file while it is copied into the trash keeps the edit", () => {
  const operations = (expected: StatSignature): ApplyOperation[] => [
    file("a", "ours", expected),
    { kind: "remove", diskPath: "a", expected },
    { kind: "directory", diskPath: "a", expected, mode: 0o755 },
    { kind: "symlink", diskPath: "a", expected, target: "ours" },
  ];
  for (const kind of [0, 1, 2, 3]) {
    write("a", "before");
    const operation = operations(signatureAt("a"))[kind];
    assert.ok(operation);
    const noLinks = {
      ...nodeFileSystem,
      link: () => {
        throw Object.assign(new Error("no links here"), { code: "EPERM" });
      },
      copyFile: (from: string, to: string) => {
        nodeFileSystem.copyFile(from, to);
        write("a", "edited meanwhile");
      },
    };
    const [outcome] = applyOn(noLinks, [operation]);
    assert.equal(outcome?.kind, "changed", operation.kind);
    assert.equal(read("a"), "edited meanwhile");
    assert.deepEqual(fs.readdirSync(join(root, `.dsync/trash/${BATCH}`)), []);
    assert.deepEqual(staging(), []);
  }
});

test("who swaps a file away and back while it is kept in the trash loses nothing (simulation, seed 7105060)", () => {
  const swap = (): void => {
    fs.renameSync(join(root, "a"), join(root, "c"));
    fs.renameSync(join(root, "b"), join(root, "a"));
    fs.renameSync(join(root, "c"), join(root, "b"));
  };
  for (const kind of ["file", "remove"] as const) {
    write("a", "before");
    write("b", "others");
    const expected = signatureAt("a");
    const disk = {
      ...nodeFileSystem,
      link: (from: string, to: string) => {
        swap();
        nodeFileSystem.link(from, to);
        swap();
      },
    };
    const operation: ApplyOperation = kind === "file" ? file("a", "ours", expected) : { kind, diskPath: "a", expected };
    assert.deepEqual(applyOn(disk, [operation]), [{ kind: "changed" }]);
    assert.deepEqual([read("a"), read("b")], ["before", "others"]);
    assert.deepEqual(fs.readdirSync(join(root, `.dsync/trash/${BATCH}`)), []);
  }
});

/** Moves `from` over `a` on a disk without links, where a person does something while the old content is copied. */
function moveWhile(person: (copies: number) => void): ApplyOutcome | undefined {
  write("from", "moved");
  write("a", "before");
  let copies = 0;
  const disk = {
    ...nodeFileSystem,
    link: () => {
      throw Object.assign(new Error("no links here"), { code: "EPERM" });
    },
    copyFile: (from: string, to: string) => {
      nodeFileSystem.copyFile(from, to);
      copies++;
    },
    lstat: (path: string) => {
      if (path === join(root, "from")) person(copies);
      return nodeFileSystem.lstat(path);
    },
  };
  const move: ApplyOperation = {
    kind: "move",
    diskPath: "a",
    expected: signatureAt("a"),
    from: "from",
    fromSignature: signatureAt("from"),
    mode: 0o644,
    mtimeUs: 1_600_000_000_000_001,
  };
  return applyOn(disk, [move])[0];
}

test("who edits what is about to be moved, while what it replaces is kept, keeps the edit where it is", () => {
  const outcome = moveWhile((copies) => copies > 0 && write("from", "edited meanwhile"));
  assert.deepEqual(outcome, { kind: "damaged" });
  assert.deepEqual([read("a"), read("from")], ["before", "edited meanwhile"]);
  assert.deepEqual(fs.readdirSync(join(root, `.dsync/trash/${BATCH}`)), []);
});

test("who edits what a move replaces, until right before, keeps the edit", () => {
  const outcome = moveWhile((copies) => copies > 0 && write("a", "edited meanwhile"));
  assert.deepEqual(outcome, { kind: "changed" });
  assert.deepEqual([read("a"), read("from")], ["edited meanwhile", "moved"]);
  assert.deepEqual(fs.readdirSync(join(root, `.dsync/trash/${BATCH}`)), []);
});

test("without hard links, what is replaced is copied into the trash, symlinks too", () => {
  write("a", "one");
  fs.symlinkSync("nowhere", join(root, "link"));
  const noLinks = {
    ...nodeFileSystem,
    link: () => {
      throw Object.assign(new Error("no links here"), { code: "EPERM" });
    },
  };
  const operations: ApplyOperation[] = [
    { kind: "remove", diskPath: "a", expected: signatureAt("a") },
    { kind: "remove", diskPath: "link", expected: signatureAt("link") },
  ];
  const kinds = applyOn(noLinks, operations).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["applied", "applied"]);
  assert.equal(read(`.dsync/trash/${BATCH}/a`), "one");
  assert.equal(fs.readlinkSync(join(root, `.dsync/trash/${BATCH}/link`)), "nowhere");
});
