// What `dsync doctor` prints as text. Pure: everything that a peer or the file system chose is escaped here.

import { escapeForTerminal as escape } from "../core/escape.ts";
import type { Finding } from "./finding.ts";
import { plural } from "./format.ts";

/** One line per finding, and one below it that says what to type. */
export function doctorText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ verdict, text, remedy }) => [
    `${verdict.padEnd(7)}  ${escape(text)}`,
    ...(remedy === null ? [] : [`         → ${escape(remedy)}`]),
  ]);
  const count = (wanted: Finding["verdict"]): number => findings.filter(({ verdict }) => verdict === wanted).length;
  const problems = count("problem");
  const summary = problems === 0 ? "No problems" : plural(problems, "problem");
  return [...lines, "", `${summary}, ${plural(count("warning"), "warning")}.`, ""].join("\n");
}
