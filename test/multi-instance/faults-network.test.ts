// Networks as bad as they come, with real processes: a byte at a time, resets in the middle of anything, a pulled cable,
// a machine that sleeps. Everything arrives in the end, once.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { machines, type Machine } from "../support/machines.ts";
import { PortFlood } from "../support/port-flood.ts";
import { Prng, testSeed } from "../support/seeded.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { incompressible, snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

/** Enough for an instance that is left alone. */
const DESCRIPTORS_MAX = 128;

function whyNoDescriptorLimit(): string | false {
  if (process.platform !== "linux") return "needs Linux, for its many loopback addresses and /proc";
  const { status } = spawnSync("bash", ["-c", `ulimit -n ${DESCRIPTORS_MAX}`]);
  return status === 0 ? false : "needs bash, to limit the descriptors of a process";
}

interface BadNetwork {
  readonly a: Machine;
  readonly b: Machine;
  readonly proxy: TcpProxy;
}

/** `a` runs, and can be reached through the proxy alone. */
async function startBehindProxy(t: TestContext): Promise<BadNetwork> {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await a.start();
  const proxy = await TcpProxy.start(a.instance.port);
  t.after(() => proxy.stop());
  return { a, b, proxy };
}

function hasConflicts({ folder }: Machine): boolean {
  return [...snapshot(folder).keys()].some((path) => path.includes(".conflict-"));
}

test("everything arrives when each byte comes by itself", async (t) => {
  const { a, b, proxy } = await startBehindProxy(t);
  proxy.isSlow = true;
  writeFiles(a.folder, { "small.txt": "small", "dir/larger.bin": incompressible(150_000, 1) });
  await b.start({ peers: [proxy.port] });
  writeFiles(b.folder, { "back.txt": "back" });
  await waitForEqualTrees([a.folder, b.folder]);
  assert.ok(fs.existsSync(join(a.folder, "back.txt")) && fs.existsSync(join(b.folder, "dir/larger.bin")));
});

