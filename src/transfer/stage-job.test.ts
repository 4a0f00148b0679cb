import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { contentHashFromBytes } from "../core/ids.ts";
import { stagingPath } from "./disk-layout.ts";
import { stageChunks } from "./stage-job.ts";

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
