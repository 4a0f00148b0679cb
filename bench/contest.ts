// Several ways to do the same, each measured in every round: what else the machine does falls on all of them.

import fs from "node:fs";
import { join } from "node:path";
import { median, timed } from "./measure.ts";
import type { Peer, Place, Server } from "./peers/peer.ts";
import type { Against, Row } from "./row.ts";

export interface Named {
  readonly label: string;
  /** What the others are compared with it as. */
  readonly against?: Against | undefined;
  /** Only in the first round. */
  readonly isSlow?: boolean;
}

export interface Contestant extends Named {
  /** Milliseconds. */
  measure(): Promise<number>;
}

/** Milliseconds of each round. */
export type Times = ReadonlyMap<Named, readonly number[]>;

/** `prepare`: before each measurement. */
export async function inTurn(
  contestants: readonly Contestant[],
  runs: number,
  prepare: () => void = () => {},
): Promise<Times> {
  const times = new Map(contestants.map((contestant) => [contestant, [] as number[]]));
  for (let round = 0; round < runs; round++) {
    const order = contestants.filter(({ isSlow }) => isSlow !== true || round === 0);
    // Nobody always comes after the same one.
    if (round % 2 === 1) order.reverse();
    for (const contestant of order) {
      prepare();
      times.get(contestant)?.push(await contestant.measure());
    }
  }
  return times;
}

/** A row for each contestant: the median, and its ratio to those it is compared with. */
export function rowsOf(name: string, what: string, times: Times): Row[] {
  const references = [...times].flatMap(([{ against }, list]) =>
    against === undefined ? [] : [[against, median(list)] as const],
  );
  return [...times].map(([{ label, isSlow }, list]) => {
    const value = median(list);
    const once = isSlow === true ? " (once)" : "";
    const ratios = Object.fromEntries(references.map(([against, reference]) => [against, value / reference]));
    return { case: name, what: `${what}, ${label}${once}`, value, unit: "ms", ratios };
  });
}

interface Transfer {
  readonly source: string;
  readonly scratch: string;
  readonly place?: Place;
  /** Asks a folder whether everything is there. */
  readonly completeIn: (folder: string) => () => boolean;
}

/** A peer that fills an empty folder. */
export function fetching(peer: Peer, transfer: Transfer): Contestant {
  return {
    label: peer.label,
    against: peer.against,
    isSlow: peer.isSlow,
    measure: async () => measureFetch(await peer.serve(transfer), transfer),
  };
}

/** The same where it and its server both start with the clock, if it can; compared with nothing. */
export function fetchingFresh(peer: Peer, transfer: Transfer): readonly Contestant[] {
  if (peer.serveFresh === undefined) return [];
  const serve = peer.serveFresh.bind(peer);
  const label = `${peer.label}, both started fresh`;
  return [{ label, isSlow: peer.isSlow, measure: async () => measureFetch(await serve(transfer), transfer) }];
}

/** Stops the server in the end. */
async function measureFetch(server: Server, { scratch, completeIn }: Transfer): Promise<number> {
  const target = join(scratch, "target");
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target);
  const isComplete = completeIn(target);
  try {
    const ms = await timed(() => server.fetch(target, isComplete));
    if (!isComplete()) throw new Error("Something is missing after a transfer.");
    return ms;
  } finally {
    await server.stop();
    fs.rmSync(target, { recursive: true, force: true });
  }
}
