// C8 and C8z: 256 MiB over 1 Gbit/s, from a neighbour and from 10 ms away.

import fs from "node:fs";
import { join } from "node:path";
import { incompressible } from "../test/support/trees.ts";
import { fetching, inTurn, rowsOf, type Contestant } from "./contest.ts";
import { completenessOf, MIB, sizeOf, textLike, writeLarge } from "./data.ts";
import { Joining } from "./first-sync.ts";
import { createLink } from "./link.ts";
import { median } from "./measure.ts";
import type { Peer } from "./peers/peer.ts";
import { canRun } from "./peers/peers.ts";
import { rsyncCompressed, rsyncDaemon } from "./peers/rsync-daemon.ts";
import { rsyncSsh } from "./peers/rsync-ssh.ts";
import type { Case, Row, Setting } from "./row.ts";

const SIZE_BYTES = 256 * MIB;
const MBIT_PER_SECOND = 1_000;
const ROUND_TRIPS_MS = [0.3, 10];

interface Content {
  readonly name: string;
  readonly what: string;
  readonly block: () => Buffer;
  /** Each needs a server that can run anywhere. */
  readonly against: readonly Peer[];
}

/** C8: incompressible data. */
export const overLink = overEach({
  name: "C8",
  what: "256 MiB",
  block: () => incompressible(16 * MIB, 6),
  against: [rsyncDaemon, rsyncSsh],
});

/** C8z: text. */
export const textOverLink = overEach({
  name: "C8z",
  what: "256 MiB of text",
  block: () => textLike(16 * MIB, 6),
  against: [rsyncDaemon, rsyncCompressed],
});

function overEach({ name, what, block, against }: Content): Case {
  return async (setting) => {
    const source = join(setting.scratch, "source");
    fs.mkdirSync(source);
    try {
      writeLarge(join(source, "big"), SIZE_BYTES, block());
      const rows: Row[] = [];
      for (const roundTripMs of ROUND_TRIPS_MS)
        rows.push(...(await over({ ...setting, source, roundTripMs, name, what, against })));
      return rows;
    } finally {
      fs.rmSync(source, { recursive: true, force: true });
    }
  };
}

interface Over extends Setting, Omit<Content, "block"> {
  readonly source: string;
  readonly roundTripMs: number;
}

async function over({ scratch, runs, source, roundTripMs, name, what, against }: Over): Promise<readonly Row[]> {
  const link = createLink({ mbitPerSecond: MBIT_PER_SECOND, roundTripMs });
  const { place, note } = link;
  try {
    const transfer = { source, scratch, place, completeIn: completenessOf(source) };
    const joining = new Joining(transfer, { place });
    const contestants: Contestant[] = [
      ...against.filter(canRun).map((peer) => fetching(peer, transfer)),
      { label: "dsync joins a running instance", measure: () => joining.measure() },
    ];
    const at = `1 Gbit/s, ${roundTripMs} ms`;
    const rows = rowsOf(name, `${what}, ${at}${note}`, await inTurn(contestants, runs));
    const sentPercent = (100 * median(joining.sentBytes)) / sizeOf(source).bytes;
    return [
      ...rows,
      { case: name, what: `sent by the first instance, ${at}`, value: sentPercent, unit: "% of the data" },
    ];
  } finally {
    await link.remove();
  }
}
