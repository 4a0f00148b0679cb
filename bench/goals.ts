// What is aimed at: the most that a row may show.

import { PEERS } from "./peers/peers.ts";
import { rsyncCompressed } from "./peers/rsync-daemon.ts";
import type { Against, Row } from "./row.ts";

interface Goal {
  readonly case: string;
  /** What the row's description holds. */
  readonly what: string;
  readonly max: number;
  /** The row's value itself, its ratio to a peer, or to the row of another case with the same end of its description. */
  readonly of: Against | "value" | { readonly case: string; readonly ending: string };
}

const MB = 1e6;
const JOINS = "dsync joins a running instance";
const PEAK = "peak memory";

const GOALS: readonly Goal[] = [
  { case: "C1", what: JOINS, max: 1.4, of: "rsync" },
  { case: "C1", what: JOINS, max: 0.6, of: "ssh" },
  { case: "C1", what: JOINS, max: 0.25, of: "syncthing" },
  { case: "C1z", what: JOINS, max: 1, of: { case: "C1", ending: JOINS } },
  { case: "C1z", what: "sent", max: 60, of: "value" },
  { case: "C2", what: JOINS, max: 1, of: "ssh" },
  { case: "C2x", what: JOINS, max: 1.5, of: "ssh" },
  { case: "C3", what: JOINS, max: 1, of: "ssh" },
  ...["C1", "C1z", "C2", "C2x", "C3", "C4", "C4r", "C5a", "C5b"].map((name): Goal => ({
    case: name,
    what: PEAK,
    max: 150,
    of: "value",
  })),
  ...["C4", "C4d", "C4m"].flatMap((name): Goal[] => [
    { case: name, what: "median", max: 12, of: "value" },
    { case: name, what: "95 %", max: 25, of: "value" },
  ]),
  { case: "C4r", what: "95 %", max: 25, of: "value" },
  // No content: what is left are the announcements of all changes of the case.
  { case: "C4r", what: "sent", max: MB, of: "value" },
  { case: "C5a", what: ", dsync", max: 0.6, of: "rsync" },
  { case: "C5a", what: "sent", max: 2 * MB, of: "value" },
  { case: "C5b", what: ", dsync", max: 0.6, of: "rsync" },
  { case: "C5b", what: "sent", max: MB, of: "value" },
  { case: "C6", what: ", dsync", max: 1_500, of: "value" },
  { case: "C6i", what: "memory", max: 120, of: "value" },
  { case: "C6i", what: "CPU", max: 0.3, of: "value" },
  { case: "C7", what: ", dsync", max: 1, of: "ssh" },
  { case: "C8", what: JOINS, max: 1.03, of: "rsync" },
  { case: "C8z", what: JOINS, max: 0.9, of: "rsync-z" },
  { case: "C8z", what: JOINS, max: 1.03, of: "rsync" },
  { case: "C9", what: "relative", max: 2, of: "value" },
  { case: "C9", what: "with -a", max: 600, of: "value" },
  { case: "C9", what: "over mDNS", max: 1_000, of: "value" },
  { case: "M8", what: "sent", max: 2, of: "value" },
  { case: "M8", what: "relative to 7", max: 1.3, of: "value" },
];

/** A goal of one row. */
export interface Judgement {
  /** `≤ 1.4 × rsync from its daemon`. */
  readonly text: string;
  /** `unknown`: what it is compared with was not measured. */
  readonly result: "met" | "missed" | "unknown";
}

/** A goal, and one of the rows that it is about. */
export interface Checked extends Judgement {
  readonly case: string;
  /** The row's description; what it would hold, if there is no such row. */
  readonly what: string;
  readonly hasRow: boolean;
}

/** Every goal of these cases, with each of its rows, or once without. */
export function checkAll(cases: ReadonlySet<string>, rows: readonly Row[]): readonly Checked[] {
  return GOALS.filter((goal) => cases.has(goal.case)).flatMap((goal): Checked[] => {
    const own = rows.filter((row) => isAbout(goal, row));
    if (own.length > 0)
      return own.map((row) => {
        const { text, result } = judgeOne(goal, row, rows);
        return { case: row.case, what: row.what, hasRow: true, text, result };
      });
    return [{ case: goal.case, what: goal.what, hasRow: false, text: textOf(goal), result: "unknown" }];
  });
}

/** `rows`: of the whole run. */
export function judge(row: Row, rows: readonly Row[]): readonly Judgement[] {
  return GOALS.filter((goal) => isAbout(goal, row)).map((goal) => judgeOne(goal, row, rows));
}

function isAbout(goal: Goal, row: Row): boolean {
  return goal.case === row.case && row.what.includes(goal.what);
}

function judgeOne(goal: Goal, row: Row, rows: readonly Row[]): Judgement {
  const value = valueFor(goal, row, rows);
  const isMet = value !== undefined && value <= goal.max;
  return { text: textOf(goal, row), result: value === undefined ? "unknown" : isMet ? "met" : "missed" };
}

function valueFor({ of }: Goal, row: Row, rows: readonly Row[]): number | undefined {
  if (of === "value") return row.value;
  if (typeof of === "string") return row.ratios?.[of];
  const other = rows.find((one) => one.case === of.case && one.what.endsWith(of.ending));
  return other === undefined ? undefined : row.value / other.value;
}

function textOf({ max, of }: Goal, row?: Row): string {
  if (of === "value") return `≤ ${max}${row === undefined ? "" : ` ${row.unit}`}`;
  if (typeof of !== "string") return `≤ ${max} × ${of.case}`;
  return `≤ ${max} × ${[...PEERS, rsyncCompressed].find(({ against }) => against === of)?.label}`;
}
