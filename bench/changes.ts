// The cases of what happens to folders that are in sync already: moves, deletions, changes inside a large file, many files
// at once.

import fs from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { incompressible } from "../test/support/trees.ts";
import { fetching, inTurn, rowsOf, type Contestant, type Named, type Times } from "./contest.ts";
import { completenessOf, fill, MIB, overwriteInside, stamp } from "./data.ts";
import { measureKeepers } from "./keepers.ts";
import { median, quantile, timed, touchMemory, until } from "./measure.ts";
import { Pair } from "./pair.ts";
import { copyTree } from "./peers/copy.ts";
import type { Peer, Server } from "./peers/peer.ts";
import type { Against, Case, Row, Setting } from "./row.ts";

const BURST = "2,000 × 10 KiB at once";
const RENAME = "rename 100 MiB → there";
/** How often one change is measured in a run. */
const CHANGES_EACH = 10;
const BURST_FILES = 2_000;
/** What another version of the large file takes, with what both processes need. */
const TOUCHED_BYTES = 1.25 * 1024 * MIB;
/** Who updates its own old copy of a large file; each needs room for one. */
const UPDATERS: ReadonlySet<Against | undefined> = new Set(["rsync", "ssh"] as const);

/** C4d, C4m and C4r: a small file deleted and moved, 100 MiB renamed, until the other side shows it. */
export const moves: Case = async (setting) => {
  const { scratch, runs } = setting;
  const fillLarge = (folder: string): void => fs.writeFileSync(join(folder, "large0"), incompressible(100 * MIB, 3));
  const keepers = await measureKeepers(setting, {
    case: "C4r",
    what: RENAME,
    times: 2,
    fill: fillLarge,
    change: (here, index) => rename(here, `large${index}`, `large${index + 1}`),
    isSeen: ({ there }, index) => has(there, `large${index + 1}`),
  });
  const pair = new Pair(scratch);
  const times = { deleted: [] as number[], moved: [] as number[], renamed: [] as number[] };
  try {
    const content = incompressible(1024, 2);
    for (let index = 0; index < runs * CHANGES_EACH; index++) {
      content.writeUInt32LE(index, 0);
      fs.writeFileSync(join(pair.a.folder, `small${index}`), content);
    }
    fillLarge(pair.a.folder);
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
      ...both("C4r", RENAME, times.renamed, keepers),
      {
        case: "C4r",
        what: "sent for all of these changes",
        value: after.traffic.sentBytes - before.traffic.sentBytes,
        unit: "bytes",
      },
      { case: "C4r", what: "peak memory of the larger process", value: pair.memory().peakMb, unit: "MB" },
    ];
  } finally {
    await pair.remove();
  }
};

/** C5a and C5b: 1 MiB overwritten inside 1 GiB, and 1 byte inserted at its start. */
export const insides: Case = async (setting) => {
  const insert = (file: string, run: number): void => {
    const old = fs.readFileSync(file);
    const descriptor = fs.openSync(file, "w");
    fs.writeSync(descriptor, Buffer.from([run]));
    for (let at = 0; at < old.length; at += 64 * MIB) fs.writeSync(descriptor, old.subarray(at, at + 64 * MIB));
    fs.closeSync(descriptor);
  };
  return [
    ...(await inside(setting, { name: "C5a", what: "1 MiB overwritten in 1 GiB", change: overwriteInside })),
    ...(await inside(setting, { name: "C5b", what: "1 byte inserted before 1 GiB", change: insert })),
  ];
};

interface Inside {
  readonly name: string;
  readonly what: string;
  readonly change: (file: string, run: number) => void;
}

async function inside(setting: Setting, content: Inside): Promise<readonly Row[]> {
  const { scratch, runs, peers } = setting;
  const { name, what, change } = content;
  const keepers = await measureKeepers(setting, {
    case: name,
    what,
    times: 1,
    fill: (folder) => fill.C5(join(folder, "image")),
    change: (folder, index) => change(join(folder, "image"), index),
    isSeen: (folders) => sameSecond(join(folders.here, "image"), join(folders.there, "image")),
  });
  const pair = new Pair(scratch);
  const sent: number[] = [];
  const [here, there] = [join(pair.a.folder, "image"), join(pair.b.folder, "image")];
  const others: Updated[] = [];
  try {
    fill.C5(here);
    for (const peer of peers) if (UPDATERS.has(peer.against)) others.push(await updated(peer, here, scratch));
    await pair.start();
    await until(() => fs.existsSync(there), 50);
    await pair.b.instance.waitForSync();
    let changes = 0;
    const dsync: Contestant = {
      label: "dsync",
      measure: async () => {
        const before = await pair.sentBytes();
        change(here, changes++);
        // From when the change is complete, as rsync is started then.
        const ms = await timed(() => until(() => sameTime(here, there), 5));
        await pair.b.instance.waitForSync();
        sent.push((await pair.sentBytes()) - before);
        return ms;
      },
    };
    // Always first: it makes the change that the others fetch.
    const times = new Map<Contestant, number[]>([dsync, ...others].map((one) => [one, []]));
    for (let run = 0; run < runs; run++) {
      for (const [contestant, list] of times) {
        touchMemory(scratch, TOUCHED_BYTES);
        list.push(await contestant.measure());
      }
    }
    return [
      ...rowsOf(name, what, new Map<Named, readonly number[]>([...times, ...keepers])),
      { case: name, what: "sent by the first instance", value: median(sent), unit: "bytes" },
      { case: name, what: "peak memory of the larger process", value: pair.memory().peakMb, unit: "MB" },
    ];
  } finally {
    await Promise.all(others.map((other) => other.stop()));
    await pair.remove();
  }
}

