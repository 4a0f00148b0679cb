// What every case takes and gives.

import type { Peer } from "./peers/peer.ts";

/** What a row may be compared with, in the same run. */
export type Against = "floor" | "rsync" | "rsync-z" | "ssh" | "unison" | "syncthing" | "cp";

/** One line of the table. */
export interface Row {
  readonly case: string;
  readonly what: string;
  readonly value: number;
  /** `×`: the row is a ratio itself. */
  readonly unit: "ms" | "MB" | "bytes" | "% of a core" | "% of the data" | "×";
  readonly ratios?: Partial<Record<Against, number>>;
}

export interface Setting {
  /** A directory on the file system to be measured. */
  readonly scratch: string;
  /** How often each timing is repeated; the median counts. */
  readonly runs: number;
  /** Those that are installed. */
  readonly peers: readonly Peer[];
  /** Told of each row that cannot be measured here. */
  readonly leaveOut: (row: LeftOut) => void;
}

/** A row that is not there, and why. */
export interface LeftOut {
  readonly case: string;
  readonly what: string;
  readonly why: string;
}

/** Measures, and gives rows of the table. */
export type Case = (setting: Setting) => Promise<readonly Row[]>;

/** A case that cannot run here; says why. */
export class Skipped extends Error {}
