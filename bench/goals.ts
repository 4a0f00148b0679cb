// What is aimed at: the most that a row may show, as a ratio to rsync's daemon in the same run or as a value.

import type { Row } from "./cases.ts";

interface Goal {
  readonly case: string;
  /** What the row's description holds. */
  readonly what: string;
  readonly max: number;
  readonly of: "rsync" | "value";
}

const MB = 1e6;

const GOALS: readonly Goal[] = [
  { case: "C1", what: "joins", max: 1.4, of: "rsync" },
  { case: "C1", what: "peak memory", max: 150, of: "value" },
  { case: "C2", what: "peak memory", max: 150, of: "value" },
  { case: "C4", what: "median", max: 12, of: "value" },
  { case: "C4", what: "95 %", max: 25, of: "value" },
  { case: "C4d", what: "median", max: 12, of: "value" },
  { case: "C4d", what: "95 %", max: 25, of: "value" },
  { case: "C4m", what: "median", max: 12, of: "value" },
  { case: "C4m", what: "95 %", max: 25, of: "value" },
  { case: "C4r", what: "95 %", max: 25, of: "value" },
  { case: "C4r", what: "sent", max: MB, of: "value" },
  { case: "C5a", what: "sent", max: 2 * MB, of: "value" },
  { case: "C5a", what: "dsync", max: 0.6, of: "rsync" },
  { case: "C5b", what: "sent", max: MB, of: "value" },
  { case: "C5b", what: "dsync", max: 0.6, of: "rsync" },
  { case: "C6", what: "start", max: 1_500, of: "value" },
  { case: "C6i", what: "memory", max: 120, of: "value" },
  { case: "C6i", what: "CPU", max: 0.3, of: "value" },
  { case: "C9", what: "two fresh", max: 600, of: "value" },
];

/** The goal of a row, and whether it is met; `undefined` if it has none. */
export function goalOf(row: Row): { readonly text: string; readonly isMet: boolean } | undefined {
  const goal = GOALS.find((one) => one.case === row.case && row.what.includes(one.what));
  if (goal === undefined) return undefined;
  const value = goal.of === "rsync" ? row.toRsync : row.value;
  const unit = goal.of === "rsync" ? "×" : row.unit;
  return { text: `≤ ${goal.max} ${unit}`, isMet: value !== undefined && value <= goal.max };
}
