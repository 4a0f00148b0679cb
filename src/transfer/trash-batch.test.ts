import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { TrashBatch } from "./trash-batch.ts";

for (const hasNoLinks of [false, true]) {
  const disks = hasNoLinks ? "without hard links" : "with hard links";
  test(`what was on the medium still is when it is in the trash, on disks ${disks} (simulation, seed 934941)`, () => {
    const disk = new MemoryDisk(() => 1_700_000_000_000_000_000n, { hasNoLinks });
    const fs = createMemoryFileSystem(disk);
    for (const path of ["/f", "/f/.dsync", "/f/.dsync/trash"]) fs.makeDirectory(path, 0o755);
    const descriptor = fs.createFile("/f/a.txt", 0o644);
    fs.write(descriptor, Buffer.from("whole"), 0);
    fs.sync(descriptor);
    const kept = new TrashBatch(fs, "/f", "batch").keep("a.txt");
    assert.ok(kept !== undefined);
    fs.unlink("/f/a.txt");
    disk.losePower(1_000_000_000n, () => new Uint8Array(0));
    assert.equal(fs.lstat(`/f/${kept}`)?.size, 5);
  });
}
