// Each change of the disk, with a failure or a crash at every single call: content is in one place or the other, whole.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { failingFileSystem } from "../../test/support/failing-file-system.ts";
import { removeDirectory, rootIdentity, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import { nodeFileSystem, nodeFileSystem as real } from "../edge/node-file-system.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf } from "../index/signature.ts";
import { applyOperations } from "./apply-job.ts";
import type { ApplyOperation } from "./apply-operation.ts";
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

interface Case {
  readonly title: string;
  /** What is in the folder before. */
  readonly files: Readonly<Record<string, string>>;
  readonly operations: () => readonly ApplyOperation[];
  /** Contents that are whole somewhere afterwards, whatever happened. */
  readonly kept: readonly string[];
  /** All contents that a name outside `.dsync` may have. */
  readonly visible: readonly string[];
}

const CASES: readonly Case[] = [
  {
    title: "a replacement",
    files: { "d/a": "old" },
    operations: () => [file("d/a", "new", signatureAt("d/a"))],
    kept: ["old"],
    visible: ["old", "new"],
  },
  {
    title: "a new file",
    files: {},
    operations: () => [file("a", "new", "absent")],
    kept: [],
    visible: ["new"],
  },
  {
    title: "a removal",
    files: { "d/a": "old" },
    operations: () => [{ kind: "remove", diskPath: "d/a", expected: signatureAt("d/a") }],
    kept: ["old"],
    visible: ["old"],
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
    visible: ["moved", "old"],
  },
  {
    title: "a symlink over a file",
    files: { a: "old" },
    operations: () => [{ kind: "symlink", diskPath: "a", expected: signatureAt("a"), target: "x" }],
    kept: ["old"],
    visible: ["old"],
  },
  {
    title: "a directory over a file, and a file in it",
    files: { a: "old" },
    operations: () => [
      { kind: "directory", diskPath: "a", expected: signatureAt("a"), mode: 0o755 },
      file("a/inside", "new", "absent"),
    ],
    kept: ["old"],
    visible: ["old", "new"],
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
    visible: ["old", "shared"],
  },
  {
    title: "two contents of one path in one batch",
    files: { a: "second", [`.dsync/trash/${BATCH}/a`]: "first" },
    operations: () => [{ kind: "remove", diskPath: "a", expected: signatureAt("a") }],
    kept: ["first", "second"],
    visible: ["second"],
  },
];

/** Every regular file below `directory`, with its content. */
function contentsBelow(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of fs.readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    if (fs.lstatSync(join(directory, name)).isFile()) found.set(name, fs.readFileSync(join(directory, name), "utf8"));
  }
  return found;
}

function prepare(files: Readonly<Record<string, string>>): void {
  fs.rmSync(root, { recursive: true });
  fs.mkdirSync(join(root, ".dsync/staging"), { recursive: true });
  fs.mkdirSync(join(root, ".dsync/trash"));
  writeFiles(root, files);
}

function assertKept({ kept, visible }: Pick<Case, "kept" | "visible">, where: string): void {
  const all = contentsBelow(root);
  for (const content of kept) {
    const places = [...all].filter(([name, found]) => found === content && !name.startsWith(".dsync/staging"));
    assert.ok(places.length > 0, `${where}: "${content}" is nowhere`);
  }
  for (const [name, content] of all) {
    if (!name.startsWith(".dsync")) assert.ok(visible.includes(content), `${where}: ${name} holds "${content}"`);
  }
}

for (const scenario of CASES) {
  for (const crash of [true, false]) {
    for (const code of crash ? ["EIO"] : ["EIO", "ENOSPC", "EPERM", "EACCES"]) {
      test(`${scenario.title}, with ${crash ? "a crash" : code} at each call`, () => {
        for (let failAt = 0; ; failAt++) {
          assert.ok(failAt < CALLS_MAX);
          prepare(scenario.files);
          const operations = scenario.operations();
          const failing = failingFileSystem({ failAt, code, crash });
          applyOperations(
            { fs: failing.fs, blake3 },
            { identity: rootIdentity(root), trashBatch: BATCH, jobId: 1, operations },
          );
          assertKept(scenario, `call ${failAt}`);
          // What a crash leaves there is swept at the next start.
          if (!crash)
            assert.deepEqual(fs.readdirSync(join(root, ".dsync/staging")), [], `staging after call ${failAt}`);
          if (failing.calls() <= failAt) return;
        }
      });
    }
  }
}

const RESTORES: readonly Pick<Case, "title" | "files" | "kept" | "visible">[] = [
  { title: "a free path", files: {}, kept: ["kept"], visible: ["kept"] },
  { title: "a taken path", files: { "d/a": "mine" }, kept: ["kept", "mine"], visible: ["kept", "mine"] },
];

for (const scenario of RESTORES) {
  for (const [how, crash, code] of [
    ["a crash", true, "EIO"],
    ["EIO", false, "EIO"],
    ["no hard links", false, "EPERM"],
  ] as const) {
    test(`restoring to ${scenario.title}, with ${how} at each call`, () => {
      for (let failAt = 0; ; failAt++) {
        assert.ok(failAt < CALLS_MAX);
        prepare({ ...scenario.files, [`.dsync/trash/${BATCH}/d/a`]: "kept" });
        const [item] = listTrash(nodeFileSystem, root);
        assert.ok(item);
        const failing = failingFileSystem({ failAt, code, crash });
        restoreFromTrash(failing.fs, root, item);
        assertKept(scenario, `call ${failAt}`);
        if (!crash) assert.deepEqual(fs.readdirSync(join(root, ".dsync/staging")), [], `staging after call ${failAt}`);
        if (failing.calls() <= failAt) return;
      }
    });
  }
}

test("a restore without hard links shows no half-written file, and never overwrites", () => {
  for (const copyFails of [true, false]) {
    prepare({ [`.dsync/trash/${BATCH}/a`]: "kept" });
    const [item] = listTrash(nodeFileSystem, root);
    assert.ok(item);
    const link = (): never => {
      throw Object.assign(new Error("EPERM"), { code: "EPERM" });
    };
    const copyFile = (from: string, to: string): void => {
      if (!copyFails) return nodeFileSystem.copyFile(from, to);
      // As a full disk leaves it, before anybody cleans up.
      fs.writeFileSync(to, "ke");
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    const outcome = restoreFromTrash({ ...nodeFileSystem, link, copyFile }, root, item);
    assert.equal(outcome.restored, !copyFails);
    assertKept({ kept: ["kept"], visible: ["kept"] }, "restored");
  }
});
