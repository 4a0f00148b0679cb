import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { flush } from "./flush-job.ts";

const blake3 = loadBlake3({ portable: false });
let root = "";
beforeEach(() => {
  root = temporaryDirectory();
});
afterEach(() => removeDirectory(root));

/** The real file system, which writes down what was made durable, and fails where `fail` says so. */
function recording(fail: (path: string) => string | undefined = () => undefined): {
  readonly synced: string[];
  readonly fs: FileSystem;
} {
  const names = new Map<number, string>();
  const synced: string[] = [];
  const openForReading = (path: string): number => {
    const descriptor = nodeFileSystem.openForReading(path);
    names.set(descriptor, path.slice(root.length + 1));
    return descriptor;
  };
  const sync = (descriptor: number): void => {
    const name = names.get(descriptor) ?? "";
    const code = fail(name);
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    nodeFileSystem.sync(descriptor);
    synced.push(name);
  };
  return { synced, fs: { ...nodeFileSystem, openForReading, sync } };
}

test("files are made durable first, then the directories that hold their names, each once", () => {
  writeFiles(root, { "a/x": "1", "a/y": "2", "b/z": "3" });
  const { fs: recorded, synced } = recording();
  const { durable } = flush({ fs: recorded, blake3 }, { root, diskPaths: ["a/x", "a/y", "b/z", "b/gone", "top"] });
  assert.deepEqual(durable, [true, true, true, true, true]);
  assert.deepEqual(synced, ["a/x", "a/y", "b/z", "a", "b", ""]);
});

test("what cannot be made durable is said so, and the rest goes on", () => {
  writeFiles(root, { "a/x": "1", "a/y": "2", "b/z": "3" });
  const { fs: recorded } = recording((name) => (name === "a/x" || name === "b" ? "EIO" : undefined));
  const { durable } = flush({ fs: recorded, blake3 }, { root, diskPaths: ["a/x", "a/y", "b/z"] });
  assert.deepEqual(durable, [false, true, false]);
});

test("a system that cannot do it for directories does it for files alone", () => {
  writeFiles(root, { "a/x": "1" });
  const { fs: recorded, synced } = recording((name) => (name === "a" ? "EINVAL" : undefined));
  assert.deepEqual(flush({ fs: recorded, blake3 }, { root, diskPaths: ["a/x"] }).durable, [true]);
  assert.deepEqual(synced, ["a/x"]);
});

test("nothing is reached through a symlink", () => {
  writeFiles(root, { "elsewhere/x": "1" });
  fs.symlinkSync("elsewhere", join(root, "link"));
  const { fs: recorded, synced } = recording();
  flush({ fs: recorded, blake3 }, { root, diskPaths: ["link/x", "link"] });
  assert.deepEqual(synced, [""]);
});
