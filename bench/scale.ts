// What grows with the number of peers, with the number of files and with the size of one: `node dist/bench/scale.js
// [--peers 2,10,100] [--files 10000,1000000] [--file-gib 1,16] [--dir D]` measures what is asked for, without any of the
// three the first two. docs/scale.md has the last figures and what follows from them.
//
// Peers are simulated: dsync's own code on disks, clocks and a network in memory, each connected to each. Bytes are exact,
// CPU is that of all of them together in this one process. Files are real, and so are the processes that hold them. One
// large file needs room for itself twice.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Machine as RealMachine } from "../test/support/machines.ts";
import { incompressible } from "../test/support/trees.ts";
import { Mesh } from "../test/simulation/mesh.ts";
import { MIB, writeLarge } from "./data.ts";
import { cpuMsOf, memoryOf, timed, until } from "./measure.ts";
import { Pair } from "./pair.ts";

const SETTLING_MS = 30_000;
const IDLE_MS = 600_000;
const KIB = 1024;
const LARGE_BYTES = 16 * 1024 * KIB;
const FILES_PER_DIRECTORY = 1_000;
/** A process that takes no more CPU than this from one look to the next, for so long, is idle. */
const IDLE_CPU_MS_MAX = 20;
const IDLE_FOR_MS = 2_000;
const POLL_MS = 200;
const FILE_DEADLINE_MS_EACH_GIB = 120_000;
/** What was needed for the scan has been given back by then. */
const TIDY_MS = 15_000;

const PEERS_HEAD = `
| peers | sessions | connecting, CPU | 1 KiB saved: sent in all | CPU | 16 MiB: sent by its source | in all, for each other peer | idle, sent by each |
|---|---|---|---|---|---|---|---|`;
const FILES_HEAD = `
| files | first scan | CPU | memory idle | index on disk | start again | CPU |
|---|---|---|---|---|---|---|`;
const FILE_HEAD = `
| one file | sync | CPU of both | peak memory of the first | peak memory of the second |
|---|---|---|---|---|`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      peers: { type: "string" },
      files: { type: "string" },
      "file-gib": { type: "string" },
      dir: { type: "string", default: tmpdir() },
    },
  });
  const isAsked = (values.peers ?? values.files ?? values["file-gib"]) !== undefined;
  const unlessAsked = (list: string): string => (isAsked ? "" : list);
  const peers = numbersIn(values.peers ?? unlessAsked("2,10,30,100"));
  const files = numbersIn(values.files ?? unlessAsked("10000,100000,1000000"));
  const fileGib = numbersIn(values["file-gib"] ?? "");
  if (peers.length > 0) console.log(PEERS_HEAD);
  for (const count of peers) console.log(await measurePeers(count));
  if (files.length > 0) console.log(FILES_HEAD);
  for (const count of files) console.log(await measureFiles(count, values.dir));
  if (fileGib.length > 0) console.log(FILE_HEAD);
  for (const size of fileGib) console.log(await measureFile(size, values.dir));
}

/** A row of the first table. */
async function measurePeers(count: number): Promise<string> {
  const mesh = new Mesh(count);
  const connecting = await measured(mesh, () => mesh.connect());
  const save = (name: string, bytes: number): Promise<Sent> =>
    measured(mesh, async () => {
      mesh.write(mesh.first, name, bytes);
      await mesh.until(() => mesh.machines.every((machine) => mesh.holds(machine, name, bytes)));
      await mesh.wait(SETTLING_MS);
    });
  const small = await save("small", KIB);
  const large = await save("large", LARGE_BYTES);
  const idle = await measured(mesh, () => mesh.wait(IDLE_MS));
  return row(
    `${count}`,
    `${(count * (count - 1)) / 2}`,
    `${(connecting.cpuMs / 1000).toFixed(1)} s`,
    `${(small.inAll / 1000).toFixed(0)} kB`,
    `${small.cpuMs.toFixed(0)} ms`,
    `${(large.bySource / LARGE_BYTES).toFixed(2)} × the file`,
    `${(large.inAll / LARGE_BYTES / (count - 1)).toFixed(2)} × the file`,
    `${(idle.inAll / count / (IDLE_MS / 60_000) / 1000).toFixed(1)} kB a minute`,
  );
}

