import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DsyncError, type ErrorCode } from "../core/errors.ts";
import { systemClock } from "./clock.ts";
import { claimFolder, forgetFolder, type ClaimedFolder } from "./folder-claim.ts";
import { findFolderRecords, stateDirectory } from "./folder-record.ts";
import { systemRandom } from "./random.ts";

let base = "";
let state = "";

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "dsync-claim-"));
  state = join(base, "state");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function claim(name: string, created: string[] = []): ClaimedFolder {
  return claimFolder({
    folder: join(base, name),
    state,
    clock: systemClock,
    random: systemRandom,
    holder: { host: "host", name: "laptop", socketPath: () => null },
    onCreating: (folder) => {
      assert.ok(!existsSync(folder), "said before it is done");
      created.push(folder);
    },
  });
}

/** Starts and stops once. */
function visit(name: string): Omit<ClaimedFolder, "release"> {
  const { release, ...claimed } = claim(name);
  release();
  return claimed;
}

test("a folder is created after saying so, and known from then on", () => {
  const created: string[] = [];
  const first = claim("f", created);
  first.release();
  assert.deepEqual(created, [join(base, "f")]);
  assert.equal(first.origin.kind, "new");
  const second = visit("f");
  assert.deepEqual(second.origin, { kind: "known", replicaId: first.replicaId });
  assert.equal(second.markerInode, first.markerInode);
});

test("a folder is the same through a symlink", () => {
  const { replicaId } = visit("f");
  symlinkSync(join(base, "f"), join(base, "link"));
  assert.equal(visit("link").replicaId, replicaId);
  assert.equal(visit("link").path, join(base, "f"));
});

test("a known folder without its .dsync stops the start, until it is forgotten", () => {
  const { replicaId } = visit("f");
  rmSync(join(base, "f", ".dsync"), { recursive: true });
  assert.throws(() => claim("f"), failure("folder-changed", "dsync forget -d", join(base, "f")));
  assert.ok(!existsSync(join(base, "f", ".dsync")), "nothing was changed");
  assert.equal(forgetFolder({ folder: join(base, "f"), state }), true);
  assert.equal(forgetFolder({ folder: join(base, "f"), state }), false);
  const again = visit("f");
  assert.equal(again.origin.kind, "new");
  assert.notEqual(again.replicaId, replicaId);
});

test("a known folder that is gone is not made anew", () => {
  visit("f");
  rmSync(join(base, "f"), { recursive: true });
  assert.throws(() => claim("f"), failure("folder-changed", "not mounted"));
  assert.ok(!existsSync(join(base, "f")));
});

test("another replica's data in its place stops the start", () => {
  visit("f");
  visit("g");
  rmSync(join(base, "f"), { recursive: true });
  cpSync(join(base, "g"), join(base, "f"), { recursive: true });
  assert.throws(() => claim("f"), failure("folder-changed", "another replica"));
});

test("a copy gets a replica ID of its own, and the original keeps its", () => {
  const original = visit("f");
  cpSync(join(base, "f"), join(base, "copy"), { recursive: true });
  const copy = visit("copy");
  assert.deepEqual(copy.origin, { kind: "copied", of: original.replicaId });
  assert.notEqual(copy.replicaId, original.replicaId);
  assert.equal(visit("copy").origin.kind, "known");
  assert.deepEqual(visit("f").origin, { kind: "known", replicaId: original.replicaId });
});

test("a copy of a folder that is held is not held", () => {
  const original = claim("f");
  cpSync(join(base, "f"), join(base, "copy"), { recursive: true });
  assert.equal(visit("copy").origin.kind, "copied");
  original.release();
});

test("a renamed folder stays the replica that it was, and its old record goes", () => {
  const { replicaId } = visit("f");
  renameSync(join(base, "f"), join(base, "g"));
  const moved = visit("g");
  assert.equal(moved.origin.kind, "moved");
  assert.equal(moved.replicaId, replicaId);
  assert.deepEqual(
    findFolderRecords(state, replicaId).map(({ path }) => path),
    [join(base, "g")],
  );
  // The old path is free for another folder.
  assert.equal(visit("f").origin.kind, "new");
});

test("a second start says who holds the folder", () => {
  const first = claim("f");
  assert.throws(() => claim("f"), failure("folder-held", "laptop", String(process.pid)));
  first.release();
  claim("f").release();
});

test("what can be no synced folder is a usage error, and nothing is written", () => {
  writeFileSync(join(base, "file"), "");
  symlinkSync(join(base, "nowhere"), join(base, "dangling"));
  mkdirSync(join(base, "f", ".dsync"), { recursive: true });
  const before = readdirSync(base, { recursive: true });
  assert.throws(() => claim("file"), failure("usage", "not a directory"));
  assert.throws(() => claim("file/f"), failure("usage", "not a directory"));
  assert.throws(() => claim("a/b"), failure("usage", "neither it nor the directory above it exists"));
  assert.throws(() => claim("dangling"), failure("usage", "leads nowhere"));
  assert.throws(() => claim("f/.dsync"), failure("usage", ".dsync"));
  assert.throws(() => claim("f/.dsync/trash"), failure("usage", ".dsync"));
  assert.deepEqual(readdirSync(base, { recursive: true }), before);
});

test("a state directory that cannot be written is told, and the folder is free again", () => {
  writeFileSync(state, "");
  assert.throws(() => claim("f"), failure("environment", "XDG_STATE_HOME"));
  rmSync(state);
  claim("f").release();
});

test("the usual state directory", () => {
  const platform = { environment: {}, home: "/home/u", system: "linux" };
  assert.equal(stateDirectory(platform), "/home/u/.local/state/dsync");
  assert.equal(stateDirectory({ ...platform, environment: { XDG_STATE_HOME: "/s" } }), "/s/dsync");
  assert.equal(stateDirectory({ ...platform, environment: { XDG_STATE_HOME: "s" } }), "/home/u/.local/state/dsync");
  assert.equal(stateDirectory({ ...platform, home: "" }), undefined);
});

function failure(code: ErrorCode, ...parts: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof DsyncError, String(error));
    assert.equal(error.code, code, error.message);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    return true;
  };
}
