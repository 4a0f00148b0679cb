// `npm run bench`: runs the cases, prints a table, and writes the numbers as JSON.
// Usage: npm run bench -- [--runs N] [--dir DIRECTORY] [--check] [case ...]
// --check: exit code 1 if a goal is missed. A goal against something that is not installed is named and does not count.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { idle, save, start } from "./cases.ts";
import { burst, insides, moves } from "./changes.ts";
import { largeFile, largeText, manyFiles, project, smallFiles } from "./first-sync.ts";
import { judge } from "./goals.ts";
import { manyPeers } from "./many-peers.ts";
import { overLink, textOverLink } from "./over-link.ts";
import { installedPeers, missingPeers } from "./peers/peers.ts";
import { Skipped, type Case, type Row } from "./row.ts";
import { tableOf } from "./table.ts";

const CASES: Readonly<Record<string, Case>> = {
  C1: largeFile,
  C1z: largeText,
  C2: manyFiles,
  C2x: smallFiles,
  C3: project,
  C4: save,
  C4m: moves,
  C5: insides,
  C6: idle,
  C7: burst,
  C8: overLink,
  C8z: textOverLink,
  C9: start,
  M8: manyPeers,
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      runs: { type: "string", default: "3" },
      dir: { type: "string" },
      check: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const names = positionals.length > 0 ? positionals : Object.keys(CASES);
  const cases = names.map((name) => {
    const run = CASES[name];
    if (run === undefined) throw new Error(`There is no case ${name}: ${Object.keys(CASES).join(", ")}`);
    return { name, run };
  });
  for (const line of missingPeers()) console.log(line);
  const base = values.dir ?? (existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
  const scratch = mkdtempSync(join(base, "dsync-bench-"));
  // Whatever else was started or made ends or goes with this process, too.
  process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const setting = { scratch, runs: Number(values.runs), peers: installedPeers() };
  const rows: Row[] = [];
  for (const { name, run } of cases) {
    const startMs = performance.now();
    try {
      rows.push(...(await run(setting)));
      console.log(`${name}: ${Math.round((performance.now() - startMs) / 1000)} s`);
    } catch (error) {
      if (error instanceof Skipped) console.log(`${name}: skipped: ${error.message}`);
      else {
        // What the other cases measured in many minutes is not thrown away.
        console.error(`${name}: failed:`, error);
        process.exitCode = 1;
      }
    }
    // After each case: a run that is ended early leaves what it has.
    writeResults(rows, { directory: base, runs: setting.runs });
  }
  console.log(`\n${tableOf(rows)}`);
  if (values.check) check(rows);
}

function check(rows: readonly Row[]): void {
  for (const row of rows) {
    for (const { text, result } of judge(row, rows)) {
      if (result === "unknown") console.log(`Not checked, nothing to compare with: ${row.case}, ${row.what}: ${text}`);
      if (result !== "missed") continue;
      console.log(`Missed: ${row.case}, ${row.what}: ${text}`);
      process.exitCode = 1;
    }
  }
}

function writeResults(rows: readonly Row[], run: { readonly directory: string; readonly runs: number }): void {
  const results = new URL("../../bench/results/", import.meta.url);
  mkdirSync(results, { recursive: true });
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    memoryMb: Math.round(totalmem() / 1e6),
    kernel: release(),
    node: process.version,
  };
  const judged = rows.map((row) => ({ ...row, goals: judge(row, rows) }));
  const all = { at: new Date().toISOString(), machine, ...run, rows: judged };
  writeFileSync(new URL("last.json", results), JSON.stringify(all, undefined, 2));
}

await main();
