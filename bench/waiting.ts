// The cases of waiting and starting: a save, idling with many files, a first start.

import { execFile } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { runDsync } from "../test/support/dsync-process.ts";
import { incompressible } from "../test/support/trees.ts";
import { rowsOf, type Named, type Times } from "./contest.ts";
import { changeTen, fill, namesIn, writeMany } from "./data.ts";
import { measureKeepers } from "./keepers.ts";
import { createLink, whyNoLink } from "./link.ts";
import { cpuMsOf, median, quantile, timed, until } from "./measure.ts";
import { Pair } from "./pair.ts";
import { copyTree } from "./peers/copy.ts";
import type { Peer } from "./peers/peer.ts";
import type { Case, Row } from "./row.ts";

const SAVE = "save 1 KiB → there";
const OVER_MDNS = "two fresh instances over mDNS, 1 KiB";

/** C4: a saved 1 KiB file, until it is complete on the other side. */
export const save: Case = async (setting) => {
  const { scratch, runs } = setting;
  const content = incompressible(1024, 2);
  const savedIn = (folder: string, index: number): string => join(folder, `dir${index % 10}/saved.txt`);
  const change = (folder: string, index: number): void => {
    content.writeUInt32LE(index, 0);
    fs.writeFileSync(savedIn(folder, index), content);
  };
  const fill = (folder: string): void => writeMany(folder, { directories: 10, filesEach: 10, bytes: 1024 });
  const keepers = await measureKeepers(setting, {
    case: "C4",
    what: SAVE,
    times: 5,
    fill,
    change,
    isSeen: ({ there }, index) => isSame(savedIn(there, index), content),
  });
  const pair = new Pair(scratch);
  try {
    fill(pair.a.folder);
    await pair.start();
    await pair.b.instance.waitForSync();
    const times: number[] = [];
    for (let index = 0; index < runs * 20; index++) {
      // Neither in step with any timer nor so close that saves are batched.
      await sleep(300 + Math.random() * 700);
      const start = performance.now();
      change(pair.a.folder, index);
      await until(() => isSame(savedIn(pair.b.folder, index), content), 1, 10_000);
      times.push(performance.now() - start);
    }
    return [
      ...rowsOf("C4", SAVE, new Map([[{ label: "median" }, times], ...keepers])),
      { case: "C4", what: `${SAVE}, 95 %`, value: quantile(times, 0.95), unit: "ms" },
      { case: "C4", what: "peak memory of the larger process", value: pair.memory().peakMb, unit: "MB" },
    ];
  } finally {
    await pair.remove();
  }
};

/** C6i: idle with 100,000 files in sync; and how long a start takes with them. */
export const idle: Case = async ({ scratch, peers }) => {
  const ssh = await measureUpdates(
    peers.filter(({ against }) => against === "ssh"),
    scratch,
  );
  const pair = new Pair(scratch);
  try {
    fill.C6(pair.a.folder);
    await pair.start();
    const isFull = (directory: string): boolean => namesIn(join(pair.b.folder, directory)).length === 100;
    await until(() => namesIn(pair.a.folder).every(isFull), 200);
    await pair.b.instance.waitForSync({ deadlineMs: 120_000 });
    await Promise.all([pair.a.stop(), pair.b.stop()]);
    changeTen(pair.a.folder);
    const startMs = await timed(async () => {
      await pair.start();
      await until(() => fs.readFileSync(join(pair.b.folder, "dir9/file0"), "utf8") === "changed 9", 10);
      await pair.b.instance.waitForSync();
    });
    // Until then, what the run before had left to do (a checkpoint of all files) and tidying up are done.
    await sleep(20_000);
    const before = [pair.a, pair.b].map(({ instance }) => cpuMsOf(instance.pid));
    await sleep(10_000);
    const cpuMs = [pair.a, pair.b].map(({ instance }, index) => cpuMsOf(instance.pid) - (before[index] ?? 0));
    return [
      ...rowsOf(
        "C6",
        "start with 100,000 files in sync, 10 changed",
        new Map([[{ label: "dsync" }, [startMs]], ...ssh]),
      ),
      { case: "C6i", what: "memory idle with 100,000 files", value: pair.memory().nowMb, unit: "MB" },
      { case: "C6i", what: "CPU idle with 100,000 files", value: Math.max(...cpuMs) / 100, unit: "% of a core" },
    ];
  } finally {
    await pair.remove();
  }
};

