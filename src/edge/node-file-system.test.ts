import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { testFileSystemContract } from "../../test/support/file-system-contract.ts";
import { removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { nodeFileSystem as nfs } from "./node-file-system.ts";

const root = temporaryDirectory();
after(() => removeDirectory(root));
const at = (name: string): string => join(root, name);

testFileSystemContract("real", nfs, root);

test("lstat tells what the system tells", () => {
  writeFiles(root, { "stat/file": "12345" });
  fs.chmodSync(at("stat/file"), 0o4751);
  const raw = fs.lstatSync(at("stat/file"), { bigint: true });
  assert.deepEqual(nfs.lstat(at("stat/file")), {
    kind: "file",
    size: 5,
    mode: 0o4751,
    mtimeNs: raw.mtimeNs,
    ctimeNs: raw.ctimeNs,
    birthNs: raw.birthtimeNs,
    inode: raw.ino,
    device: raw.dev,
    links: 1,
  });
});

test("opening waits for no FIFO", () => {
  fs.mkdirSync(at("pipes"));
  execFileSync("mkfifo", [at("pipes/fifo")]);
  assert.equal(nfs.lstat(at("pipes/fifo"))?.kind, "other");
  assert.deepEqual(nfs.readDirectory(at("pipes")), [{ name: "fifo", kind: "other" }]);
  const fifo = nfs.openForReading(at("pipes/fifo"));
  assert.equal(nfs.fstat(fifo).kind, "other");
  nfs.close(fifo);
});

test("free bytes are those that df shows", () => {
  const free = nfs.freeBytes(root);
  const shown = Number(execFileSync("df", ["--output=avail", "-B1", root], { encoding: "utf8" }).split("\n")[1]);
  assert.ok(Math.abs(free - shown) < 4e9 && free > 0, `${free} against ${shown}`);
});
