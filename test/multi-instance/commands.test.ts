// What a person types, sees and gets back: exit codes, messages, commands beside a running and a stopped instance.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { StatusReport } from "../../src/core/reports.ts";
import { DsyncProcess, runDsync } from "../support/dsync-process.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

test("wrong usage ends with code 2 and a sentence, and changes nothing", async (t) => {
  const [a] = machines(t, 1) as [Machine];
  for (const [args, message] of [
    [[], /Usage: dsync -d <folder>/],
    [["-d", join(a.folder, "no/such/parent")], /neither it nor the directory above it exists/],
    [["-d", a.folder, "--prot", "1"], /--port/],
    [["-d", a.folder, "-p", "70000"], /--port/],
    [["-d", a.folder, "--passphrase", ""], /--passphrase needs a value/],
    [["-d", a.folder, "--code", "apple-bread-buter"], /The third word .* Did you mean butter\?/],
  ] as const) {
    const { code, stderr } = await runDsync(args, a.home);
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
  assert.deepEqual(fs.readdirSync(a.folder), []);
});

test("a port that is taken: an error if it was asked for, the next one if not", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await a.start();
  const taken = DsyncProcess.launch({ folder: b.folder, home: b.home, port: a.instance.port });
  assert.equal(await taken.exited(), 1);
  assert.match(taken.stderr, /Cannot listen on port \d+: another program uses it/);
});

test("a second instance on a folder ends with code 3 and says who holds it", async (t) => {
  const [a] = machines(t, 1) as [Machine];
  await a.start({ args: ["-n", "first"] });
  const second = DsyncProcess.launch({ folder: a.folder, home: a.home });
  assert.equal(await second.exited(), 3);
  assert.match(second.stderr, /first/);
  // After a kill the lock is nobody's.
  await a.kill();
  await a.start();
});

test("a folder that lost its .dsync is not taken for emptied: code 4, until it is forgotten", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "file.txt": "x" });
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  await a.stop();
  fs.rmSync(a.folder, { recursive: true });
  fs.mkdirSync(a.folder);
  const swapped = DsyncProcess.launch({ folder: a.folder, home: a.home, peers: [b.instance.port] });
  assert.equal(await swapped.exited(), 4);
  assert.match(swapped.stderr, /dsync forget/);
  assert.equal(fs.readFileSync(join(b.folder, "file.txt"), "utf8"), "x");
  assert.equal((await runDsync(["forget", "-d", a.folder], a.home)).code, 0);
  await a.start({ peers: [b.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  assert.equal(fs.readFileSync(join(a.folder, "file.txt"), "utf8"), "x");
});

/** What may stand in the place of a folder from one moment to the next; `moved` is where the folder has gone. */
const REPLACEMENTS: Readonly<Record<string, (folder: string, moved: string) => void>> = {
  "a directory": (folder) => fs.mkdirSync(folder),
  "a file": (folder) => fs.writeFileSync(folder, "a file"),
  "a symlink to another directory": (folder) => {
    fs.mkdirSync(`${folder}-other`);
    fs.symlinkSync(`${folder}-other`, folder);
  },
  "a symlink to where it has gone": (folder, moved) => fs.symlinkSync(moved, folder),
};

for (const [name, replace] of Object.entries(REPLACEMENTS)) {
  test(`a folder that is swapped for ${name} while it is synced: code 4, and nothing is deleted or written anywhere`, async (t) => {
    const [a, b] = machines(t, 2) as [Machine, Machine];
    writeFiles(a.folder, { "dir/file.txt": "x" });
    await startPair(a, b);
    await waitForEqualTrees([a.folder, b.folder]);
    const before = snapshot(a.folder);
    const moved = `${a.folder}-moved`;
    fs.renameSync(a.folder, moved);
    replace(a.folder, moved);
    writeFiles(b.folder, { "meanwhile.txt": "made elsewhere" });
    assert.equal(await a.instance.exited(), 4);
    assert.match(a.instance.stderr, /not the folder that it was/);
    assert.deepEqual([...snapshot(b.folder).keys()].toSorted(), ["dir", "dir/file.txt", "meanwhile.txt"]);
    assert.deepEqual(snapshot(moved), before);
    for (const directory of [a.folder, `${a.folder}-other`]) {
      const isEmptyOnce = fs.lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
      if (isEmptyOnce) assert.deepEqual(fs.readdirSync(directory), []);
    }
    // Back in its place it goes on as if nothing had been.
    fs.rmSync(a.folder, { recursive: true });
    fs.renameSync(moved, a.folder);
    await a.start({ peers: [b.instance.port] });
    await waitForEqualTrees([a.folder, b.folder]);
    assert.equal(snapshot(a.folder).size, before.size + 1);
  });
}

test("a folder that loses its .dsync while it is synced: code 4, now and at the next start, and nothing is deleted", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "dir/file.txt": "x" });
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  const before = snapshot(a.folder);
  // At once: a removal file by file would be gone on with by what is still written there.
  fs.renameSync(join(a.folder, ".dsync"), `${a.folder}-removed`);
  fs.rmSync(`${a.folder}-removed`, { recursive: true });
  writeFiles(b.folder, { "meanwhile.txt": "made elsewhere" });
  assert.equal(await a.instance.exited(), 4);
  a.launch({ peers: [b.instance.port] });
  assert.equal(await a.instance.exited(), 4);
  assert.match(a.instance.stderr, /dsync forget/);
  assert.ok(!fs.existsSync(join(a.folder, ".dsync")));
  assert.deepEqual(snapshot(a.folder), before);
  assert.deepEqual([...snapshot(b.folder).keys()].toSorted(), ["dir", "dir/file.txt", "meanwhile.txt"]);
});