/** The same with tools that compare both sides whenever they are started, once each. */
async function measureUpdates(peers: readonly Peer[], scratch: string): Promise<Times> {
  const [source, target] = [join(scratch, "source"), join(scratch, "updated")];
  const times = new Map<Named, readonly number[]>();
  try {
    for (const peer of peers) {
      for (const folder of [source, target]) fs.mkdirSync(folder);
      fill.C6(source);
      await copyTree(source, target);
      changeTen(source);
      const isUpdated = (): boolean => fs.readFileSync(join(target, "dir9/file0"), "utf8") === "changed 9";
      const server = await peer.serve({ source, scratch });
      times.set(peer, [await timed(() => server.fetch(target, isUpdated))]);
      await server.stop();
      if (!isUpdated()) throw new Error(`${peer.label} has left out a change.`);
    }
  } finally {
    for (const folder of [source, target]) fs.rmSync(folder, { recursive: true, force: true });
  }
  return times;
}

/** C9: a program that says its version, and two fresh instances until a 1 KiB file has arrived. */
export const start: Case = async ({ scratch, runs, leaveOut }) => {
  const times = { version: [] as number[], node: [] as number[], pair: [] as number[], found: [] as number[] };
  // As little as dsync gets: Node reads the certificates that some environments name.
  const env = { PATH: process.env["PATH"], HOME: scratch };
  const whyNotFound = whyNoLink();
  for (let run = 0; run < runs; run++) {
    times.version.push(await timed(() => runDsync(["--version"], scratch)));
    times.node.push(await timed(() => promisify(execFile)(process.execPath, ["-e", "0"], { env })));
    times.pair.push(await startTwo(scratch, run));
    if (whyNotFound === undefined) times.found.push(await startTwoThatSearch(scratch, run));
  }
  if (whyNotFound !== undefined) leaveOut({ case: "C9", what: OVER_MDNS, why: whyNotFound });
  const row = (what: string, value: number): Row => ({ case: "C9", what, value, unit: "ms" });
  const [version, node] = [median(times.version), median(times.node)];
  return [
    row("dsync --version", version),
    row("node -e 0", node),
    { case: "C9", what: "dsync --version, relative to node -e 0", value: version / node, unit: "×" },
    row("two fresh instances with -a, 1 KiB", median(times.pair)),
    ...(times.found.length > 0 ? [row(OVER_MDNS, median(times.found))] : []),
  ];
};

/** One after the other; the second is told where the first is. */
async function startTwo(scratch: string, seed: number): Promise<number> {
  const pair = new Pair(scratch);
  try {
    return await untilArrived(pair, seed, async () => {
      await pair.listen();
      pair.startSecond();
    });
  } finally {
    await pair.remove();
  }
}

/** Both at once, on a network of their own: nobody else's instances may be found. */
async function startTwoThatSearch(scratch: string, seed: number): Promise<number> {
  const link = createLink({ mbitPerSecond: 1_000, roundTripMs: 0.3 });
  const pair = new Pair(scratch);
  try {
    return await untilArrived(pair, seed, () => {
      const { server, client } = link.place;
      pair.a.launch({ discovery: true, port: 9000, prefix: server });
      pair.b.launch({ discovery: true, port: 9000, prefix: client });
      return Promise.resolve();
    });
  } finally {
    await pair.remove();
    await link.remove();
  }
}

async function untilArrived(pair: Pair, seed: number, begin: () => Promise<void>): Promise<number> {
  fs.writeFileSync(join(pair.a.folder, "file"), incompressible(1024, seed));
  return timed(async () => {
    await begin();
    await until(() => fs.existsSync(join(pair.b.folder, "file")), 2);
  });
}

function isSame(path: string, content: Buffer): boolean {
  try {
    return fs.readFileSync(path).equals(content);
  } catch {
    return false;
  }
}
