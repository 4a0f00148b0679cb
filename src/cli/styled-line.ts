// One line of a terminal as pieces with a style each, cut to a width, with or without colour. Pure.

import { assertNever } from "../core/assert.ts";
import { columnsOfText, fitColumns } from "./text-width.ts";

export type Style = "plain" | "strong" | "faint" | "good" | "busy" | "bad";

/** `text` is escaped already. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type StyledLine = readonly Span[];

export function span(text: string, style: Style = "plain"): Span {
  return { text, style };
}

export function columnsOfLine(line: StyledLine): number {
  return line.reduce((columns, { text }) => columns + columnsOfText(text), 0);
}

/** At most `columns` wide. Without `color` there is no escape sequence in it. */
export function paint(line: StyledLine, columns: number, color: boolean): string {
  let left = columns;
  let painted = "";
  for (const { text, style } of line) {
    const fitted = fitColumns(text, left);
    left -= columnsOfText(fitted);
    painted += color && fitted !== "" ? `${codeOf(style)}${fitted}${style === "plain" ? "" : "\x1b[0m"}` : fitted;
    if (fitted !== text) break;
  }
  return color ? painted : painted.trimEnd();
}

/** Colours of the terminal's own palette: readable on light and dark. */
function codeOf(style: Style): string {
  switch (style) {
    case "plain":
      return "";
    case "strong":
      return "\x1b[1m";
    case "faint":
      return "\x1b[2m";
    case "good":
      return "\x1b[32m";
    case "busy":
      return "\x1b[36m";
    case "bad":
      return "\x1b[31m";
    default:
      return assertNever(style);
  }
}
