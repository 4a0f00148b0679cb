// What every FileSystem must do, whatever it stands on: a suite that runs on the real one and on the one in memory.

import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { test } from "node:test";

import fc from "fast-check";

import type { FileSystem } from "../../src/edge/file-system.ts";

const SECOND_US = 1_000_000;

/** Registers the suite. `root`: an empty directory on `fs`. */
export function testFileSystemContract(name: string, fs: FileSystem, root: string): void {
  const at = (path: string): string => `${root}/${path}`;
  const check = (what: string, body: () => void): void => void test(`${name}: ${what}`, body);

  function write(path: string, content: string): void {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      const directory = at(path.slice(0, slash));
      if (fs.lstat(directory) === undefined) fs.makeDirectory(directory, 0o755);
    }
    const descriptor = fs.createFile(at(path), 0o644);
    fs.write(descriptor, Buffer.from(content), 0);
    fs.close(descriptor);
  }

  function textOf(path: string): string {
    const descriptor = fs.openForReading(at(path));
    const bytes = new Uint8Array(1000);
    const count = fs.read(descriptor, bytes, 0);
    fs.close(descriptor);
    return Buffer.from(bytes.subarray(0, count)).toString();
  }

  check("lstat tells kinds apart and does not follow", () => {
    write("kinds/file", "12345");
    fs.setMode(at("kinds/file"), 0o751);
    fs.symlink("nowhere", at("kinds/link"));
    fs.link(at("kinds/file"), at("kinds/second"));
    const file = fs.lstat(at("kinds/file"));
    assert.deepEqual([file?.kind, file?.size, file?.mode, file?.links], ["file", 5, 0o751, 2]);
    assert.deepEqual(fs.lstat(at("kinds/second")), file);
    assert.equal(fs.lstat(at("kinds/link"))?.kind, "symlink");
    assert.equal(fs.lstat(at("kinds"))?.kind, "directory");
    assert.equal(fs.lstat(at("kinds/nothing")), undefined);
    assert.equal(fs.lstat(at("kinds/file/below")), undefined);
    const items = fs.readDirectory(at("kinds")).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    assert.deepEqual(items, [
      { name: "file", kind: "file" },
      { name: "link", kind: "symlink" },
      { name: "second", kind: "file" },
    ]);
    assert.equal(fs.readLink(at("kinds/link")), "nowhere");
    assert.throws(() => fs.readLink(at("kinds/file")), { code: "EINVAL" });
    assert.throws(() => fs.readDirectory(at("kinds/file")), { code: "ENOTDIR" });
    assert.throws(() => fs.readDirectory(at("kinds/nothing")), { code: "ENOENT" });
  });

  check("symlinks are followed in parents and nowhere else", () => {
    write("open/directory/file", "x");
    fs.symlink("directory", at("open/way"));
    fs.symlink("directory/file", at("open/link"));
    assert.equal(textOf("open/way/file"), "x");
    assert.throws(() => fs.openForReading(at("open/link")), { code: "ELOOP" });
    assert.throws(() => fs.openForWriting(at("open/link")), { code: "ELOOP" });
    assert.throws(() => fs.createFile(at("open/link"), 0o600), { code: "EEXIST" });
    assert.throws(() => fs.createFile(at("open/directory/file"), 0o600), { code: "EEXIST" });
    assert.throws(() => fs.openForWriting(at("open/nothing")), { code: "ENOENT" });
    assert.throws(() => fs.makeDirectory(at("open/nothing/below"), 0o700), { code: "ENOENT" });
    assert.throws(() => fs.makeDirectory(at("open/directory/file/below"), 0o700), { code: "ENOTDIR" });
  });

  check("content is written and read at its place", () => {
    const descriptor = fs.createFile(at("content"), 0o600);
    const bytes = randomFillSync(new Uint8Array(100_000));
    fs.write(descriptor, bytes.subarray(50_000), 50_000);
    fs.write(descriptor, bytes.subarray(0, 50_000), 0);
    const back = new Uint8Array(60_000);
    assert.equal(fs.read(descriptor, back, 10_000), 60_000);
    assert.deepEqual(back, bytes.subarray(10_000, 70_000));
    assert.equal(fs.read(descriptor, back, 90_000), 10_000);
    assert.equal(fs.read(descriptor, back, 100_000), 0);
    fs.truncate(descriptor, 10);
    fs.setModeOf(descriptor, 0o640);
    fs.sync(descriptor);
    const { size, mode } = fs.fstat(descriptor);
    assert.deepEqual({ size, mode }, { size: 10, mode: 0o640 });
    fs.close(descriptor);
    assert.throws(() => fs.fstat(descriptor), { code: "EBADF" });
    const reading = fs.openForReading(at("content"));
    assert.throws(() => fs.write(reading, bytes, 0), { code: "EBADF" });
    fs.close(reading);
  });

  check("an open file outlives its name", () => {
    write("open-file", "abc");
    const descriptor = fs.openForReading(at("open-file"));
    fs.unlink(at("open-file"));
    assert.equal(fs.fstat(descriptor).links, 0);
    assert.equal(fs.read(descriptor, new Uint8Array(9), 0), 3);
    fs.close(descriptor);
  });

  check("times come out exact to the microsecond, before and after 1970", () => {
    write("times/file", "x");
    fs.symlink("file", at("times/link"));
    const descriptor = fs.openForWriting(at("times/file"));
    // tmpfs and ext4 hold the years 1901 to 2446.
    const us = fc.oneof(
      fc.integer({ min: -2_147_483_648 * SECOND_US, max: 4_000_000_000 * SECOND_US }),
      fc.integer({ min: -3 * SECOND_US, max: 3 * SECOND_US }),
    );
    const before = fs.fstat(descriptor).mtimeNs;
    fc.assert(
      fc.property(us, (mtimeUs) => {
        fs.setTimesOf(descriptor, mtimeUs);
        assert.equal(fs.fstat(descriptor).mtimeNs, BigInt(mtimeUs) * 1000n);
        fs.setTimes(at("times/link"), mtimeUs + 1);
        assert.equal(fs.lstat(at("times/link"))?.mtimeNs, BigInt(mtimeUs + 1) * 1000n);
        assert.equal(fs.fstat(descriptor).mtimeNs, BigInt(mtimeUs) * 1000n);
      }),
      { numRuns: 5000, examples: [[-1], [0], [-SECOND_US], [-2_147_483_648 * SECOND_US]] },
    );
    fs.close(descriptor);
    assert.notEqual(fs.lstat(at("times/file"))?.mtimeNs, before);
  });

  check("modes are set without following a symlink, also of directories and of files that nobody may read", () => {
    write("modes/file", "x");
    fs.symlink("file", at("modes/link"));
    for (const mode of [0o000, 0o200, 0o711, 0o644]) {
      fs.setMode(at("modes/file"), mode);
      assert.equal(fs.lstat(at("modes/file"))?.mode, mode);
    }
    assert.throws(() => fs.setMode(at("modes/link"), 0o777), { code: "ELOOP" });
    assert.equal(fs.lstat(at("modes/file"))?.mode, 0o644);
    fs.setMode(at("modes"), 0o750);
    assert.equal(fs.lstat(at("modes"))?.mode, 0o750);
    assert.throws(() => fs.setMode(at("modes/nothing"), 0o777), { code: "ENOENT" });
  });

  check("names change as POSIX says", () => {
    write("names/a", "a");
    write("names/b", "b");
    fs.rename(at("names/a"), at("names/b"));
    assert.equal(textOf("names/b"), "a");
    fs.link(at("names/b"), at("names/c"));
    assert.throws(() => fs.link(at("names/b"), at("names/c")), { code: "EEXIST" });
    fs.rename(at("names/b"), at("names/c"));
    assert.equal(fs.lstat(at("names/b"))?.links, 2, "two names of one file stay");
    fs.unlink(at("names/b"));
    assert.equal(fs.lstat(at("names/c"))?.links, 1);
    fs.symlink("c", at("names/link"));
    fs.link(at("names/link"), at("names/link2"));
    assert.equal(fs.readLink(at("names/link2")), "c");
    fs.makeDirectory(at("names/dir"), 0o700);
    assert.equal(fs.lstat(at("names/dir"))?.mode, 0o700);
    assert.throws(() => fs.makeDirectory(at("names/dir"), 0o700), { code: "EEXIST" });
    assert.throws(() => fs.rename(at("names/c"), at("names/dir")), { code: "EISDIR" });
    assert.throws(() => fs.rename(at("names/dir"), at("names/c")), { code: "ENOTDIR" });
    assert.throws(() => fs.rename(at("names/dir"), at("names/dir/inside")), { code: "EINVAL" });
    assert.throws(() => fs.rename(at("names/nothing"), at("names/c")), { code: "ENOENT" });
    write("names/dir/x", "x");
    assert.throws(() => fs.removeDirectory(at("names/dir")), { code: "ENOTEMPTY" });
    fs.rename(at("names/dir"), at("names/moved"));
    assert.equal(textOf("names/moved/x"), "x");
    fs.unlink(at("names/moved/x"));
    fs.removeDirectory(at("names/moved"));
    assert.throws(() => fs.removeDirectory(at("names/c")), { code: "ENOTDIR" });
    assert.throws(() => fs.unlink(at("names/moved")), { code: "ENOENT" });
    assert.throws(() => fs.createFile(at(`names/${"x".repeat(256)}`), 0o600), { code: "ENAMETOOLONG" });
  });

  check("what happens to a file shows in its times and leaves its number alone", () => {
    write("stamps", "x");
    const before = fs.lstat(at("stamps"));
    const descriptor = fs.openForWriting(at("stamps"));
    fs.setTimesOf(descriptor, 1_000_000);
    fs.close(descriptor);
    fs.rename(at("stamps"), at("stamps2"));
    const after = fs.lstat(at("stamps2"));
    assert.equal(after?.inode, before?.inode);
    assert.equal(after?.mtimeNs, 1_000_000_000n);
    assert.ok(before !== undefined && after !== undefined && after.ctimeNs >= before.ctimeNs);
  });

  check("a copy is new, and never made of what a symlink points to", () => {
    write("copies/a", "content");
    fs.copyFile(at("copies/a"), at("copies/b"));
    assert.equal(textOf("copies/b"), "content");
    assert.notEqual(fs.lstat(at("copies/b"))?.inode, fs.lstat(at("copies/a"))?.inode);
    assert.throws(() => fs.copyFile(at("copies/a"), at("copies/b")), { code: "EEXIST" });
    fs.symlink("a", at("copies/link"));
    assert.throws(() => fs.copyFile(at("copies/link"), at("copies/c")), { code: "ELOOP" });
    assert.equal(fs.lstat(at("copies/c")), undefined);
  });

  check("there is room, and it is told in bytes", () => {
    assert.ok(fs.freeBytes(root) > 0);
  });
}
