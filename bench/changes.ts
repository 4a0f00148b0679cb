// The cases of what happens to folders that are in sync already: moves, deletions, changes inside a large file, many files
// at once.

import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { incompressible } from "../test/support/trees.ts";
import type { Case, Row, Setting } from "./cases.ts";
import { median, quantile, timed, until } from "./measure.ts";
import { Pair } from "./pair.ts";
import { copy, RsyncDaemon } from "./peers.ts";

const MIB = 1024 * 1024;
/** How often one change is measured in a run. */
const CHANGES_EACH = 10;

/** C4d, C4m and C4r: a small file deleted and moved, 100 MiB renamed, until the other side shows it. */
export const moves: Case = async ({ scratch, runs }) => {
  const pair = new Pair(scratch);
  const times = { deleted: [] as number[], moved: [] as number[], renamed: [] as number[] };
  try {
    const content = incompressible(1024, 2);
    for (let index = 0; index < runs * CHANGES_EACH; index++) {
      content.writeUInt32LE(index, 0);
      fs.writeFileSync(join(pair.a.folder, `small${index}`), content);
    }
    fs.writeFileSync(join(pair.a.folder, "large0"), incompressible(100 * MIB, 3));
    await pair.start();
    await pair.b.instance.waitForSync();
    const [here, there] = [pair.a.folder, pair.b.folder];
    const before = await pair.a.instance.status();
    for (let index = 0; index < runs * CHANGES_EACH; index++) {
      const moved = `moved${index}`;
      times.moved.push(
        await seenAfter(
          () => rename(here, `small${index}`, moved),
          () => has(there, moved),
        ),
      );
      times.renamed.push(
        await seenAfter(
          () => rename(here, `large${index}`, `large${index + 1}`),
          () => has(there, `large${index + 1}`),
        ),
      );
      times.deleted.push(
        await seenAfter(
          () => fs.rmSync(join(here, moved)),
          () => !has(there, moved),
        ),
      );
    }
    const after = await pair.a.instance.status();
    return [
      ...both("C4d", "delete a file → gone", times.deleted),
      ...both("C4m", "move a file → there", times.moved),
      ...both("C4r", "rename 100 MiB → there", times.renamed),
      {
        case: "C4r",
        what: "sent for all of these changes",
        value: after.traffic.sentBytes - before.traffic.sentBytes,
        unit: "bytes",
      },
    ];
  } finally {
    await pair.remove();
  }
};

/** C5a and C5b: 1 MiB overwritten inside 1 GiB, and 1 byte inserted at its start. */
export const insides: Case = async (setting) => {
  const size = 1024 * MIB;
  const original = incompressible(64 * MIB, 4);
  const fill = (file: string): void => {
    const descriptor = fs.openSync(file, "w");
    for (let block = 0; block < size / original.length; block++) {
      for (let at = 0; at < original.length; at += 4096) original.writeUInt32LE(block * 31 + at, at);
      fs.writeSync(descriptor, original);
    }
    fs.closeSync(descriptor);
  };
  const overwrite = (file: string, run: number): void => {
    const descriptor = fs.openSync(file, "r+");
    fs.writeSync(descriptor, incompressible(MIB, 100 + run), 0, MIB, size / 2);
    fs.closeSync(descriptor);
  };
  const insert = (file: string, run: number): void => {
    const old = fs.readFileSync(file);
    const descriptor = fs.openSync(file, "w");
    fs.writeSync(descriptor, Buffer.from([run]));
    for (let at = 0; at < old.length; at += 64 * MIB) fs.writeSync(descriptor, old.subarray(at, at + 64 * MIB));
    fs.closeSync(descriptor);
  };
  return [
    ...(await inside(setting, { name: "C5a", what: "1 MiB overwritten in 1 GiB", fill, change: overwrite })),
    ...(await inside(setting, { name: "C5b", what: "1 byte inserted before 1 GiB", fill, change: insert })),
  ];
};

interface Inside {
  readonly name: string;
  readonly what: string;
  readonly fill: (file: string) => void;
  readonly change: (file: string, run: number) => void;
}

