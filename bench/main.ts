// `npm run bench`: runs the cases, prints a table, and writes the numbers as JSON.
// Usage: npm run bench -- [--runs N] [--dir DIRECTORY] [--check] [case ...]
// --check: exit code 1 if a goal is missed. A goal that could not be checked here is named and does not count.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { burst, insides, moves } from "./changes.ts";
import { largeFile, largeText, manyFiles, project, smallFiles } from "./first-sync.ts";
import { checkAll, judge } from "./goals.ts";
import { manyPeers } from "./many-peers.ts";
import { overLink, textOverLink } from "./over-link.ts";
import { installedPeers, missingPeers } from "./peers/peers.ts";
import { writeResults } from "./results.ts";
import { Skipped, type Case, type LeftOut, type Row } from "./row.ts";
import { headingOf, surroundingsOf } from "./surroundings.ts";
import { tableOf } from "./table.ts";
import { idle, save, start } from "./waiting.ts";

interface Measured {
  /** Each can be asked for. */
  readonly cases: readonly string[];
  readonly run: Case;
}

/** What is measured together. */
const ALL: readonly Measured[] = [
  { cases: ["C1"], run: largeFile },
  { cases: ["C1z"], run: largeText },
  { cases: ["C2"], run: manyFiles },
  { cases: ["C2x"], run: smallFiles },
  { cases: ["C3"], run: project },
  { cases: ["C4"], run: save },
  { cases: ["C4d", "C4m", "C4r"], run: moves },
  { cases: ["C5a", "C5b"], run: insides },
  { cases: ["C6", "C6i"], run: idle },
  { cases: ["C7"], run: burst },
  { cases: ["C8"], run: overLink },
  { cases: ["C8z"], run: textOverLink },
  { cases: ["C9"], run: start },
  { cases: ["M8"], run: manyPeers },
];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      runs: { type: "string", default: "3" },
      dir: { type: "string" },
      check: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const wanted = positionals.length > 0 ? ALL.filter(({ cases }) => positionals.some(isOneOf(cases))) : ALL;
  const known = ALL.flatMap(({ cases }) => cases);
  for (const name of positionals)
    if (!isOneOf(known)(name)) throw new Error(`There is no case ${name}: ${known.join(", ")}`);
  for (const line of missingPeers()) console.log(line);
  const base = values.dir ?? (existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
  const scratch = mkdtempSync(join(base, "dsync-bench-"));
  // Whatever else was started or made ends or goes with this process, too; it may write until it has ended.
  const removal = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 };
  process.once("exit", () => rmSync(scratch, removal));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const missing: LeftOut[] = [];
  const leaveOut = (row: LeftOut): void => {
    missing.push(row);
    console.log(`${row.case}, ${row.what}: left out: ${row.why}`);
  };
  const setting = { scratch, runs: Number(values.runs), peers: installedPeers(), leaveOut };
  const surroundings = surroundingsOf(scratch, setting.peers);
  const begin = new Date();
  const rows: Row[] = [];
  for (const { cases, run } of wanted) {
    const name = cases.join(", ");
    const leaveOutAll = (why: string): void => {
      for (const one of cases) missing.push({ case: one, what: "", why });
    };
    const startMs = performance.now();
    try {
      rows.push(...(await run(setting)));
      console.log(`${name}: ${Math.round((performance.now() - startMs) / 1000)} s`);
    } catch (error) {
      if (error instanceof Skipped) {
        console.log(`${name}: skipped: ${error.message}`);
        leaveOutAll(error.message);
      } else {
        // What the other cases measured in many minutes is not thrown away.
        console.error(`${name}: failed:`, error);
        leaveOutAll("failed");
        process.exitCode = 1;
      }
    }
    // After each case: a run that is ended early leaves what it has.
    const judged = rows.map((row) => ({ ...row, goals: judge(row, rows) }));
    writeResults("last.json", {
      begin,
      machine: surroundings,
      directory: base,
      runs: setting.runs,
      rows: judged,
      missing,
    });
  }
  console.log(`\n${headingOf(surroundings)} --runs ${setting.runs}.\n\n${tableOf(rows)}`);
  if (values.check) check(new Set(wanted.flatMap(({ cases }) => cases)), rows, missing);
}

function isOneOf(cases: readonly string[]): (name: string) => boolean {
  return (name) => cases.includes(name);
}

function check(cases: ReadonlySet<string>, rows: readonly Row[], missing: readonly LeftOut[]): void {
  for (const { case: name, what, hasRow, text, result } of checkAll(cases, rows)) {
    const goal = `${name}, ${what}: ${text}`;
    if (!hasRow) {
      const why = missing.find((row) => row.case === name && (row.what === "" || row.what.includes(what)))?.why;
      console.log(`Not checked: ${goal}: ${why ?? "nothing measures it"}`);
      // Not this machine's fault.
      if (why === undefined) process.exitCode = 1;
    } else if (result === "unknown") console.log(`Not checked: ${goal}: that was not measured`);
    else if (result === "missed") {
      console.log(`Missed: ${goal}`);
      process.exitCode = 1;
    }
  }
}

await main();
