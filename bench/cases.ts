// The cases: each gives rows of a table.

import { execFile } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { runDsync } from "../test/support/dsync-process.ts";
import { incompressible } from "../test/support/trees.ts";
import { cpuMsOf, median, memoryOf, quantile, timed, until } from "./measure.ts";
import { Pair } from "./pair.ts";
import { copy, RsyncDaemon } from "./peers.ts";

/** One line of the table. */
export interface Row {
  readonly case: string;
  readonly what: string;
  readonly value: number;
  readonly unit: "ms" | "MB" | "% of a core" | "bytes";
  /** Against rsync's daemon and `cp` in the same run, where that makes sense. */
  readonly toRsync?: number;
  readonly toCopy?: number;
}

export interface Setting {
  /** A directory on the file system to be measured. */
  readonly scratch: string;
  /** How often each timing is repeated; the median counts. */
  readonly runs: number;
}

export type Case = (setting: Setting) => Promise<readonly Row[]>;

const MIB = 1024 * 1024;

/** C1: one 1 GiB incompressible file, first sync. */
export const largeFile: Case = (setting) =>
  firstSync(setting, "C1", "1 GiB", {
    fill: (folder) => {
      const descriptor = fs.openSync(join(folder, "big.bin"), "w");
      const block = incompressible(16 * MIB, 1);
      for (let index = 0; index < 64; index++) {
        block.writeUInt32LE(index, 0);
        for (let at = 4096; at < block.length; at += 4096) block.writeUInt32LE(index * 31 + at, at);
        fs.writeSync(descriptor, block);
      }
      fs.closeSync(descriptor);
    },
    isComplete: (folder) => fs.existsSync(join(folder, "big.bin")),
  });

/** C2: 10,000 files of 4 KiB in 100 folders, first sync. */
export const manyFiles: Case = (setting) =>
  firstSync(setting, "C2", "10,000 × 4 KiB", {
    fill: (folder) => fillWithFiles(folder, { directories: 100, filesEach: 100, bytes: 4096 }),
    isComplete: (folder) => hasFiles(folder, { directories: 100, filesEach: 100 }),
  });

/** C2x: 100,000 files of 1 KiB in 1,000 folders, first sync. */
export const smallFiles: Case = (setting) =>
  firstSync(setting, "C2x", "100,000 × 1 KiB", {
    fill: (folder) => fillWithFiles(folder, { directories: 1000, filesEach: 100, bytes: 1024 }),
    isComplete: (folder) => hasFiles(folder, { directories: 1000, filesEach: 100 }),
  });

interface FirstSync {
  readonly fill: (folder: string) => void;
  readonly isComplete: (folder: string) => boolean;
}

async function firstSync({ scratch, runs }: Setting, name: string, what: string, content: FirstSync): Promise<Row[]> {
  const source = join(scratch, "source");
  const target = join(scratch, "target");
  const times = { joined: [] as number[], fresh: [] as number[], rsync: [] as number[], copy: [] as number[] };
  let peakMb = 0;
  fs.rmSync(source, { recursive: true, force: true });
  fs.mkdirSync(source, { recursive: true });
  content.fill(source);
  const daemon = await RsyncDaemon.start(source, scratch);
  try {
    for (let run = 0; run < runs; run++) {
      for (const [kind, action] of [
        ["copy", () => copy(source, target)],
        ["rsync", () => daemon.pull(target)],
      ] as const) {
        fs.rmSync(target, { recursive: true, force: true });
        fs.mkdirSync(target);
        times[kind].push(await timed(action));
      }
      fs.rmSync(target, { recursive: true, force: true });
      for (const kind of ["joined", "fresh"] as const) {
        const pair = new Pair(scratch);
        try {
          fs.rmdirSync(pair.a.folder);
          fs.renameSync(source, pair.a.folder);
          if (kind === "joined") await pair.startFirst();
          times[kind].push(
            await timed(async () => {
              if (kind === "fresh") await pair.a.start();
              pair.startSecond();
              await until(() => content.isComplete(pair.b.folder), 10);
            }),
          );
          peakMb = Math.max(peakMb, pair.memory().peakMb);
          await Promise.all([pair.a.stop(), pair.b.stop()]);
          for (const own of [".dsync", ".dsyncignore"])
            fs.rmSync(join(pair.a.folder, own), { recursive: true, force: true });
          fs.renameSync(pair.a.folder, source);
        } finally {
          await pair.remove();
        }
      }
    }
  } finally {
    daemon.stop();
    fs.rmSync(source, { recursive: true, force: true });
  }
  const rsync = median(times.rsync);
  const cp = median(times.copy);
  const row = (how: string, values: readonly number[]): Row => {
    const value = median(values);
    return { case: name, what: `${what}, ${how}`, value, unit: "ms", toRsync: value / rsync, toCopy: value / cp };
  };
  return [
    row("dsync joins a running instance", times.joined),
    row("dsync, both started fresh", times.fresh),
    row("rsync from its daemon", times.rsync),
    row("cp -a", times.copy),
    { case: name, what: "peak memory of the larger process", value: peakMb, unit: "MB" },
  ];
}

