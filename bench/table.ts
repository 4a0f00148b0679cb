// The results as a table in Markdown, as bench/README.md has it. A column that no row has anything for is left out.

import { judge } from "./goals.ts";
import type { Against, Row } from "./row.ts";

const RATIOS: Readonly<Record<Against, string>> = {
  floor: "to floor",
  rsync: "to rsync daemon",
  "rsync-z": "to rsync -z",
  ssh: "to rsync ssh",
  unison: "to Unison",
  syncthing: "to Syncthing",
  cp: "to cp",
};

export function tableOf(rows: readonly Row[]): string {
  const references = (Object.keys(RATIOS) as Against[]).filter((against) =>
    rows.some(({ ratios }) => ratios?.[against] !== undefined),
  );
  const head = ["case", "what", "value", ...references.map((against) => RATIOS[against]), "goal"];
  const lines = rows.map((row) => {
    const ratios = references.map((against) => ratioText(row.ratios?.[against]));
    const goals = judge(row, rows).map(({ text, result }) => `${text} ${result}`);
    return [row.case, row.what, valueText(row), ...ratios, goals.join("; ")];
  });
  return alignedTable([head, ...lines]);
}

/** A table in Markdown, the first line its head, aligned as the formatter leaves it. */
export function alignedTable([head = [], ...lines]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]?.length ?? 0)));
  const text = (line: readonly string[], fill = " "): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(" | ")} |`;
  const rule = head.map(() => "");
  return [text(head), text(rule, "-"), ...lines.map((line) => text(line))].join("\n");
}

function valueText({ value, unit }: Row): string {
  const digits = unit === "bytes" ? 0 : unit === "×" ? 2 : 1;
  return `${value.toFixed(digits)} ${unit}`;
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? "" : `${ratio.toFixed(2)} ×`;
}
