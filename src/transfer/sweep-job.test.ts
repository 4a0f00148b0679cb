import assert from "node:assert/strict";
import { test } from "node:test";
import { loadBlake3 } from "../content/blake3.ts";
import type { ContentHash } from "../core/ids.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem, type BeforeCall } from "../../test/support/memory-file-system.ts";
import { systemError } from "../../test/support/system-error.ts";
import { sweep } from "./sweep-job.ts";

const blake3 = loadBlake3({ portable: false });
const WANTED = "ab".repeat(32) as ContentHash;

/** A folder with one wanted and one other file in staging. */
function folder(beforeCall: BeforeCall = () => {}): FileSystem {
  const disk = new MemoryDisk(() => 0n);
  const plain = createMemoryFileSystem(disk);
  for (const path of ["/f", "/f/.dsync", "/f/.dsync/staging", "/f/.dsync/trash"]) plain.makeDirectory(path, 0o700);
  for (const name of [WANTED, "new-1-2"]) plain.close(plain.createFile(`/f/.dsync/staging/${name}`, 0o600));
  return createMemoryFileSystem(disk, beforeCall);
}

const request = { root: "/f", wanted: [WANTED], trashBeforeMs: 0 };
const staging = (fs: FileSystem): string[] => fs.readDirectory("/f/.dsync/staging").map(({ name }) => name);

test("what is still wanted stays in staging, the rest goes", () => {
  const fs = folder();
  assert.deepEqual(sweep({ fs, blake3 }, request), { staged: [WANTED], problem: undefined });
  assert.deepEqual(staging(fs), [WANTED]);
});

test("a disk that fails is told of, and no reason not to start (simulation, seed 181)", () => {
  for (const failing of ["lstat", "readDirectory", "unlink"] as const) {
    let isFailing = true;
    const fs = folder((call, path) => {
      if (isFailing && call === failing) throw systemError("EIO", path);
    });
    const { problem } = sweep({ fs, blake3 }, request);
    assert.equal(problem?.code, "EIO", failing);
    isFailing = false;
    assert.equal(staging(fs).length, 2);
  }
});
