import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { identityOf } from "../../test/support/scanner-world.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { signatureOf } from "../index/signature.ts";
import { unpackChildren } from "./packed-children.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import { lookAtPaths, scanDirectories, type ScannedDirectory } from "./scan-job.ts";

function inFolder(action: (root: string, identity: RootIdentity) => void): void {
  const root = fs.mkdtempSync(join(tmpdir(), "dsync-scan-job-"));
  try {
    fs.mkdirSync(join(root, ".dsync"));
    action(root, identityOf(root));
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

function scanOne(
  identity: RootIdentity,
  directory: string,
  files: FileSystem = nodeFileSystem,
): ScannedDirectory["listing"] {
  const result = scanDirectories(files, { identity, directories: [directory] });
  assert.equal(result.kind, "scanned");
  const [scanned] = result.directories;
  assert.ok(scanned !== undefined);
  return scanned.listing;
}

test("children come with the signature that lstat gives, also through a structured clone", () =>
  inFolder((root, identity) => {
    fs.writeFileSync(join(root, "f"), "12345");
    fs.mkdirSync(join(root, "d"));
    fs.symlinkSync("f", join(root, "l"));
    fs.utimesSync(join(root, "f"), -5, -5);
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(scanOne(identity, ""));
    const listing = (receiveMessageOnPort(port2) as { message: ScannedDirectory["listing"] }).message;
    port1.close();
    assert.equal(listing.kind, "listed");
    const children = [...unpackChildren(listing.children)].filter(({ name }) => name !== ".dsync");
    assert.deepEqual(children.map(({ name }) => name).toSorted(), ["d", "f", "l"]);
    for (const { name, signature, target } of children) {
      const stat = nodeFileSystem.lstat(join(root, name));
      assert.ok(stat !== undefined);
      assert.deepEqual(signature, signatureOf(stat));
      assert.equal(target, name === "l" ? "f" : undefined);
    }
  }));

test("nothing is reached through a symlink, not even inside the folder", () =>
  inFolder((root, identity) => {
    fs.mkdirSync(join(root, "d/e"), { recursive: true });
    fs.writeFileSync(join(root, "d/e/f"), "");
    fs.symlinkSync("d", join(root, "l"));
    assert.equal(scanOne(identity, "l").kind, "gone");
    assert.equal(scanOne(identity, "l/e").kind, "gone");
    const looked = lookAtPaths(nodeFileSystem, { identity, paths: ["d/e/f", "l/e/f", "l", "x/y"] });
    assert.equal(looked.kind, "looked");
    assert.deepEqual(
      looked.items.map((item) => item?.signature?.kind),
      ["file", undefined, "symlink", undefined],
    );
  }));

test("a directory that becomes a symlink while it is read is not read", () =>
  inFolder((root, identity) => {
    fs.mkdirSync(join(root, "d"));
    fs.mkdirSync(join(root, "other"));
    fs.writeFileSync(join(root, "other/secret"), "");
    const swapping: FileSystem = {
      ...nodeFileSystem,
      readDirectory(path) {
        fs.rmdirSync(join(root, "d"));
        fs.symlinkSync("other", join(root, "d"));
        return nodeFileSystem.readDirectory(path);
      },
    };
    assert.equal(scanOne(identity, "d", swapping).kind, "gone");
  }));

test("another root, a missing marker or another marker proves nothing", () =>
  inFolder((root, identity) => {
    const others: RootIdentity[] = [
      { ...identity, inode: identity.inode + 1n },
      { ...identity, device: identity.device + 1n },
      { ...identity, markerInode: identity.markerInode + 1n },
      { ...identity, root: `${root}/nowhere` },
    ];
    for (const other of others) {
      assert.equal(scanDirectories(nodeFileSystem, { identity: other, directories: [""] }).kind, "root-changed");
      assert.equal(lookAtPaths(nodeFileSystem, { identity: other, paths: ["a"] }).kind, "root-changed");
    }
  }));

test("a root that changes while it is read proves nothing", () =>
  inFolder((root, identity) => {
    const unmounting: FileSystem = {
      ...nodeFileSystem,
      readDirectory(path) {
        fs.rmSync(join(root, ".dsync"), { recursive: true });
        return nodeFileSystem.readDirectory(path);
      },
    };
    assert.equal(scanDirectories(unmounting, { identity, directories: [""] }).kind, "root-changed");
  }));

test("what cannot be read is a problem: of the directory, or of the child alone", () =>
  inFolder((root, identity) => {
    fs.mkdirSync(join(root, "d"));
    fs.writeFileSync(join(root, "d/bad"), "");
    fs.writeFileSync(join(root, "d/good"), "");
    const failing = (name: "lstat" | "readDirectory", path: string): FileSystem => ({
      ...nodeFileSystem,
      [name]: (asked: string) => {
        if (asked !== join(root, path)) return nodeFileSystem[name](asked);
        throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
      },
    });
    const unreadable = scanOne(identity, "d", failing("readDirectory", "d"));
    assert.ok(unreadable.kind === "unreadable" && unreadable.problem.code === "EACCES");
    const listing = scanOne(identity, "d", failing("lstat", "d/bad"));
    assert.ok(listing.kind === "listed");
    const problems = [...unpackChildren(listing.children)].map(({ name, problem }) => `${name} ${problem?.code}`);
    assert.deepEqual(problems.toSorted(), ["bad EACCES", "good undefined"]);
  }));

test("a name is not taken for a file of its own while nobody can tell how it is spelled (simulation, seed 14202343)", () => {
  const files = createMemoryFileSystem(new MemoryDisk(() => 1_700_000_000_123_000_000n, { ignoresCase: true }));
  for (const path of ["/f", "/f/.dsync"]) files.makeDirectory(path, 0o755);
  files.symlink("d", "/f/C");
  const [root, marker] = ["/f", "/f/.dsync"].map((path) => files.lstat(path));
  assert.ok(root !== undefined && marker !== undefined);
  const identity = { root: "/f", device: root.device, inode: root.inode, markerInode: marker.inode };
  const readDirectory = (): never => {
    throw Object.assign(new Error("EBUSY"), { code: "EBUSY" });
  };
  const request = { identity, paths: ["c"] };
  const asTold = lookAtPaths(files, request);
  assert.deepEqual(asTold.kind === "looked" && asTold.items, [undefined]);
  const untold = lookAtPaths({ ...files, readDirectory }, request);
  assert.ok(untold.kind === "looked");
  assert.equal(untold.items[0]?.problem?.code, "EBUSY");
});

test("a directory with the expected sum is not listed; one with another, or with what is compared each time, is", () =>
  inFolder((root, identity) => {
    for (const name of ["d", "d/below", "nfd"]) fs.mkdirSync(join(root, name));
    fs.writeFileSync(join(root, "d/f"), "12345");
    fs.writeFileSync(join(root, "nfd", "é".normalize("NFD")), "");
    const directories = ["d", "nfd", "d/below"];
    const scan = (expected: readonly string[]): readonly ScannedDirectory["listing"][] => {
      const result = scanDirectories(nodeFileSystem, { identity, directories, expected });
      assert.ok(result.kind === "scanned");
      return result.directories.map(({ listing }) => listing);
    };
    const sums = scan(["", "", ""]).map((listing) => (listing.kind === "listed" ? listing.sum : listing.kind));
    assert.equal(sums[1], undefined);
    const known = sums.map((sum) => sum ?? "");
    const kinds = (): readonly string[] => scan(known).map(({ kind }) => kind);
    assert.deepEqual(scan(known)[0], { kind: "unchanged", count: 2, below: ["below"] });
    assert.deepEqual(kinds(), ["unchanged", "listed", "unchanged"]);
    fs.writeFileSync(join(root, "d/f"), "12346");
    assert.deepEqual(kinds(), ["listed", "listed", "unchanged"]);
  }));
