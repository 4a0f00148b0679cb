// Each change of the disk, with a failure or a crash at every single call: content is in one place or the other, whole.

import assert from "node:assert/strict";
import fs from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { failingFileSystem } from "../../test/support/failing-file-system.ts";
import { removeDirectory, rootIdentity, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import type { RestoreOutcome } from "../core/reports.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { nodeFileSystem as real } from "../edge/node-file-system.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf } from "../index/signature.ts";
import { applyOperations } from "./apply-job.ts";
import type { ApplyOperation, ApplyOutcome } from "./apply-operation.ts";
import { restoreFromTrash } from "./restore-trash.ts";
import { listTrash } from "./trash.ts";

const blake3 = loadBlake3({ portable: false });
const BATCH = "2026-01-02T03-04-05.678Z";
const CALLS_MAX = 200;
let root = "";

beforeEach(() => {
  root = temporaryDirectory();
});
afterEach(() => removeDirectory(root));

function signatureAt(path: string): StatSignature {
  const stat = real.lstat(join(root, path));
  const signature = stat === undefined ? undefined : signatureOf(stat);
  assert.ok(signature);
  return signature;
}

const idOf = (content: string): ContentHash => contentHashFromBytes(blake3.hash(Buffer.from(content)));

function file(diskPath: string, content: string, expected: StatSignature | "absent"): ApplyOperation {
  const payload = Buffer.from(content);
  const source = { kind: "bytes", encoding: "raw", payload } as const;
  const common = { kind: "file", diskPath, expected, contentId: idOf(content), size: payload.length } as const;
  return { ...common, mode: 0o640, mtimeUs: 1_500_000_000_000_000, source };
}

function stagedFile(diskPath: string, content: string, expected: StatSignature | "absent"): ApplyOperation {
  return { ...file(diskPath, content, expected), source: { kind: "staged" } } as ApplyOperation;
}

interface Case {
  readonly title: string;
  /** What is in the folder before. */
  readonly files: Readonly<Record<string, string>>;
  /** Targets of the symlinks there. */
  readonly symlinks?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** A content that is in staging, every chunk of it. */
  readonly staged?: string;
  readonly operations: () => readonly ApplyOperation[];
  /** Contents that are whole somewhere afterwards, whatever happened. */
  readonly kept: readonly string[];
  /** A path that holds nothing for a moment: a directory cannot be renamed over a file. */
  readonly emptied?: string;
}

const CASES: readonly Case[] = [
  {
    title: "a replacement",
    files: { "d/a": "old" },
    operations: () => [file("d/a", "new", signatureAt("d/a"))],
    kept: ["old"],
  },
  {
    title: "a new file",
    files: {},
    operations: () => [file("a", "new", "absent")],
    kept: [],
  },
  {
    title: "a replacement by what is in staging",
    files: { "d/a": "old" },
    staged: "new",
    operations: () => [stagedFile("d/a", "new", signatureAt("d/a"))],
    kept: ["old"],
  },
  {
    title: "a new file out of staging",
    files: {},
    staged: "new",
    operations: () => [stagedFile("a", "new", "absent")],
    kept: [],
  },
  {
    title: "another mode and time alone",
    files: { "d/a": "same" },
    operations: () => [
      {
        kind: "metadata",
        diskPath: "d/a",
        expected: signatureAt("d/a"),
        mode: 0o600,
        mtimeUs: 1_500_000_000_000_000,
      },
    ],
    kept: ["same"],
  },
  {
    title: "a removal",
    files: { "d/a": "old" },
    operations: () => [{ kind: "remove", diskPath: "d/a", expected: signatureAt("d/a") }],
    kept: ["old"],
  },
  {
    title: "a removal of a symlink",
    files: {},
    symlinks: { a: "x" },
    operations: () => [{ kind: "remove", diskPath: "a", expected: signatureAt("a") }],
    kept: ["symlink to x"],
  },
  {
    title: "a removal of an empty directory",
    files: { "d/beside": "old" },
    directory: "d/a",
    operations: () => [{ kind: "remove", diskPath: "d/a", expected: signatureAt("d/a") }],
    kept: ["old"],
  },
  {
    title: "a move over something else",
    files: { from: "moved", to: "old" },
    operations: () => [
      {
        kind: "move",
        diskPath: "to",
        expected: signatureAt("to"),
        from: "from",
        fromSignature: signatureAt("from"),
        mode: 0o600,
        mtimeUs: 1_500_000_000_000_000,
      },
    ],
    kept: ["moved", "old"],
  },
  {
    title: "a symlink over a file",
    files: { a: "old" },
    operations: () => [{ kind: "symlink", diskPath: "a", expected: signatureAt("a"), target: "x" }],
    kept: ["old"],
  },
  {
    title: "a file over a symlink",
    files: {},
    symlinks: { a: "x" },
    operations: () => [file("a", "new", signatureAt("a"))],
    kept: ["symlink to x"],
  },
  {
    title: "a directory over a file, and a file in it",
    files: { a: "old" },
    operations: () => [
      { kind: "directory", diskPath: "a", expected: signatureAt("a"), mode: 0o755 },
      file("a/inside", "new", "absent"),
    ],
    kept: ["old"],
    emptied: "a",
  },
  {
    title: "a copy of a file of this folder over another",
    files: { source: "shared", target: "old" },
    operations: () => [
      {
        ...file("target", "shared", signatureAt("target")),
        source: { kind: "copy", diskPath: "source" },
      } as ApplyOperation,
    ],
    kept: ["old", "shared"],
  },
  {
    title: "two contents of one path in one batch",
    files: { a: "second", [`.dsync/trash/${BATCH}/a`]: "first" },
    operations: () => [{ kind: "remove", diskPath: "a", expected: signatureAt("a") }],
    kept: ["first", "second"],
  },
];