interface Sent {
  readonly inAll: number;
  readonly bySource: number;
  readonly cpuMs: number;
}

async function measured({ network, first }: Mesh, action: () => Promise<void>): Promise<Sent> {
  const [inAll, bySource, cpu] = [network.deliveredBytes, network.sentBytesOf(first.address), process.cpuUsage()];
  await action();
  const { user, system } = process.cpuUsage(cpu);
  return {
    inAll: network.deliveredBytes - inAll,
    bySource: network.sentBytesOf(first.address) - bySource,
    cpuMs: (user + system) / 1000,
  };
}

/** A row of the second table. */
async function measureFiles(count: number, directory: string): Promise<string> {
  const scratch = mkdtempSync(join(directory, "dsync-scale-"));
  const machine = new RealMachine(scratch, "a");
  try {
    for (let file = 0; file < count; file++) {
      const below = join(machine.folder, `${Math.floor(file / FILES_PER_DIRECTORY)}`);
      if (file % FILES_PER_DIRECTORY === 0) mkdirSync(below);
      writeFileSync(join(below, `${file}`), `${file}`);
    }
    const first = await measureStart(machine);
    await sleep(TIDY_MS);
    const { nowMb } = memoryOf(machine.instance.pid);
    const index = bytesBelow(join(machine.folder, ".dsync", "index"));
    await machine.stop();
    const again = await measureStart(machine);
    return row(
      count.toLocaleString("en"),
      `${(first.ms / 1000).toFixed(1)} s`,
      `${(first.cpuMs / 1000).toFixed(1)} s`,
      `${nowMb.toFixed(0)} MB`,
      `${(index / 1e6).toFixed(0)} MB`,
      `${(again.ms / 1000).toFixed(1)} s`,
      `${(again.cpuMs / 1000).toFixed(1)} s`,
    );
  } finally {
    await machine.kill();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Until it is idle: a start after which nothing has changed says nothing. */
async function measureStart(machine: RealMachine): Promise<{ ms: number; cpuMs: number }> {
  const beganMs = performance.now();
  machine.launch({ args: ["--quiet"] });
  const { pid } = machine.instance;
  let busyUntilMs = performance.now();
  let cpuMs = cpuMsOf(pid);
  while (performance.now() - busyUntilMs < IDLE_FOR_MS) {
    await sleep(POLL_MS);
    if (machine.instance.hasEnded) throw new Error(machine.instance.stderr);
    const now = cpuMsOf(pid);
    if (now - cpuMs > IDLE_CPU_MS_MAX) busyUntilMs = performance.now();
    cpuMs = now;
  }
  return { ms: busyUntilMs - beganMs, cpuMs };
}

/** A row of the third table: from one fresh instance to another. */
async function measureFile(gib: number, directory: string): Promise<string> {
  const scratch = mkdtempSync(join(directory, "dsync-scale-"));
  const pair = new Pair(scratch);
  try {
    writeLarge(join(pair.a.folder, "large"), gib * 1024 * MIB, incompressible(16 * MIB, 8));
    const ms = await timed(async () => {
      await pair.listen();
      pair.startSecond();
      await until(() => existsSync(join(pair.b.folder, "large")), POLL_MS, gib * FILE_DEADLINE_MS_EACH_GIB);
      await pair.b.instance.waitForSync({ deadlineMs: FILE_DEADLINE_MS_EACH_GIB });
    });
    const both = [pair.a, pair.b].map(({ instance }) => instance.pid);
    const cpuMs = both.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
    return row(
      `${gib} GiB`,
      `${(ms / 1000).toFixed(1)} s`,
      `${(cpuMs / 1000).toFixed(1)} s`,
      ...both.map((pid) => `${memoryOf(pid).peakMb.toFixed(0)} MB`),
    );
  } finally {
    await pair.remove();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function bytesBelow(directory: string): number {
  return readdirSync(directory)
    .map((name) => statSync(join(directory, name)).blocks * 512)
    .reduce((sum, bytes) => sum + bytes, 0);
}

function numbersIn(list: string): readonly number[] {
  return list
    .split(",")
    .filter((text) => text !== "")
    .map(Number);
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

await main();
