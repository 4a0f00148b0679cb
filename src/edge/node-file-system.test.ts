import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import fc from "fast-check";

import { removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { nodeFileSystem as nfs } from "./node-file-system.ts";

const root = temporaryDirectory();
after(() => removeDirectory(root));
const at = (name: string): string => join(root, name);

test("lstat tells kinds apart and does not follow", () => {
  writeFiles(root, { "kinds/file": "12345" });
  fs.chmodSync(at("kinds/file"), 0o4751);
  fs.symlinkSync("nowhere", at("kinds/link"));
  fs.linkSync(at("kinds/file"), at("kinds/second"));
  execFileSync("mkfifo", [at("kinds/fifo")]);
  const file = nfs.lstat(at("kinds/file"));
  const raw = fs.lstatSync(at("kinds/file"), { bigint: true });
  assert.deepEqual(file, {
    kind: "file",
    size: 5,
    mode: 0o4751,
    mtimeNs: raw.mtimeNs,
    ctimeNs: raw.ctimeNs,
    inode: raw.ino,
    device: raw.dev,
    links: 2,
  });
  assert.equal(nfs.lstat(at("kinds/link"))?.kind, "symlink");
  assert.equal(nfs.lstat(at("kinds"))?.kind, "directory");
  assert.equal(nfs.lstat(at("kinds/fifo"))?.kind, "other");
  assert.equal(nfs.lstat(at("kinds/nothing")), undefined);
  assert.equal(nfs.lstat(at("kinds/file/below")), undefined);
  const items = nfs.readDirectory(at("kinds")).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(items, [
    { name: "fifo", kind: "other" },
    { name: "file", kind: "file" },
    { name: "link", kind: "symlink" },
    { name: "second", kind: "file" },
  ]);
  assert.equal(nfs.readLink(at("kinds/link")), "nowhere");
  assert.throws(() => nfs.readDirectory(at("kinds/file")), { code: "ENOTDIR" });
});

test("opening follows no symlink and waits for no FIFO", () => {
  writeFiles(root, { "open/file": "x" });
  fs.symlinkSync("file", at("open/link"));
  execFileSync("mkfifo", [at("open/fifo")]);
  assert.throws(() => nfs.openForReading(at("open/link")), { code: "ELOOP" });
  assert.throws(() => nfs.openForWriting(at("open/link")), { code: "ELOOP" });
  assert.throws(() => nfs.createFile(at("open/link"), 0o600), { code: "EEXIST" });
  assert.throws(() => nfs.createFile(at("open/file"), 0o600), { code: "EEXIST" });
  assert.throws(() => nfs.openForWriting(at("open/nothing")), { code: "ENOENT" });
  const fifo = nfs.openForReading(at("open/fifo"));
  assert.equal(nfs.fstat(fifo).kind, "other");
  nfs.close(fifo);
});

test("content is written and read at its place", () => {
  const descriptor = nfs.createFile(at("content"), 0o600);
  const bytes = randomFillSync(new Uint8Array(100_000));
  nfs.write(descriptor, bytes.subarray(50_000), 50_000);
  nfs.write(descriptor, bytes.subarray(0, 50_000), 0);
  const back = new Uint8Array(60_000);
  assert.equal(nfs.read(descriptor, back, 10_000), 60_000);
  assert.deepEqual(back, bytes.subarray(10_000, 70_000));
  assert.equal(nfs.read(descriptor, back, 90_000), 10_000);
  assert.equal(nfs.read(descriptor, back, 100_000), 0);
  nfs.truncate(descriptor, 10);
  nfs.setModeOf(descriptor, 0o640);
  nfs.sync(descriptor);
  const { size, mode } = nfs.fstat(descriptor);
  assert.deepEqual({ size, mode }, { size: 10, mode: 0o640 });
  nfs.close(descriptor);
});

test("times come out exact to the microsecond, before and after 1970", () => {
  writeFiles(root, { "times/file": "x" });
  fs.symlinkSync("file", at("times/link"));
  const descriptor = nfs.openForWriting(at("times/file"));
  // tmpfs and ext4 hold the years 1901 to 2446.
  const second = 1_000_000;
  const us = fc.oneof(
    fc.integer({ min: -2_147_483_648 * second, max: 4_000_000_000 * second }),
    fc.integer({ min: -3 * second, max: 3 * second }),
  );
  const before = nfs.fstat(descriptor).mtimeNs;
  fc.assert(
    fc.property(us, (mtimeUs) => {
      nfs.setTimesOf(descriptor, mtimeUs);
      assert.equal(nfs.fstat(descriptor).mtimeNs, BigInt(mtimeUs) * 1000n);
      nfs.setTimes(at("times/link"), mtimeUs + 1);
      assert.equal(nfs.lstat(at("times/link"))?.mtimeNs, BigInt(mtimeUs + 1) * 1000n);
      assert.equal(nfs.fstat(descriptor).mtimeNs, BigInt(mtimeUs) * 1000n);
    }),
    { numRuns: 5000, examples: [[-1], [0], [-second], [-2_147_483_648 * second]] },
  );
  nfs.close(descriptor);
  assert.notEqual(nfs.lstat(at("times/file"))?.mtimeNs, before);
});

test("modes are set without following a symlink, also of directories and of files that nobody may read", () => {
  writeFiles(root, { "modes/file": "x" });
  fs.symlinkSync("file", at("modes/link"));
  for (const mode of [0o000, 0o200, 0o4711, 0o644]) {
    nfs.setMode(at("modes/file"), mode);
    assert.equal(nfs.lstat(at("modes/file"))?.mode, mode);
  }
  assert.throws(() => nfs.setMode(at("modes/link"), 0o777), { code: "ELOOP" });
  assert.equal(nfs.lstat(at("modes/file"))?.mode, 0o644);
  nfs.setMode(at("modes"), 0o750);
  assert.equal(nfs.lstat(at("modes"))?.mode, 0o750);
  assert.throws(() => nfs.setMode(at("modes/nothing"), 0o777), { code: "ENOENT" });
});

test("names change as POSIX says", () => {
  writeFiles(root, { "names/a": "a", "names/b": "b" });
  nfs.rename(at("names/a"), at("names/b"));
  assert.equal(fs.readFileSync(at("names/b"), "utf8"), "a");
  nfs.link(at("names/b"), at("names/c"));
  assert.throws(() => nfs.link(at("names/b"), at("names/c")), { code: "EEXIST" });
  nfs.unlink(at("names/b"));
  nfs.symlink("c", at("names/link"));
  nfs.link(at("names/link"), at("names/link2"));
  assert.equal(nfs.readLink(at("names/link2")), "c");
  nfs.makeDirectory(at("names/dir"), 0o700);
  assert.equal(nfs.lstat(at("names/dir"))?.mode, 0o700);
  writeFiles(root, { "names/dir/x": "x" });
  assert.throws(() => nfs.removeDirectory(at("names/dir")), { code: "ENOTEMPTY" });
  nfs.unlink(at("names/dir/x"));
  nfs.removeDirectory(at("names/dir"));
});

test("a copy is new, and never made of what a symlink points to", () => {
  writeFiles(root, { "copies/a": "content" });
  nfs.copyFile(at("copies/a"), at("copies/b"));
  assert.equal(fs.readFileSync(at("copies/b"), "utf8"), "content");
  assert.throws(() => nfs.copyFile(at("copies/a"), at("copies/b")), { code: "EEXIST" });
  nfs.symlink("a", at("copies/link"));
  assert.throws(() => nfs.copyFile(at("copies/link"), at("copies/c")), { code: "ELOOP" });
  assert.equal(nfs.lstat(at("copies/c")), undefined);
});

test("free bytes are those that df shows", () => {
  const free = nfs.freeBytes(root);
  const shown = Number(execFileSync("df", ["--output=avail", "-B1", root], { encoding: "utf8" }).split("\n")[1]);
  assert.ok(Math.abs(free - shown) < 4e9 && free > 0, `${free} against ${shown}`);
});