/** Everything below `directory`: the content of a file, where a symlink leads, or that it is a directory. */
function contentsBelow(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of fs.readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, name);
    const stat = fs.lstatSync(path);
    if (stat.isFile()) found.set(name, fs.readFileSync(path, "utf8"));
    else found.set(name, stat.isSymbolicLink() ? `symlink to ${fs.readlinkSync(path)}` : "directory");
  }
  return found;
}

/** The same, without what is dsync's own. */
function contentsVisible(): Map<string, string> {
  return new Map([...contentsBelow(root)].filter(([name]) => !name.startsWith(".dsync")));
}

function prepare({ files = {}, symlinks = {}, directory, staged }: Partial<Case>): void {
  fs.rmSync(root, { recursive: true });
  fs.mkdirSync(join(root, ".dsync/staging"), { recursive: true });
  fs.mkdirSync(join(root, ".dsync/trash"));
  writeFiles(root, files);
  for (const [path, target] of Object.entries(symlinks)) {
    fs.mkdirSync(dirname(join(root, path)), { recursive: true });
    fs.symlinkSync(target, join(root, path));
  }
  if (directory !== undefined) fs.mkdirSync(join(root, directory));
  if (staged !== undefined) writeFiles(root, { [`.dsync/staging/${idOf(staged)}`]: staged });
}

function apply(disk: FileSystem, operations: readonly ApplyOperation[]): readonly ApplyOutcome[] {
  const request = { identity: rootIdentity(root), trashBatch: BATCH, jobId: 1, operations };
  const result = applyOperations({ fs: disk, blake3 }, request);
  return result.kind === "applied" ? result.outcomes : [];
}

/** What the paths hold before and after, when nothing fails. */
function versionsOf(scenario: Omit<Case, "operations">, change: () => void): readonly ReadonlyMap<string, string>[] {
  prepare(scenario);
  const before = contentsVisible();
  change();
  return [before, contentsVisible()];
}

/** A path that holds something before and after holds one of the two now. */
function assertOldOrNew(versions: readonly ReadonlyMap<string, string>[], where: string, emptied?: string): void {
  const now = contentsVisible();
  for (const path of new Map([now, ...versions].flatMap((version) => Array.from(version))).keys()) {
    const held = now.get(path);
    const isAllowed =
      versions.some((version) => version.get(path) === held) || (held === undefined && path === emptied);
    assert.ok(isAllowed, `${where}: ${path} holds ${held ?? "nothing"}`);
  }
}

/** What the index is told is what is there. */
function assertTold(operations: readonly ApplyOperation[], outcomes: readonly ApplyOutcome[], where: string): void {
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.kind !== "applied" || outcome.signature === undefined) continue;
    const { diskPath } = operations[index] as ApplyOperation;
    assert.deepEqual(outcome.signature, signatureAt(diskPath), `${where}: ${diskPath}`);
  }
}

/** What is in its place is said to be: or what is heard of the path next would find what passes for a person's there. */
function assertNoneUntold(
  [before, after]: readonly ReadonlyMap<string, string>[],
  operations: readonly ApplyOperation[],
  outcomes: readonly ApplyOutcome[],
  where: string,
): void {
  const now = contentsVisible();
  for (const [index, operation] of operations.entries()) {
    const { diskPath } = operation;
    const isReplaced = now.get(diskPath) === after?.get(diskPath) && now.get(diskPath) !== before?.get(diskPath);
    if (isReplaced || (operation.kind === "metadata" && isChanged(operation))) {
      assert.equal(outcomes[index]?.kind, "applied", `${where}: ${diskPath} is done`);
    }
  }
}

/** True if its mode or time is not what it was. */
function isChanged({ diskPath, expected }: ApplyOperation): boolean {
  if (expected === "absent") return false;
  const { mode, mtimeNs } = signatureAt(diskPath);
  return mode !== expected.mode || mtimeNs !== expected.mtimeNs;
}

function assertKept(kept: readonly string[], where: string): void {
  const all = contentsBelow(root);
  for (const content of kept) {
    const places = [...all].filter(([name, found]) => found === content && !name.startsWith(".dsync/staging"));
    assert.ok(places.length > 0, `${where}: "${content}" is nowhere`);
  }
}

interface Failure {
  readonly how: string;
  readonly code: string;
  readonly crash: boolean;
  readonly hasHardLinks: boolean;
}

