import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs, { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../test/support/wait.ts";
import { DsyncError } from "../core/errors.ts";
import { acquireFolderLock, folderHolder, type FolderLock, type LockClaim } from "./folder-lock.ts";
import { isAlive, ownIdentity } from "./process-identity.ts";

const CONTENDER = fileURLToPath(new URL("../../test/support/lock-contender.js", import.meta.url));
const CLAIM: LockClaim = { host: "host", name: "laptop", since: "2024-05-01T10:00:00.000Z", socketPath: "/run/x.sock" };

let folder = "";
let children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dsync-lock-"));
  mkdirSync(join(folder, ".dsync"));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("it is held until it is released, and says by whom", () => {
  const lock = acquireFolderLock(folder, CLAIM);
  assert.throws(() => acquireFolderLock(folder, CLAIM), isHeld);
  const holder = folderHolder(folder);
  assert.deepEqual([holder?.pid, holder?.name, holder?.socketPath], [process.pid, "laptop", "/run/x.sock"]);
  lock.release();
  assert.equal(folderHolder(folder), undefined);
  assert.deepEqual(lockFiles(), []);
  acquireFolderLock(folder, CLAIM).release();
});

test("releasing twice does not free another's lock", () => {
  const first = acquireFolderLock(folder, CLAIM);
  first.release();
  const second = acquireFolderLock(folder, CLAIM);
  first.release();
  assert.throws(() => acquireFolderLock(folder, CLAIM), isHeld);
  second.release();
});

test("a holder that is gone is succeeded: no such process, another start time, another boot, another directory", () => {
  const lock = acquireFolderLock(folder, CLAIM);
  const content = JSON.parse(readFileSync(join(folder, ".dsync", "lock"), "utf8")) as Record<string, unknown>;
  lock.release();
  const gone = [{ pid: 2 ** 22 + 1 }, { processStart: "1" }, { bootId: "another" }, { directoryInode: "1" }];
  for (const difference of gone) {
    writeFileSync(join(folder, ".dsync", "lock"), JSON.stringify({ ...content, ...difference }));
    assert.equal(folderHolder(folder), undefined, JSON.stringify(difference));
    acquireFolderLock(folder, CLAIM).release();
    assert.deepEqual(lockFiles(), []);
  }
  writeFileSync(join(folder, ".dsync", "lock"), JSON.stringify(content));
  assert.throws(() => acquireFolderLock(folder, CLAIM), isHeld);
});

test("a takeover that was cut short half-way is taken over itself", () => {
  const dead = { pid: 2 ** 22 + 1, host: "", name: "", since: "", socketPath: null, directoryInode: "", bootId: null };
  const chain = ["0000000000000001", "0000000000000002", "0000000000000003"];
  for (const [index, nonce] of chain.entries()) {
    const name = index === 0 ? "lock" : `lock.after-${chain[index - 1]}`;
    writeFileSync(join(folder, ".dsync", name), JSON.stringify({ ...dead, nonce }));
  }
  const lock = acquireFolderLock(folder, CLAIM);
  assert.deepEqual(lockFiles(), ["lock"]);
  lock.release();
});

test("a lock that cannot be read is being written, unless it is old", () => {
  const path = join(folder, ".dsync", "lock");
  writeFileSync(path, "");
  assert.throws(() => acquireFolderLock(folder, CLAIM), isHeld);
  utimesSync(path, 1, 1);
  acquireFolderLock(folder, CLAIM).release();
});

test("files that lead in a circle are refused, not followed for ever", () => {
  const nonce = "0000000000000001";
  for (const name of ["lock", `lock.after-${nonce}`]) {
    writeFileSync(join(folder, ".dsync", name), JSON.stringify({ pid: 2 ** 22 + 1, nonce }));
  }
  assert.throws(() => acquireFolderLock(folder, CLAIM), isHeld);
});

test("of many processes that start at once, one gets the folder: also right after its holder was killed", async () => {
  let holder: ChildProcess | undefined;
  for (let round = 0; round < 2; round++) {
    const contenders = await Promise.all(Array.from({ length: 6 }, startContender));
    if (holder !== undefined) await killed(holder);
    for (const { child } of contenders) child.stdin?.write("go\n");
    const results = await Promise.all(contenders.map(({ nextLine }) => nextLine()));
    assert.deepEqual(results.toSorted(), [
      "folder-held",
      "folder-held",
      "folder-held",
      "folder-held",
      "folder-held",
      "held",
    ]);
    holder = contenders[results.indexOf("held")]?.child;
    assert.equal(folderHolder(folder)?.pid, holder?.pid);
    for (const { child } of contenders) if (child !== holder) child.kill("SIGKILL");
  }
});

for (const call of ["writeFileSync", "linkSync"] as const) {
  test(`somebody else takes over just before our ${call}: we notice that we are too late`, (context) => {
    writeFileSync(join(folder, ".dsync", "lock"), JSON.stringify({ pid: 2 ** 22 + 1, nonce: "00000000000000ff" }));
    const real: unknown = fs[call];
    assert.ok(typeof real === "function");
    const faster: FolderLock[] = [];
    context.mock.method(fs, call, (...args: readonly unknown[]) => {
      restore();
      faster.push(acquireFolderLock(folder, CLAIM));
      Reflect.apply(real, fs, args);
    });
    const restore = (): void => {
      context.mock.restoreAll();
      syncBuiltinESMExports();
    };
    syncBuiltinESMExports();
    assert.throws(() => acquireFolderLock(folder, CLAIM), isHeld);
    assert.equal(faster.length, 1);
    assert.deepEqual(
      lockFiles().filter((name) => !name.startsWith("lock.new-")),
      ["lock"],
    );
    for (const lock of faster) lock.release();
    acquireFolderLock(folder, CLAIM).release();
    assert.deepEqual(lockFiles(), []);
  });
}

test("a process is alive until it has ended, and so is its identity", async () => {
  assert.ok(isAlive(ownIdentity()));
  const { child } = await startContender();
  const identity = { pid: child.pid ?? 0, processStart: null, bootId: null };
  assert.ok(isAlive(identity));
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(!isAlive(identity));
});

test("a process that nobody has reaped yet is not alive", { skip: process.platform !== "linux" }, async () => {
  // The shell becomes a program that does not wait for its children.
  const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(parent);
  const pid = Number(await firstLine(parent.stdout));
  const isIn = (process: number | undefined, state: RegExp): boolean =>
    state.test(readFileSync(`/proc/${process}/stat`, "utf8"));
  await waitFor(() => isIn(parent.pid, /\(sleep\)/), { until: "the shell became sleep" });
  process.kill(pid, "SIGKILL");
  await waitFor(() => isIn(pid, /\) Z /), { until: "its child is a zombie" });
  assert.ok(!isAlive({ pid, processStart: null, bootId: null }));
});

/** Ended, though perhaps not reaped yet: a signal takes its time. */
async function killed(child: ChildProcess): Promise<void> {
  const identity = { pid: child.pid ?? 0, processStart: null, bootId: null };
  child.kill("SIGKILL");
  await waitFor(() => !isAlive(identity), { until: "the holder has ended" });
}

async function firstLine(stream: Readable): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  return "";
}

async function startContender(): Promise<{ child: ChildProcess; nextLine: () => Promise<string> }> {
  const child = spawn(process.execPath, [CONTENDER, folder], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  // Killed with a line still on its way.
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  assert.equal(await nextLine(), "ready");
  return { child, nextLine };
}

function lockFiles(): readonly string[] {
  return readdirSync(join(folder, ".dsync"));
}

function isHeld(error: unknown): boolean {
  return error instanceof DsyncError && error.code === "folder-held";
}
