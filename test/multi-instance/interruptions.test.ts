// Killed in the middle: what was there stays whole, and the transfer goes on where it stopped.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { machines, type Machine } from "../support/machines.ts";
import { hashOf, incompressible, snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

function stagedBytes(folder: string): number {
  const staging = join(folder, ".dsync/staging");
  return fs.readdirSync(staging).reduce((sum, name) => sum + fs.lstatSync(join(staging, name)).size, 0);
}

test("a 300 MB file goes on after kill -9 of its receiver, without being sent twice", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const size = 300_000_000;
  fs.writeFileSync(join(a.folder, "big.bin"), incompressible(size, 8));
  await a.start();
  await b.start({ peers: [a.instance.port], args: ["--rate-limit", "60MB/s"] });
  await waitFor(() => stagedBytes(b.folder) > size / 3, { until: "a third of the file", intervalMs: 5 });
  await b.kill();
  assert.ok(!fs.existsSync(join(b.folder, "big.bin")), "nothing half-written may be visible");
  const staged = stagedBytes(b.folder);
  await b.start({ peers: [a.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  const { traffic } = await b.instance.status();
  const missing = size - staged;
  assert.ok(traffic.receivedBytes < missing + size / 5, `${traffic.receivedBytes} received for ${missing} missing`);
  assert.equal(hashOf(join(a.folder, "big.bin")), hashOf(join(b.folder, "big.bin")));
});

test("who is stopped while a large file's change is put together stops as asked, and goes on where it was", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const [source, target] = [a, b].map(({ folder }) => join(folder, "image")) as [string, string];
  fs.writeFileSync(source, incompressible(200_000_000, 9));
  await a.start();
  await b.start({ peers: [a.instance.port] });
  await b.instance.waitForSync();
  await waitForEqualTrees([a.folder, b.folder]);
  const descriptor = fs.openSync(source, "r+");
  fs.writeSync(descriptor, "changed", 100_000_000);
  fs.closeSync(descriptor);
  await waitFor(() => stagedBytes(b.folder) > 0, { until: "the new version is begun", intervalMs: 1 });
  assert.equal(await b.instance.stop(), 0, b.instance.stderr);
  assert.equal(b.instance.stderr, "");
  assert.notEqual(hashOf(source), hashOf(target));
  await b.start({ peers: [a.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
});

test("many small files go on after kill -9 of either side", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const count = 4_000;
  for (let index = 0; index < count; index++) {
    writeFiles(a.folder, { [`d${index % 40}/f${index}`]: incompressible(4096, index) });
  }
  await a.start();
  await b.start({ peers: [a.instance.port] });
  await waitFor(() => snapshot(b.folder).size > count / 4, { until: "a quarter of the files", intervalMs: 1 });
  await b.kill();
  await b.start({ peers: [a.instance.port] });
  await waitFor(() => snapshot(b.folder).size > count / 2, { until: "half of the files", intervalMs: 1 });
  await a.kill();
  await a.start({ peers: [b.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  const status = await a.instance.waitForSync();
  assert.equal(status.conflicts, 0);
});

test("a peer that restarts is joined again at its old address, and what happened meanwhile arrives", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await a.start();
  await b.start({ peers: [a.instance.port] });
  await b.instance.waitForEvent("peer-joined");
  const { port } = a.instance;
  await a.kill();
  writeFiles(a.folder, { "made while away.txt": "x" });
  await a.start({ port });
  await waitForEqualTrees([a.folder, b.folder]);
});
