// `npm run bench`: runs the cases, prints a table, and writes the numbers as JSON.
// Usage: npm run bench -- [--runs N] [--dir DIRECTORY] [--check] [case ...]
// --check: exit code 1 if a goal is missed.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { idle, largeFile, manyFiles, save, smallFiles, start, type Case, type Row } from "./cases.ts";
import { burst, insides, moves } from "./changes.ts";
import { goalOf } from "./goals.ts";
import { isInstalled } from "./peers.ts";

const CASES: Readonly<Record<string, Case>> = {
  C1: largeFile,
  C2: manyFiles,
  C2x: smallFiles,
  C4: save,
  C4m: moves,
  C5: insides,
  C6: idle,
  C7: burst,
  C9: start,
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
  if (!isInstalled("rsync")) throw new Error("rsync is not installed: apt-get install rsync");
  const base = values.dir ?? (existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
  const scratch = mkdtempSync(join(base, "dsync-bench-"));
  const rows: Row[] = [];
  try {
    for (const name of positionals.length > 0 ? positionals : Object.keys(CASES)) {
      const run = CASES[name];
      if (run === undefined) throw new Error(`There is no case ${name}: ${Object.keys(CASES).join(", ")}`);
      console.log(`Running ${name} …`);
      rows.push(...(await run({ scratch, runs: Number(values.runs) })));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(tableOf(rows));
  const results = new URL("../../bench/results/", import.meta.url);
  mkdirSync(results, { recursive: true });
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version, directory: base };
  writeFileSync(new URL("last.json", results), JSON.stringify({ machine, rows }, undefined, 2));
  if (values.check && rows.some((row) => goalOf(row)?.isMet === false)) process.exitCode = 1;
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const ratio = (value: number | undefined): string => (value === undefined ? "" : `${value.toFixed(2)} ×`);
    const goal = goalOf(row);
    const aim = goal === undefined ? "" : `${goal.text} ${goal.isMet ? "met" : "missed"}`;
    return `| ${row.case} | ${row.what} | ${row.value.toFixed(1)} ${row.unit} | ${ratio(row.toRsync)} | ${ratio(row.toCopy)} | ${aim} |`;
  });
  const head = "| case | what | value | to rsync daemon | to cp | goal |";
  return [head, "|---|---|---|---|---|---|", ...lines].join("\n");
}

await main();
