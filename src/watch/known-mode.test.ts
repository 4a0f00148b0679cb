import assert from "node:assert/strict";
import { test } from "node:test";
import { ScannerWorld } from "../../test/support/scanner-world.ts";
import { waitFor } from "../../test/support/wait.ts";
import fs from "node:fs";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../test/support/trees.ts";
import type { FileSystem, Stat } from "../edge/file-system.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { emptyRecord } from "../index/settle.ts";
import type { PathRecord, StatSignature, Version } from "../index/entry.ts";
import type { ContentHash, ReplicaId } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import { probe, type DiskTraits } from "../transfer/probe-job.ts";
import { withKnownMode } from "./known-mode.ts";

function signature(mode: number): StatSignature {
  return { kind: "file", size: 1, mode, mtimeNs: 0n, ctimeNs: 0n, inode: 1n };
}

function file(mode: number): Version["content"] {
  return { kind: "file", contentId: "0".repeat(64) as ContentHash, size: 1, mode, mtimeUs: 0 };
}

/** A record of a file that was asked to have `mode`, on a disk that shows `shown`. */
function record(mode: number, shown: number): PathRecord {
  const dot = { replica: "0".repeat(16) as ReplicaId, counter: 1 };
  const entry = { seen: [[dot.replica, 1]] as const, live: { dot, stamp: 1, author: "a", content: file(mode) } };
  return { ...emptyRecord("x" as RelativePath), known: entry, present: entry, signature: signature(shown) };
}

function modeSeen(
  shown: number,
  keepsModes: boolean,
  { at, from }: { readonly at?: PathRecord; readonly from?: PathRecord } = {},
): number | undefined {
  const content = withKnownMode({ content: file(shown), signature: signature(shown), record: at, from, keepsModes });
  return content.kind === "file" ? content.mode : undefined;
}

test("a disk that keeps modes: what it shows counts, unless it showed that before, too, and could not keep another", () => {
  assert.equal(modeSeen(0o640, true), 0o640);
  assert.equal(modeSeen(0o640, true, { at: record(0o600, 0o600) }), 0o640);
  assert.equal(modeSeen(0o777, true, { at: record(0o600, 0o777) }), 0o600);
  assert.equal(modeSeen(0o777, true, { from: record(0o600, 0o777) }), 0o600);
  assert.equal(modeSeen(0o600, true, { from: record(0o640, 0o640) }), 0o600);
});

test("a disk that keeps none: what is known, else what is usual", () => {
  assert.equal(modeSeen(0o777, false), 0o644);
  assert.equal(modeSeen(0o777, false, { at: record(0o600, 0o755) }), 0o600);
  assert.equal(modeSeen(0o777, false, { at: record(0o600, 0o777), from: record(0o755, 0o777) }), 0o600);
  assert.equal(modeSeen(0o777, false, { from: record(0o755, 0o777) }), 0o755);
  const { known } = record(0o640, 0o777);
  assert.equal(modeSeen(0o777, false, { at: { ...emptyRecord("x" as RelativePath), known } }), 0o640);
});

test("a scan of a disk without modes reports none of its own", async (t) => {
  const world = new ScannerWorld({ keepsModes: false });
  t.after(() => world.close());
  world.write("dir/file");
  fs.chmodSync(world.disk("dir/file"), 0o777);
  fs.chmodSync(world.disk("dir"), 0o777);
  await world.scanner.fullScan();
  await waitFor(() => world.scanner.isQuiet, { until: "a quiet scanner" });
  const modes = ["dir", "dir/file"].map((path) => world.store.get(path as RelativePath)?.known.live?.content);
  assert.deepEqual(
    modes.map((content) => content !== undefined && content.kind !== "symlink" && content.mode),
    [0o755, 0o644],
  );
});

test("a move of which only the new name was looked at keeps the mode", async (t) => {
  const world = new ScannerWorld({ keepsModes: false });
  t.after(() => world.close());
  world.write("script.sh");
  await world.settle();
  const [before, after] = ["script.sh", "renamed.sh"] as RelativePath[];
  assert.ok(before !== undefined && after !== undefined);
  const known = world.store.get(before);
  const live = known?.known.live;
  assert.ok(known !== undefined && live?.content.kind === "file");
  // As somebody chose it on a disk that keeps modes.
  const chosen = { ...known.known, live: { ...live, content: { ...live.content, mode: 0o755 } } };
  world.store.put({ ...known, known: chosen, present: chosen });
  fs.renameSync(world.disk(before), world.disk(after));
  world.hint(after);
  await world.quiet();
  const seen = world.store.get(after)?.known.live?.content;
  assert.equal(seen?.kind === "file" && seen.mode, 0o755);
});

test("the probe finds out by what chmod leaves, and by the times of a new file", (t) => {
  const root = temporaryDirectory();
  t.after(() => removeDirectory(root));
  fs.mkdirSync(join(root, ".dsync/staging"), { recursive: true });
  const refuse = (code: string) => (): never => {
    throw Object.assign(new Error(code), { code });
  };
  const fstat = (descriptor: number): Stat => ({ ...nodeFileSystem.fstat(descriptor), mtimeNs: 0n, ctimeNs: 0n });
  const disks: readonly (readonly [Partial<FileSystem>, Partial<DiskTraits> | undefined])[] = [
    [{}, {}],
    [{ setModeOf: () => {} }, { keepsModes: false }],
    [{ setModeOf: refuse("EPERM") }, { keepsModes: false }],
    [{ setModeOf: refuse("EIO") }, undefined],
    [{ createFile: refuse("EROFS") }, undefined],
    [{ fstat }, { hasCoarseTimes: true }],
  ];
  for (const [different, found] of disks) {
    const traits = found === undefined ? undefined : { keepsModes: true, hasCoarseTimes: false, ...found };
    assert.deepEqual(probe({ fs: { ...nodeFileSystem, ...different } }, { root }), { traits });
    assert.deepEqual(fs.readdirSync(join(root, ".dsync/staging")), []);
  }
});