interface Updated extends Contestant {
  stop(): Promise<void>;
}

/** A peer that has its own copy of the file, as old as the last round. */
async function updated(peer: Peer, file: string, scratch: string): Promise<Updated> {
  const target = join(scratch, `updated-by-${peer.against}`);
  const copy = join(target, "image");
  fs.mkdirSync(target);
  await copyTree(dirname(file), target);
  const server: Server = await peer.serve({ source: dirname(file), scratch });
  return {
    label: peer.label,
    against: peer.against,
    measure: () => timed(() => server.fetch(target, () => sameTime(file, copy))),
    stop: async () => {
      await server.stop();
      fs.rmSync(target, { recursive: true, force: true });
    },
  };
}

/** C7: 2,000 files of 10 KiB appear at once, until the last is on the other side. */
export const burst: Case = async (setting) => {
  const { scratch, runs, peers } = setting;
  const pair = new Pair(scratch);
  const source = join(scratch, "burst");
  try {
    const content = incompressible(10 * 1024, 5);
    fs.mkdirSync(source, { recursive: true });
    for (let file = 0; file < BURST_FILES; file++) {
      stamp(content, file);
      fs.writeFileSync(join(source, `file${file}`), content);
    }
    const transfer = { source, scratch, completeIn: completenessOf(source) };
    const keepers = await measureKeepers(setting, {
      case: "C7",
      what: BURST,
      times: 1,
      fill: (folder) => fs.writeFileSync(join(folder, "first"), content),
      change: (folder) => copyTree(source, makeDirectory(join(folder, "burst"))),
      isSeen: ({ there }) => transfer.completeIn(join(there, "burst"))(),
    });
    await pair.start();
    await pair.b.instance.waitForSync();
    let bursts = 0;
    const [renamed, deleted]: [number[], number[]] = [[], []];
    const dsync: Contestant = {
      label: "dsync",
      measure: async () => {
        const [from, to] = [pair.a, pair.b].map(({ folder }) => join(folder, `burst${bursts}`)) as [string, string];
        bursts++;
        makeDirectory(from);
        // The clock runs from the moment at which the last one is written.
        await copyTree(source, from);
        const isComplete = transfer.completeIn(to);
        const ms = await timed(() => until(isComplete, 5));
        await pair.b.instance.waitForSync();
        for (const [times, change, isSeen] of [
          [renamed, () => fs.renameSync(from, `${from}-renamed`), transfer.completeIn(`${to}-renamed`)],
          [deleted, () => fs.rmSync(`${from}-renamed`, { recursive: true }), () => !fs.existsSync(`${to}-renamed`)],
        ] as const) {
          times.push(
            await timed(async () => {
              change();
              await until(isSeen, 5);
            }),
          );
          await pair.b.instance.waitForSync();
        }
        return ms;
      },
    };
    const others = peers.filter(({ isSlow }) => !isSlow).map((peer) => fetching(peer, transfer));
    const rows = rowsOf("C7", BURST, new Map([...(await inTurn([dsync, ...others], runs)), ...keepers]));
    return [
      ...rows,
      { case: "C7", what: "their directory renamed → all there", value: median(renamed), unit: "ms" },
      { case: "C7", what: "their directory deleted → gone", value: median(deleted), unit: "ms" },
    ];
  } finally {
    fs.rmSync(source, { recursive: true, force: true });
    await pair.remove();
  }
};

/** Median and 95 %. */
function both(name: string, what: string, times: readonly number[], others: Times = new Map()): readonly Row[] {
  return [
    ...rowsOf(name, what, new Map([[{ label: "median" }, times], ...others])),
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

function makeDirectory(path: string): string {
  fs.mkdirSync(path);
  return path;
}

/** Unison keeps whole seconds. */
function sameSecond(here: string, there: string): boolean {
  const [a, b] = [here, there].map((file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs);
  return a !== undefined && b !== undefined && Math.floor(a / 1000) === Math.floor(b / 1000);
}

/** To the microsecond, as dsync keeps it. */
function sameTime(here: string, there: string): boolean {
  const [a, b] = [here, there].map((file) => fs.statSync(file, { bigint: true, throwIfNoEntry: false })?.mtimeNs);
  return a !== undefined && b !== undefined && a / 1000n === b / 1000n;
}