test("connections that are reset in the middle of anything lose nothing, and nothing is sent over and over", async (t) => {
  const seed = testSeed();
  t.diagnostic(`DSYNC_TEST_SEED=${seed}`);
  const random = new Prng(seed);
  const { a, b, proxy } = await startBehindProxy(t);
  const size = 20_000_000;
  writeFiles(a.folder, { "large.bin": incompressible(size, 2) });
  for (let index = 0; index < 200; index++) {
    writeFiles(a.folder, { [`many/${index}.bin`]: incompressible(10_000, index) });
    writeFiles(b.folder, { [`back/${index}.txt`]: `back ${index}` });
  }
  let cuts = 0;
  proxy.cutAfter = () => (++cuts > 12 ? undefined : 1 + random.below(4_000_000));
  await b.start({ peers: [proxy.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  assert.ok(!hasConflicts(a));
  assert.ok(cuts > 3, `${cuts} connections`);
  const { traffic } = await b.instance.status();
  assert.ok(traffic.receivedBytes < 3 * size, JSON.stringify(traffic));
});

test("a transfer that is cut at each tenth of its way goes on where it was", async (t) => {
  const [a, ...others] = machines(t, 11) as [Machine, ...Machine[]];
  const size = 20_000_000;
  writeFiles(a.folder, { "large.bin": incompressible(size, 3), "dir/small.txt": "small" });
  await a.start();
  const proxy = await TcpProxy.start(a.instance.port);
  t.after(() => proxy.stop());
  // Each time another machine, which has nothing yet.
  for (const [tenths, machine] of others.entries()) {
    proxy.cutOnceAfter((size * tenths) / 10);
    await machine.start({ peers: [proxy.port] });
    await waitForEqualTrees([a.folder, machine.folder]);
    assert.ok(!proxy.isToBeCut, `never cut at ${tenths} tenths`);
    assert.ok(!hasConflicts(machine));
    const { traffic } = await machine.instance.status();
    // What was on its way when it was cut comes twice, what had arrived does not.
    assert.ok(traffic.receivedBytes < 1.5 * size, `${traffic.receivedBytes} bytes, cut at ${tenths} tenths`);
    await machine.stop();
  }
});

test("a cable that is pulled is noticed, and what both sides did meanwhile is exchanged", async (t) => {
  const { a, b, proxy } = await startBehindProxy(t);
  writeFiles(a.folder, { "doc.txt": "as it was", "gone.txt": "to be deleted" });
  await b.start({ peers: [proxy.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  proxy.fallSilent();
  fs.writeFileSync(join(a.folder, "doc.txt"), "edited here");
  fs.rmSync(join(b.folder, "gone.txt"));
  writeFiles(b.folder, { "new.txt": "made there" });
  for (const { instance } of [a, b]) {
    await waitFor(() => instance.events.some(({ event }) => event === "peer-left"), {
      until: "the silence is noticed",
    });
  }
  await waitForEqualTrees([a.folder, b.folder]);
  assert.deepEqual([...snapshot(a.folder).keys()].toSorted(), ["doc.txt", "new.txt"]);
  assert.equal(fs.readFileSync(join(b.folder, "doc.txt"), "utf8"), "edited here");
});

test("a machine that slept takes part again, with what was done on it and elsewhere meanwhile", async (t) => {
  const { a, b, proxy } = await startBehindProxy(t);
  writeFiles(a.folder, { "doc.txt": "as it was", "gone.txt": "to be deleted" });
  await b.start({ peers: [proxy.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  const { pid } = b.instance;
  process.kill(pid, "SIGSTOP");
  try {
    fs.writeFileSync(join(a.folder, "doc.txt"), "edited here");
    fs.rmSync(join(b.folder, "gone.txt"));
    const hasLeft = (): boolean => a.instance.events.some(({ event }) => event === "peer-left");
    await waitFor(hasLeft, { until: "the other side gives it up" });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await waitForEqualTrees([a.folder, b.folder]);
  assert.deepEqual([...snapshot(b.folder).keys()], ["doc.txt"]);
  assert.equal(fs.readFileSync(join(b.folder, "doc.txt"), "utf8"), "edited here");
});

test(
  "strangers that take every file descriptor: it goes on when they leave, with what was saved meanwhile",
  { skip: whyNoDescriptorLimit() },
  async (t) => {
    const [a, b] = machines(t, 2) as [Machine, Machine];
    writeFiles(a.folder, { "before.txt": "before" });
    await a.start({ prefix: ["bash", "-c", `ulimit -n ${DESCRIPTORS_MAX} && exec "$@"`, "bash"] });
    const { pid, port } = a.instance;
    // More than there are descriptors for, and less than may be at the door at once.
    const flood = new PortFlood({ port, addresses: 250, kinds: ["idle"], againMs: 50 });
    t.after(() => flood.stop());
    flood.add(250);
    const openCount = (): number => fs.readdirSync(`/proc/${pid}/fd`).length;
    await waitFor(() => openCount() >= DESCRIPTORS_MAX, { until: "no descriptor to be left" });
    fs.writeFileSync(join(a.folder, "meanwhile.txt"), "a");
    writeFiles(b.folder, { "other.txt": "b" });
    await b.start({ peers: [port], args: ["--verbose"] });
    await a.instance.waitForEvent("problem", { where: ({ reason }) => /too many open files/.test(String(reason)) });
    await b.instance.waitForEvent("peer-unreachable");
    flood.stop();
    await b.instance.waitForEvent("peer-joined");
    await waitFor(() => fs.existsSync(join(b.folder, "meanwhile.txt")), { until: "what was saved meanwhile" });
    await waitForEqualTrees([a.folder, b.folder]);
    assert.deepEqual([...snapshot(a.folder).keys()].toSorted(), ["before.txt", "meanwhile.txt", "other.txt"]);
    await waitFor(async () => (await a.instance.status()).failed.length === 0, { until: "no problem to be left" });
    assert.equal((await a.instance.waitForSync()).conflicts, 0);
  },
);
