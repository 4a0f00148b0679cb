import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { loadBlake3 } from "../content/blake3.ts";
import { compressIfSmaller } from "../content/compression.ts";
import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import type { JobContext } from "../edge/job-context.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf } from "../index/signature.ts";
import { removeDirectory, temporaryDirectory } from "../../test/support/trees.ts";
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
  const result = applyOperations(context, { identity: identity(), trashBatch: BATCH, jobId: 1, operations });
  assert.equal(result.kind, "applied");
  return result.kind === "applied" ? [...result.outcomes] : [];
}

function identity(): RootIdentity {
  const { dev: device, ino: inode } = fs.lstatSync(root, { bigint: true });
  return { root, device, inode, markerInode: fs.lstatSync(join(root, ".dsync"), { bigint: true }).ino };
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
  applyOperations(context, { identity: identity(), trashBatch: undefined, jobId: 2, operations });
  assert.ok(!fs.existsSync(join(root, "a")));
  assert.deepEqual(fs.readdirSync(join(root, ".dsync/trash")), []);
});

test("nothing is done to another folder that is at the path by now", () => {
  const operations: ApplyOperation[] = [
    { kind: "directory", diskPath: "dir", expected: "absent", mode: 0o755 },
    file("a", "new"),
  ];
  const before = identity();
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
