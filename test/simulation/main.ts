// `npm run sim -- --seed N` replays one simulation; `npm run sim -- --for 10m` explores new ones and prints those that fail.
// With `--shrink`, the plan of what fails is made smaller and printed.

import { parseArgs } from "node:util";
import { flagsOf, planOf, type PlanOptions } from "./plan.ts";
import { shrink, type Shrunk } from "./shrink.ts";
import { simulate, type Outcome } from "./simulation.ts";

const MS_PER_HOUR = 3_600_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: MS_PER_HOUR };
/** For each failing seed, while exploring. */
const SHRINK_MS_MAX = 60_000;
const SEED_MAX = 2 ** 31;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    for: { type: "string" },
    from: { type: "string" },
    shrink: { type: "boolean", default: false },
    "power-loss": { type: "boolean", default: false },
    "slow-commits": { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});
const options: PlanOptions = { powerLoss: values["power-loss"], slowCommits: values["slow-commits"] };

if (values.seed !== undefined) process.exitCode = await replay(Number(values.seed));
else process.exitCode = await explore(durationMs(values.for ?? "1m"), Number(values.from ?? Date.now() % SEED_MAX));

async function replay(seed: number): Promise<number> {
  const plan = planOf(seed, options);
  const outcome = await simulate(plan, { keepsLines: values.trace });
  for (const line of outcome.lines) console.log(line);
  report(seed, outcome);
  if (outcome.failures.length > 0 && values.shrink) {
    const shrunk = await shrink(plan);
    for (const line of shrunk.outcome.lines) console.log(line);
    printShrunk(shrunk);
  }
  return outcome.failures.length > 0 ? 1 : 0;
}

async function explore(forMs: number, first: number): Promise<number> {
  const endMs = performance.now() + forMs;
  const failing: number[] = [];
  let [events, simulatedMs] = [0, 0];
  let seed = first;
  for (; performance.now() < endMs; seed++) {
    const plan = planOf(seed, options);
    const outcome = await simulate(plan);
    events += outcome.events;
    simulatedMs += outcome.simulatedMs;
    if (outcome.failures.length === 0) continue;
    failing.push(seed);
    report(seed, outcome);
    if (values.shrink) printShrunk(await shrink(plan, { forMsMax: SHRINK_MS_MAX }));
    else console.log(`  shrink with: npm run sim -- --seed ${seed}${flagsOf(options)} --shrink`);
  }
  const count = `${seed - first} simulations from seed ${first}`;
  const extent = `${events} events in ${(simulatedMs / MS_PER_HOUR).toFixed(1)} simulated hours`;
  console.log(`${count}, ${extent}; ${failing.length} failed: ${failing.join(" ")}`);
  return failing.length > 0 ? 1 : 0;
}

function printShrunk({ plan, outcome }: Shrunk): void {
  console.log(JSON.stringify(plan, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value), 1));
  report(plan.seed, outcome);
}

function report(seed: number, { failures, digest, events, simulatedMs }: Outcome): void {
  const verdict = failures.length === 0 ? "passes" : "FAILS";
  console.log(
    `seed ${seed} ${verdict}: trace ${digest}, ${events} events, ${Math.round(simulatedMs / 1000)} simulated s`,
  );
  for (const failure of failures) console.log(`  ${failure}`);
}

function durationMs(text: string): number {
  const [, number, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) throw new Error(`${text} is no duration such as 30s or 10m.`);
  return Number(number) * (UNIT_MS[unit] ?? 0);
}