const FAILURES: readonly Failure[] = [
  { how: "a crash", code: "EIO", crash: true, hasHardLinks: true },
  { how: "no hard links and a crash", code: "EIO", crash: true, hasHardLinks: false },
  ...["EIO", "ENOSPC", "EPERM", "EACCES"].map((code) => ({ how: code, code, crash: false, hasHardLinks: true })),
  { how: "no hard links and EACCES", code: "EACCES", crash: false, hasHardLinks: false },
];

function noHardLink(): never {
  throw Object.assign(new Error("EPERM"), { code: "EPERM" });
}

/** A disk that fails at one call; a crash in the middle of a copy leaves a part of it. */
function failingDisk(failAt: number, { code, crash, hasHardLinks }: Failure): ReturnType<typeof failingFileSystem> {
  const { fs: disk, calls } = failingFileSystem({ failAt, code, crash });
  const copyFile = (from: string, to: string): void => {
    try {
      disk.copyFile(from, to);
    } catch (error) {
      if (crash) fs.writeFileSync(to, fs.readFileSync(from).subarray(0, 2), { flag: "wx" });
      throw error;
    }
  };
  return { fs: { ...disk, copyFile, ...(hasHardLinks ? {} : { link: noHardLink }) }, calls };
}

for (const scenario of CASES) {
  for (const failure of FAILURES) {
    test(`${scenario.title}, with ${failure.how} at each call`, () => {
      const versions = versionsOf(scenario, () => {
        const kinds = apply(real, scenario.operations()).map(({ kind }) => kind);
        assert.deepEqual(new Set(kinds), new Set(["applied"]));
      });
      for (let failAt = 0; ; failAt++) {
        assert.ok(failAt < CALLS_MAX);
        const where = `call ${failAt}`;
        prepare(scenario);
        const operations = scenario.operations();
        const failing = failingDisk(failAt, failure);
        const outcomes = apply(failing.fs, operations);
        assertKept(scenario.kept, where);
        assertOldOrNew(versions, where, scenario.emptied);
        assertTold(operations, outcomes, where);
        if (!failure.crash) assertNoneUntold(versions, operations, outcomes, where);
        // What was staged stays there until it is in its place; what else a crash leaves is swept at the next start.
        const { staged } = scenario;
        const isPlaced = staged === undefined || [...contentsVisible().values()].includes(staged);
        const left = isPlaced ? [] : [idOf(staged)];
        const inStaging = fs.readdirSync(join(root, ".dsync/staging"));
        if (!failure.crash) assert.deepEqual(inStaging, left, `staging after ${where}`);
        for (const name of left) assert.equal(contentsBelow(join(root, ".dsync/staging")).get(name), staged, where);
        if (failing.calls() > failAt) continue;
        assert.deepEqual(contentsVisible(), versions[1], "nothing failed");
        return;
      }
    });
  }
}

const IN_TRASH = `.dsync/trash/${BATCH}/d/a`;

const RESTORES: readonly Omit<Case, "operations">[] = [
  { title: "a file to a free path", files: { [IN_TRASH]: "kept" }, kept: ["kept"] },
  { title: "a file to a taken path", files: { [IN_TRASH]: "kept", "d/a": "mine" }, kept: ["kept", "mine"] },
  { title: "a symlink to a free path", files: {}, symlinks: { [IN_TRASH]: "x" }, kept: ["symlink to x"] },
];

for (const scenario of RESTORES) {
  for (const failure of FAILURES) {
    test(`restoring ${scenario.title}, with ${failure.how} at each call`, () => {
      const versions = versionsOf(scenario, () => assert.ok(restore(real).restored));
      for (let failAt = 0; ; failAt++) {
        assert.ok(failAt < CALLS_MAX);
        const where = `call ${failAt}`;
        prepare(scenario);
        const failing = failingDisk(failAt, failure);
        restore(failing.fs);
        assertKept(scenario.kept, where);
        assertOldOrNew(versions, where);
        if (!failure.crash)
          assert.deepEqual(fs.readdirSync(join(root, ".dsync/staging")), [], `staging after ${where}`);
        if (failing.calls() > failAt) continue;
        assert.deepEqual(contentsVisible(), versions[1], "nothing failed");
        return;
      }
    });
  }
}

/** Of what is alone in the trash. */
function restore(disk: FileSystem): RestoreOutcome {
  const [item] = listTrash(real, root);
  assert.ok(item);
  return restoreFromTrash(disk, root, item);
}

test("a restore without hard links shows no half-written file, and never overwrites", () => {
  for (const copyFails of [true, false]) {
    prepare({ files: { [IN_TRASH]: "kept" } });
    const copyFile = (from: string, to: string): void => {
      if (!copyFails) return real.copyFile(from, to);
      // As a full disk leaves it, before anybody cleans up.
      fs.writeFileSync(to, "ke");
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    const outcome = restore({ ...real, link: noHardLink, copyFile });
    assert.equal(outcome.restored, !copyFails);
    assertKept(["kept"], "restored");
    assert.equal(contentsVisible().get("d/a"), copyFails ? undefined : "kept");
  }
});