/** C4: a saved 1 KiB file, until it is complete on the other side. */
export const save: Case = async ({ scratch, runs }) => {
  const pair = new Pair(scratch);
  try {
    fillWithFiles(pair.a.folder, { directories: 10, filesEach: 10, bytes: 1024 });
    await pair.start();
    await pair.b.instance.waitForSync();
    const times: number[] = [];
    const content = incompressible(1024, 2);
    for (let index = 0; index < runs * 20; index++) {
      // Neither in step with any timer nor so close that saves are batched.
      await sleep(300 + Math.random() * 700);
      content.writeUInt32LE(index, 0);
      const path = `dir${index % 10}/saved.txt`;
      const start = performance.now();
      fs.writeFileSync(join(pair.a.folder, path), content);
      await until(() => isSame(join(pair.b.folder, path), content), 1, 10_000);
      times.push(performance.now() - start);
    }
    return [
      { case: "C4", what: "save 1 KiB → there, median", value: median(times), unit: "ms" },
      { case: "C4", what: "save 1 KiB → there, 95 %", value: quantile(times, 0.95), unit: "ms" },
    ];
  } finally {
    await pair.remove();
  }
};

/** C6i: idle with 100,000 files in sync; and how long a start takes with them. */
export const idle: Case = async ({ scratch }) => {
  const pair = new Pair(scratch);
  try {
    fillWithFiles(pair.a.folder, { directories: 1000, filesEach: 100, bytes: 64 });
    await pair.start();
    await until(() => hasFiles(pair.b.folder, { directories: 1000, filesEach: 100 }), 200);
    await pair.b.instance.waitForSync({ deadlineMs: 120_000 });
    await Promise.all([pair.a.stop(), pair.b.stop()]);
    for (let index = 0; index < 10; index++)
      fs.writeFileSync(join(pair.a.folder, `dir${index}/file0`), `changed ${index}`);
    const startMs = await timed(async () => {
      await pair.start();
      await until(() => fs.readFileSync(join(pair.b.folder, "dir9/file0"), "utf8") === "changed 9", 10);
      await pair.b.instance.waitForSync();
    });
    await sleep(5_000);
    const before = [pair.a, pair.b].map(({ instance }) => cpuMsOf(instance.pid));
    await sleep(10_000);
    const cpuMs = [pair.a, pair.b].map(({ instance }, index) => cpuMsOf(instance.pid) - (before[index] ?? 0));
    return [
      { case: "C6", what: "start with 100,000 files in sync, 10 changed", value: startMs, unit: "ms" },
      { case: "C6i", what: "memory idle with 100,000 files", value: memoryOf(pair.b.instance.pid).nowMb, unit: "MB" },
      { case: "C6i", what: "CPU idle with 100,000 files", value: Math.max(...cpuMs) / 100, unit: "% of a core" },
    ];
  } finally {
    await pair.remove();
  }
};

/** C9: a program that says its version, and two fresh instances until a 1 KiB file has arrived. */
export const start: Case = async ({ scratch, runs }) => {
  const times = { version: [] as number[], node: [] as number[], pair: [] as number[] };
  for (let run = 0; run < runs; run++) {
    times.version.push(await timed(() => runDsync(["--version"], scratch)));
    times.node.push(await timed(() => promisify(execFile)(process.execPath, ["-e", "0"])));
    const pair = new Pair(scratch);
    try {
      fs.writeFileSync(join(pair.a.folder, "file"), incompressible(1024, run));
      times.pair.push(
        await timed(async () => {
          await pair.a.start();
          pair.startSecond();
          await until(() => fs.existsSync(join(pair.b.folder, "file")), 2);
        }),
      );
    } finally {
      await pair.remove();
    }
  }
  return [
    { case: "C9", what: "dsync --version", value: median(times.version), unit: "ms" },
    { case: "C9", what: "node -e 0", value: median(times.node), unit: "ms" },
    { case: "C9", what: "two fresh instances, one after the other, 1 KiB", value: median(times.pair), unit: "ms" },
  ];
};

interface Shape {
  readonly directories: number;
  readonly filesEach: number;
}

function fillWithFiles(folder: string, { directories, filesEach, bytes }: Shape & { readonly bytes: number }): void {
  const content = incompressible(bytes, 3);
  for (let directory = 0; directory < directories; directory++) {
    fs.mkdirSync(join(folder, `dir${directory}`), { recursive: true });
    for (let file = 0; file < filesEach; file++) {
      content.writeUInt32LE(directory * filesEach + file, 0);
      fs.writeFileSync(join(folder, `dir${directory}/file${file}`), content);
    }
  }
}

function hasFiles(folder: string, { directories, filesEach }: Shape): boolean {
  for (let directory = directories - 1; directory >= 0; directory--) {
    try {
      if (fs.readdirSync(join(folder, `dir${directory}`)).length < filesEach) return false;
    } catch {
      return false;
    }
  }
  return true;
}

function isSame(path: string, content: Buffer): boolean {
  try {
    return fs.readFileSync(path).equals(content);
  } catch {
    return false;
  }
}