test("SIGTERM and SIGINT end it with code 0 within two seconds", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await startPair(a, b);
  // A busy machine makes everything slow: what it takes beyond that is measured by a command that does next to nothing.
  const before = performance.now();
  await runDsync(["--version"], a.home);
  const stopMsMax = 2_000 + 5 * (performance.now() - before);
  for (const [{ instance }, signal] of [
    [a, "SIGTERM"],
    [b, "SIGINT"],
  ] as const) {
    const start = performance.now();
    assert.equal(await instance.stop(signal), 0);
    const stopMs = performance.now() - start;
    assert.ok(stopMs < stopMsMax, `${stopMs} ms of at most ${stopMsMax}`);
  }
});

test("status, trash and ignore test, beside a running instance and without one", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "doc.txt": "old", "gone.txt": "gone", "cache.tmp": "ignored" });
  await startPair(a, b);
  await b.instance.waitForSync();
  await waitFor(() => fs.existsSync(join(b.folder, "gone.txt")), { until: "the first sync" });
  fs.writeFileSync(join(a.folder, "doc.txt"), "new");
  fs.rmSync(join(a.folder, "gone.txt"));
  await waitFor(() => !fs.existsSync(join(b.folder, "gone.txt")), { until: "the delete" });
  await waitFor(() => fs.readFileSync(join(b.folder, "doc.txt"), "utf8") === "new", { until: "the edit" });
  assert.ok(!fs.existsSync(join(b.folder, "cache.tmp")));

  const list = JSON.parse((await runDsync(["trash", "list", "-d", b.folder, "--json"], b.home)).stdout) as {
    path: string;
  }[];
  assert.deepEqual(list.map(({ path }) => path).toSorted(), ["doc.txt", "gone.txt"]);
  assert.equal((await runDsync(["trash", "restore", "gone.txt", "-d", b.folder], b.home)).code, 0);
  await waitFor(() => fs.existsSync(join(a.folder, "gone.txt")), { until: "the restored file on the other side" });

  const ignored = await runDsync(["ignore", "test", "cache.tmp", "-d", a.folder, "--json"], a.home);
  assert.equal((JSON.parse(ignored.stdout) as { ignored: boolean }).ignored, true);
  const status = async (): Promise<StatusReport> =>
    JSON.parse((await runDsync(["status", "-d", a.folder, "--json"], a.home)).stdout) as StatusReport;
  const running = await status();
  assert.equal(running.running, true);
  await a.stop();
  const stopped = await status();
  assert.equal(stopped.running, false);
  assert.equal(stopped.merkleRoot, running.merkleRoot);
});

test("an edited .dsyncignore takes effect at once", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await startPair(a, b);
  fs.appendFileSync(join(a.folder, ".dsyncignore"), "\n*.secret\n");
  writeFiles(a.folder, { "one.secret": "1", "marker.txt": "m" });
  await waitFor(() => fs.existsSync(join(b.folder, "marker.txt")), { until: "what is not ignored" });
  assert.ok(!fs.existsSync(join(b.folder, "one.secret")));
  const text = fs.readFileSync(join(a.folder, ".dsyncignore"), "utf8");
  fs.writeFileSync(join(a.folder, ".dsyncignore"), text.replace("*.secret", ""));
  await waitFor(() => fs.existsSync(join(b.folder, "one.secret")), { until: "what is no longer ignored" });
});
