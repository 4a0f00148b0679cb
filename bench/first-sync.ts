// The cases in which one side is full and the other empty: one large file, many small ones, a real tree.

import fs from "node:fs";
import { join } from "node:path";
import { fetching, fetchingFresh, inTurn, rowsOf, type Contestant } from "./contest.ts";
import { completenessOf, fill, MIB, sizeOf } from "./data.ts";
import { median, timed, touchMemory, until } from "./measure.ts";
import { Pair } from "./pair.ts";
import { LOOPBACK, type Place } from "./peers/peer.ts";
import type { Case, Row, Setting } from "./row.ts";

/** What a copy of the largest source takes, with what both processes need. */
const TOUCHED_BYTES = 1.5 * 1024 * MIB;

interface Content {
  readonly name: string;
  readonly what: string;
  readonly fill: (folder: string) => void;
  /** Also what it costs without native code, and what others take that start fresh. */
  readonly isDetailed?: boolean;
  /** So many entries that some contestants would take minutes. */
  readonly isVast?: boolean;
}

/** C1: one 1 GiB incompressible file. */
export const largeFile = firstSync({
  name: "C1",
  what: "1 GiB",
  fill: fill.C1,
  isDetailed: true,
});

/** C1z: the same size of text. */
export const largeText = firstSync({
  name: "C1z",
  what: "1 GiB of text",
  fill: fill.C1z,
});

/** C2: 10,000 files of 4 KiB in 100 folders. */
export const manyFiles = firstSync({
  name: "C2",
  what: "10,000 × 4 KiB",
  fill: fill.C2,
  isDetailed: true,
});

/** C2x: 100,000 files of 1 KiB in 1,000 folders. */
export const smallFiles = firstSync({
  name: "C2x",
  what: "100,000 × 1 KiB",
  fill: fill.C2x,
  isVast: true,
});

/** C3: a tree as a large project has it. */
export const project = firstSync({ name: "C3", what: "45,000 entries, 860 MB", fill: fill.C3 });

function firstSync({ name, what, fill: fillSource, isDetailed = false, isVast = false }: Content): Case {
  return async ({ scratch, runs, peers }: Setting): Promise<Row[]> => {
    const source = join(scratch, "source");
    fs.rmSync(source, { recursive: true, force: true });
    fs.mkdirSync(source);
    try {
      fillSource(source);
      const transfer = { source, scratch, completeIn: completenessOf(source) };
      const others = peers.filter(({ isSlow }) => !(isSlow && isVast)).map((peer) => fetching(peer, transfer));
      const joining = new Joining(transfer);
      const fresh = new Joining(transfer, { isFresh: true });
      const portable = new Joining(transfer, { isPortable: true });
      const contestants: Contestant[] = [
        ...others,
        ...(isDetailed ? peers.flatMap((peer) => fetchingFresh(peer, transfer)) : []),
        { label: "dsync joins a running instance", measure: () => joining.measure() },
        { label: "dsync, both started fresh", isSlow: isVast, measure: () => fresh.measure() },
        ...(isDetailed ? [{ label: "dsync joins, portable", isSlow: true, measure: () => portable.measure() }] : []),
      ];
      const prepare = (): void => touchMemory(scratch, TOUCHED_BYTES);
      const rows = rowsOf(name, what, await inTurn(contestants, runs, prepare));
      const sentPercent = (100 * median(joining.sentBytes)) / sizeOf(source).bytes;
      return [
        ...rows,
        { case: name, what: "sent by the first instance", value: sentPercent, unit: "% of the data" },
        { case: name, what: "peak memory of the larger process", value: joining.peakMb, unit: "MB" },
      ];
    } finally {
      fs.rmSync(source, { recursive: true, force: true });
    }
  };
}

interface Joined {
  readonly source: string;
  readonly scratch: string;
  readonly completeIn: (folder: string) => () => boolean;
}

interface JoiningOptions {
  readonly place?: Place;
  /** The clock also runs while the first starts and reads its folder. */
  readonly isFresh?: boolean;
  /** Without native code. */
  readonly isPortable?: boolean;
}

/** A dsync that starts on an empty folder and joins another, again and again. */
export class Joining {
  /** The most of all runs. */
  peakMb = 0;
  /** By the first instance, in each run. */
  readonly sentBytes: number[] = [];
  readonly #transfer: Joined;
  readonly #options: JoiningOptions;

  constructor(transfer: Joined, options: JoiningOptions = {}) {
    this.#transfer = transfer;
    this.#options = options;
  }

  async measure(): Promise<number> {
    if (this.#options.isPortable !== true) return this.#measure();
    const before = process.env["DSYNC_PORTABLE"];
    process.env["DSYNC_PORTABLE"] = "1";
    try {
      return await this.#measure();
    } finally {
      if (before === undefined) delete process.env["DSYNC_PORTABLE"];
      else process.env["DSYNC_PORTABLE"] = before;
    }
  }

  async #measure(): Promise<number> {
    const { place = LOOPBACK, isFresh } = this.#options;
    const pair = new Pair(this.#transfer.scratch, place);
    try {
      pair.borrow(this.#transfer.source);
      if (isFresh !== true) await pair.startFirst();
      const isComplete = this.#transfer.completeIn(pair.b.folder);
      const ms = await timed(async () => {
        if (isFresh === true) await pair.listen();
        pair.startSecond();
        await until(isComplete, 10);
      });
      this.sentBytes.push(await pair.sentBytes());
      this.peakMb = Math.max(this.peakMb, pair.memory().peakMb);
      await Promise.all([pair.a.stop(), pair.b.stop()]);
      return ms;
    } finally {
      await pair.remove();
    }
  }
}
