// `npm run bench:profile -- C2`: where the CPU time of both instances goes in a case, by thread and part of the program.
// Linux only. The clock and the counting begin when the case's own clock does.
//
// A profile says in which share of its samples a thread was where; how much CPU it took comes from the kernel, since a
// thread that waits for a core is sampled as well. Profiling itself takes some of it.

import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import type { Machine } from "../test/support/machines.ts";
import { IDLE, timesByPart, type Span } from "./cpu-profile.ts";
import { changeTen, completenessOf, fill, overwriteInside, writeMany } from "./data.ts";
import { until } from "./measure.ts";
import { Pair } from "./pair.ts";
import { copyTree } from "./peers/copy.ts";
import { surroundingsOf, headingOf } from "./surroundings.ts";
import { alignedTable } from "./table.ts";

/** As the compiler leaves it: each function is in its own file. */
const MAIN = fileURLToPath(new URL("../src/main.js", import.meta.url));

interface Profiled {
  readonly what: string;
  /** Fills the first folder, and brings both instances to where the clock starts. */
  readonly prepare: (pair: Pair, program: readonly string[]) => Promise<void>;
  /** From when the clock starts. */
  readonly act: (pair: Pair, program: readonly string[]) => Promise<void>;
}

const CASES: Readonly<Record<string, Profiled>> = {
  C1: firstSync("1 GiB", fill.C1),
  C1z: firstSync("1 GiB of text", fill.C1z),
  C2: firstSync("10,000 × 4 KiB", fill.C2),
  C2x: firstSync("100,000 × 1 KiB", fill.C2x),
  C3: firstSync("45,000 entries, 860 MB", fill.C3),
  C5a: {
    what: "1 MiB overwritten in 1 GiB",
    prepare: async (pair, program) => {
      fill.C5(join(pair.a.folder, "image"));
      await startAndSync(pair, program);
    },
    act: async ({ a, b }) => {
      const [here, there] = [a, b].map(({ folder }) => join(folder, "image")) as [string, string];
      overwriteInside(here, 0);
      await until(() => Math.abs(fs.statSync(here).mtimeMs - fs.statSync(there).mtimeMs) < 0.01, 5);
    },
  },
  C6: {
    what: "a start with 100,000 files in sync, 10 changed",
    prepare: async (pair, program) => {
      fill.C6(pair.a.folder);
      await startAndSync(pair, program);
      await Promise.all([pair.a.stop(), pair.b.stop()]);
      changeTen(pair.a.folder);
    },
    act: async (pair, program) => {
      await startBoth(pair, program);
      await until(() => fs.readFileSync(join(pair.b.folder, "dir9/file0"), "utf8") === "changed 9", 10);
      await pair.b.instance.waitForSync();
    },
  },
  C7: {
    what: "2,000 × 10 KiB at once",
    prepare: async (pair, program) => {
      writeMany(join(pair.base, "burst"), { directories: 1, filesEach: 2000, bytes: 10 * 1024 });
      await startAndSync(pair, program);
    },
    act: async (pair) => {
      const source = join(pair.base, "burst");
      await copyTree(source, pair.a.folder);
      await until(completenessOf(source)(pair.b.folder), 5);
    },
  },
};

function firstSync(what: string, fillFolder: (folder: string) => void): Profiled {
  return {
    what: `${what}, joining`,
    prepare: async ({ a }, program) => {
      fillFolder(a.folder);
      await a.start({ program });
      await a.instance.waitForEvent("progress", {
        where: ({ scanning, entries }) => scanning === false && Number(entries) > 0,
      });
    },
    act: async ({ a, b }, program) => {
      const isComplete = completenessOf(a.folder)(b.folder);
      b.launch({ program, peers: [a.instance.port], args: ["--quiet"] });
      await until(isComplete, 10);
    },
  };
}

async function startBoth({ a, b }: Pair, program: readonly string[]): Promise<void> {
  await a.start({ program });
  await b.start({ program, peers: [a.instance.port] });
}