async function inside({ scratch, runs }: Setting, { name, what, fill, change }: Inside): Promise<readonly Row[]> {
  const pair = new Pair(scratch);
  const pulled = join(scratch, "pulled");
  const times = { dsync: [] as number[], rsync: [] as number[] };
  const sent: number[] = [];
  const [here, there] = [join(pair.a.folder, "image"), join(pair.b.folder, "image")];
  fill(here);
  const daemon = await RsyncDaemon.start(pair.a.folder, scratch);
  try {
    fs.mkdirSync(pulled, { recursive: true });
    fs.copyFileSync(here, join(pulled, "image"));
    await pair.start();
    await until(() => fs.existsSync(there), 50);
    await pair.b.instance.waitForSync();
    for (let run = 0; run < runs; run++) {
      const before = await pair.a.instance.status();
      change(here, run);
      // From when the change is complete, as rsync is started then.
      times.dsync.push(await timed(() => until(() => sameTime(here, there), 5)));
      await pair.b.instance.waitForSync();
      sent.push((await pair.a.instance.status()).traffic.sentBytes - before.traffic.sentBytes);
      times.rsync.push(await timed(() => daemon.pull(pulled)));
    }
    const rsync = median(times.rsync);
    const value = median(times.dsync);
    return [
      { case: name, what: `${what}, dsync`, value, unit: "ms", toRsync: value / rsync },
      { case: name, what: `${what}, rsync from its daemon`, value: rsync, unit: "ms", toRsync: 1 },
      { case: name, what: "sent by dsync", value: median(sent), unit: "bytes" },
    ];
  } finally {
    daemon.stop();
    fs.rmSync(pulled, { recursive: true, force: true });
    await pair.remove();
  }
}

/** C7: 2,000 files of 10 KiB appear at once, until the last is on the other side. */
export const burst: Case = async ({ scratch, runs }) => {
  const pair = new Pair(scratch);
  const source = join(scratch, "burst");
  const times = { dsync: [] as number[], rsync: [] as number[], copy: [] as number[] };
  try {
    const content = incompressible(10 * 1024, 5);
    fs.mkdirSync(source, { recursive: true });
    for (let file = 0; file < 2000; file++) {
      content.writeUInt32LE(file, 0);
      fs.writeFileSync(join(source, `file${file}`), content);
    }
    await pair.start();
    await pair.b.instance.waitForSync();
    for (let run = 0; run < runs; run++) {
      const [from, to] = [join(pair.a.folder, `burst${run}`), join(pair.b.folder, `burst${run}`)];
      fs.mkdirSync(from);
      // The clock runs from the moment at which the last one is written.
      await copy(source, from);
      times.dsync.push(await timed(() => until(() => countIn(to) === 2000, 5)));
      await pair.b.instance.waitForSync();
      const daemon = await RsyncDaemon.start(source, scratch);
      const pulled = join(scratch, "pulled");
      for (const [kind, action] of [
        ["rsync", () => daemon.pull(pulled)],
        ["copy", () => copy(source, pulled)],
      ] as const) {
        fs.rmSync(pulled, { recursive: true, force: true });
        fs.mkdirSync(pulled);
        times[kind].push(await timed(action));
      }
      fs.rmSync(pulled, { recursive: true, force: true });
      daemon.stop();
    }
    const [rsync, cp] = [median(times.rsync), median(times.copy)];
    const row = (how: string, value: number): Row => ({
      case: "C7",
      what: `2,000 × 10 KiB at once, ${how}`,
      value,
      unit: "ms",
      toRsync: value / rsync,
      toCopy: value / cp,
    });
    return [row("dsync", median(times.dsync)), row("rsync from its daemon", rsync), row("cp -a", cp)];
  } finally {
    fs.rmSync(source, { recursive: true, force: true });
    await pair.remove();
  }
};

/** Median and 95 %. */
function both(name: string, what: string, times: readonly number[]): readonly Row[] {
  return [
    { case: name, what: `${what}, median`, value: median(times), unit: "ms" },
    { case: name, what: `${what}, 95 %`, value: quantile(times, 0.95), unit: "ms" },
  ];
}

/** How long after `change` the other side shows it; at random moments, as in C4. */
async function seenAfter(change: () => void, isSeen: () => boolean): Promise<number> {
  await sleep(300 + Math.random() * 300);
  return timed(async () => {
    change();
    await until(isSeen, 1, 10_000);
  });
}

function rename(folder: string, from: string, to: string): void {
  fs.renameSync(join(folder, from), join(folder, to));
}

function has(folder: string, name: string): boolean {
  return fs.existsSync(join(folder, name));
}

function countIn(directory: string): number {
  try {
    return fs.readdirSync(directory).length;
  } catch {
    return 0;
  }
}

/** To the microsecond, as dsync keeps it. */
function sameTime(here: string, there: string): boolean {
  const [a, b] = [here, there].map((file) => fs.statSync(file, { bigint: true, throwIfNoEntry: false })?.mtimeNs);
  return a !== undefined && b !== undefined && a / 1000n === b / 1000n;
}
