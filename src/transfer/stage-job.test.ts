import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { contentHashFromBytes } from "../core/ids.ts";
import { stagingPath } from "./disk-layout.ts";
import { stageChunks, type StageRequest } from "./stage-job.ts";
import { unstage } from "./sweep-job.ts";

const blake3 = loadBlake3({ portable: false });

test("what is staged already with the mode of a file that may not be written is gone on with (simulation, seed 921480)", () => {
  const fs = createMemoryFileSystem(new MemoryDisk(() => 1_700_000_000_000_000_000n));
  for (const path of ["/f", "/f/.dsync", "/f/.dsync/staging"]) fs.makeDirectory(path, 0o755);
  const bytes = Buffer.from("a chunk");
  const hash = contentHashFromBytes(blake3.hash(bytes));
  const request = {
    root: "/f",
    contentId: hash,
    pieces: [{ offset: 0, length: bytes.length, hash, source: { kind: "bytes", encoding: "raw", payload: bytes } }],
  } as const;
  const done = { staged: [true], problem: undefined };
  assert.deepEqual(stageChunks({ fs, blake3 }, request), done);
  fs.setMode(stagingPath("/f", hash), 0o444);
  assert.deepEqual(stageChunks({ fs, blake3 }, request), done);
});

test("nothing is written to a file that has its place: a crash may have left it its name in staging (simulation, seed 10100998)", () => {
  const fs = createMemoryFileSystem(new MemoryDisk(() => 1_700_000_000_000_000_000n));
  for (const path of ["/f", "/f/.dsync", "/f/.dsync/staging"]) fs.makeDirectory(path, 0o755);
  const bytes = Buffer.from("a chunk");
  const hash = contentHashFromBytes(blake3.hash(bytes));
  const staged = stagingPath("/f", hash);
  fs.close(fs.createFile(staged, 0o444));
  fs.link(staged, "/f/in place");
  const source = { kind: "bytes", encoding: "raw", payload: bytes } as const;
  const request: StageRequest = {
    root: "/f",
    contentId: hash,
    pieces: [{ offset: 0, length: bytes.length, hash, source }],
  };
  const refused = stageChunks({ fs, blake3 }, request);
  assert.deepEqual([refused.staged, refused.problem?.code], [[false], "EMLINK"]);
  assert.deepEqual(unstage({ fs, blake3 }, { root: "/f", contentIds: [hash], onlyPlaced: true }), { removed: 1 });
  assert.deepEqual(stageChunks({ fs, blake3 }, request).staged, [true]);
  assert.deepEqual([fs.lstat("/f/in place")?.size, fs.lstat("/f/in place")?.mode], [0, 0o444]);
  assert.deepEqual(unstage({ fs, blake3 }, { root: "/f", contentIds: [hash], onlyPlaced: true }), { removed: 0 });
});
