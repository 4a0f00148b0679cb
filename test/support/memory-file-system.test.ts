import assert from "node:assert/strict";
import { test } from "node:test";

import { testFileSystemContract } from "./file-system-contract.ts";
import { MemoryDisk, type DiskQuirks } from "./memory-disk.ts";
import { createMemoryFileSystem } from "./memory-file-system.ts";

let nowNs = 1_000_000_000_000_000n;
const tick = (): bigint => (nowNs += 1_000n);

testFileSystemContract("in memory", createMemoryFileSystem(new MemoryDisk(tick)), "");

function diskWith(quirks: Partial<DiskQuirks>) {
  const disk = new MemoryDisk(tick, quirks);
  return { disk, fs: createMemoryFileSystem(disk) };
}

test("a disk that ignores case knows a file under both names, and renames between them", () => {
  const { fs } = diskWith({ ignoresCase: true });
  fs.close(fs.createFile("/Read", 0o644));
  assert.throws(() => fs.createFile("/rEAD", 0o644), { code: "EEXIST" });
  fs.rename("/Read", "/READ");
  assert.deepEqual(fs.readDirectory("/"), [{ name: "READ", kind: "file" }]);
});

test("a disk that decomposes names finds them under either form", () => {
  const { fs } = diskWith({ decomposesNames: true });
  fs.close(fs.createFile("/\u00e9", 0o644));
  assert.equal(fs.lstat("/e\u0301")?.kind, "file");
  assert.deepEqual(fs.readDirectory("/"), [{ name: "e\u0301", kind: "file" }]);
});

test("a full disk takes nothing more, and goes on when there is room", () => {
  const { disk, fs } = diskWith({});
  disk.capacityBytes = 10;
  const descriptor = fs.createFile("/file", 0o644);
  fs.write(descriptor, new Uint8Array(10), 0);
  assert.throws(() => fs.write(descriptor, new Uint8Array(1), 10), { code: "ENOSPC" });
  assert.equal(fs.freeBytes("/"), 0);
  fs.truncate(descriptor, 0);
  fs.write(descriptor, new Uint8Array(1), 0);
  assert.equal(fs.freeBytes("/"), 9);
});

test("times have steps, links can be missing, numbers come back", () => {
  const { fs } = diskWith({ timeStepNs: 2_000_000_000n, hasNoLinks: true, reusesInodes: true });
  fs.close(fs.createFile("/file", 0o644));
  fs.setTimes("/file", 5_999_999);
  assert.equal(fs.lstat("/file")?.mtimeNs, 4_000_000_000n);
  assert.throws(() => fs.link("/file", "/second"), { code: "EPERM" });
  const inode = fs.lstat("/file")?.inode;
  fs.unlink("/file");
  fs.close(fs.createFile("/other", 0o644));
  assert.equal(fs.lstat("/other")?.inode, inode);
});

test("rights count: of a file for its bytes, of a directory for its names, of a whole disk for everything", () => {
  const { disk, fs } = diskWith({});
  fs.makeDirectory("/directory", 0o700);
  fs.close(fs.createFile("/directory/file", 0o444));
  assert.throws(() => fs.openForWriting("/directory/file"), { code: "EACCES" });
  fs.setMode("/directory", 0o500);
  assert.throws(() => fs.unlink("/directory/file"), { code: "EACCES" });
  assert.throws(() => fs.createFile("/directory/new", 0o600), { code: "EACCES" });
  disk.isReadOnly = true;
  assert.throws(() => fs.setMode("/directory", 0o700), { code: "EROFS" });
});

test("when the power goes, what was not flushed is damaged, and nothing else", () => {
  const { disk, fs } = diskWith({});
  for (const name of ["/flushed", "/not"]) {
    const descriptor = fs.createFile(name, 0o644);
    fs.write(descriptor, new Uint8Array(10), 0);
    if (name === "/flushed") fs.sync(descriptor);
    fs.close(descriptor);
  }
  fs.rename("/not", "/renamed");
  disk.losePower(30_000_000_000n, () => new Uint8Array(0));
  assert.equal(fs.lstat("/flushed")?.size, 10);
  assert.equal(fs.lstat("/renamed")?.size, 0);
});