async function startAndSync(pair: Pair, program: readonly string[]): Promise<void> {
  const isComplete = completenessOf(pair.a.folder)(pair.b.folder);
  await startBoth(pair, program);
  await until(isComplete, 50);
  await pair.b.instance.waitForSync();
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { dir: { type: "string" } }, allowPositionals: true });
  const names = positionals.length > 0 ? positionals : Object.keys(CASES);
  const base = values.dir ?? (fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
  const scratch = fs.mkdtempSync(join(base, "dsync-profile-"));
  process.once("exit", () => fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  console.log(headingOf(surroundingsOf(scratch, [])));
  for (const name of names) {
    const profiled = CASES[name];
    if (profiled === undefined) throw new Error(`There is no profile of ${name}: ${Object.keys(CASES).join(", ")}`);
    console.log(`\n${await profile(name, profiled, scratch)}`);
  }
}

/** CPU time so far, in ms: of the main thread, and of all others. */
interface Spent {
  readonly mainMs: number;
  readonly othersMs: number;
}

const NOTHING: Spent = { mainMs: 0, othersMs: 0 };

async function profile(name: string, { what, prepare, act }: Profiled, scratch: string): Promise<string> {
  const directory = join(scratch, "profiles");
  const program = [process.execPath, "--cpu-prof", "--cpu-prof-dir", directory, MAIN];
  const pair = new Pair(scratch);
  try {
    await prepare(pair, program);
    const before = new Map([pair.a, pair.b].filter(({ isRunning }) => isRunning).map((one) => [one, spentBy(one)]));
    const fromUs = nowUs();
    await act(pair, program);
    const span = { fromUs, toUs: nowUs() };
    const spent = [pair.a, pair.b].map((one) => since(before.get(one) ?? NOTHING, spentBy(one)));
    const pids = [pair.a, pair.b].map(({ instance }) => instance.pid);
    // Profiles are written at the end.
    await Promise.all([pair.a.stop(), pair.b.stop()]);
    const columns = spent.flatMap(({ mainMs, othersMs }, index) => {
      const side = ["first", "second"][index] ?? "";
      const files = fs.readdirSync(directory).filter((file) => file.split(".")[3] === String(pids[index]));
      const [main, workers] = [true, false].map((isMain) => files.filter((file) => isOfMain(file) === isMain));
      const read = (some: readonly string[] = []): ReadonlyMap<string, number> => sharesIn(some, directory, span);
      return [
        { head: `${side}, main`, cpuMs: mainMs, shares: read(main) },
        { head: `${side}, others`, cpuMs: othersMs, shares: read(workers) },
      ];
    });
    const tookMs = (span.toUs - span.fromUs) / 1000;
    const cpuMs = columns.reduce((sum, column) => sum + column.cpuMs, 0);
    const heading = `${name}, ${what}: ${ms(tookMs)} ms, in which ${ms(cpuMs)} ms of CPU were taken (profiled)`;
    return `${heading}\n\n${tableOf(columns)}`;
  } finally {
    await pair.remove();
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function spentBy({ instance: { pid } }: Machine): Spent {
  let [mainMs, othersMs] = [0, 0];
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    const spentMs = Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
    if (Number(thread) === pid) mainMs = spentMs;
    else othersMs += spentMs;
  }
  return { mainMs, othersMs };
}

function since(before: Spent, after: Spent): Spent {
  return { mainMs: after.mainMs - before.mainMs, othersMs: after.othersMs - before.othersMs };
}

/** `CPU.<date>.<time>.<pid>.<thread>.<serial>.cpuprofile` */
function isOfMain(file: string): boolean {
  return file.split(".")[4] === "0";
}

/** By part of the program: its share of the samples in which the threads were not idle. */
function sharesIn(files: readonly string[], directory: string, span: Span): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const file of files) {
    for (const [part, took] of timesByPart(join(directory, file), span)) times.set(part, (times.get(part) ?? 0) + took);
  }
  times.delete(IDLE);
  const sum = [...times.values()].reduce((all, took) => all + took, 0);
  return new Map([...times].map(([part, took]) => [part, took / sum]));
}

interface Column {
  readonly head: string;
  readonly cpuMs: number;
  readonly shares: ReadonlyMap<string, number>;
}

/** In ms of CPU, the largest first. */
function tableOf(columns: readonly Column[]): string {
  const parts = new Set(columns.flatMap(({ shares }) => [...shares.keys()]));
  const rows = [...parts].map((part) => ({
    part,
    times: columns.map(({ cpuMs, shares }) => cpuMs * (shares.get(part) ?? 0)),
  }));
  const sum = (times: readonly number[]): number => times.reduce((all, took) => all + took, 0);
  const all = sum(columns.map(({ cpuMs }) => cpuMs));
  const line = (part: string, times: readonly number[]): string[] => [
    part,
    ...times.map(ms),
    ms(sum(times)),
    `${((100 * sum(times)) / all).toFixed(0)} %`,
  ];
  const lines = rows.toSorted((a, b) => sum(b.times) - sum(a.times)).map(({ part, times }) => line(part, times));
  const total = columns.map(({ cpuMs }) => cpuMs);
  return alignedTable([["ms of CPU", ...columns.map(({ head }) => head), "all", ""], ...lines, line("all", total)]);
}

function ms(value: number): string {
  return value.toFixed(0);
}

await main();
