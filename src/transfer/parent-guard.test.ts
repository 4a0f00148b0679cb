import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { ParentGuard } from "./parent-guard.ts";

test("where cases are not told apart, a directory of another case is not the one that is meant (simulation, seed 3203468)", () => {
  const disk = new MemoryDisk(() => 1_700_000_000_000_000_000n, { ignoresCase: true });
  const fs = createMemoryFileSystem(disk);
  for (const path of ["/f", "/f/.dsync", "/f/photos", "/f/photos/old"]) fs.makeDirectory(path, 0o755);
  const guard = new ParentGuard(fs, "/f");
  assert.ok(guard.hold("photos/old/a"));
  assert.ok(!guard.hold("Photos/a"));
  assert.ok(!guard.hold("photos/OLD/a"));
  fs.makeDirectory("/f/photos/new", 0o755);
  assert.ok(guard.hold("photos/new/a"), "made since the first look");
});
