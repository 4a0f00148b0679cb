// Shares the lines of a terminal among the parts of the live view, so that each shows what matters most. Pure.

import { span, type StyledLine } from "./styled-line.ts";
import { plural } from "./format.ts";

/** A part of the view; one without lines is left out. */
export interface Section {
  readonly title: string;
  /** The most important first. */
  readonly lines: readonly StyledLine[];
  /** As many as it gets before any other part gets more than its own. */
  readonly linesMin: number;
}

const BLANK: StyledLine = [];

/** `sections`: the most important first, in the order in which they are shown. At most `rows` lines. */
export function layOut(sections: readonly Section[], rows: number): readonly StyledLine[] {
  const shown = sections.filter(({ lines }) => lines.length > 0);
  const counts = shown.map(() => 0);
  let left = rows;
  // A title alone says nothing: a part begins with its title and one line.
  for (const [index, { lines, linesMin }] of shown.entries()) {
    const count = Math.min(lines.length, linesMin, left - 1);
    if (count < 1) break;
    counts[index] = count;
    left -= count + 1;
  }
  for (const [index, { lines }] of shown.entries()) {
    const count = counts[index] ?? 0;
    if (count === 0) continue;
    const more = Math.min(lines.length - count, left);
    counts[index] = count + more;
    left -= more;
  }
  const parts = shown.map((section, index) => cut(section, counts[index] ?? 0)).filter((lines) => lines.length > 0);
  const isAiry = left >= parts.length;
  return parts.flatMap((lines) => (isAiry ? [BLANK].concat(lines) : lines));
}

function cut({ title, lines }: Section, count: number): readonly StyledLine[] {
  if (count === 0) return [];
  const missing = lines.length - count;
  const more = missing > 0 ? [span(`  … ${plural(missing, "more line")}`, "faint")] : [];
  return [[span(title, "strong"), ...more], ...lines.slice(0, count)];
}
