// A few simulations with every change; `npm run sim` explores many more.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { testSeed } from "../support/seeded.ts";
import { flagsOf, planOf, type PlanOptions } from "./plan.ts";
import { simulate } from "./simulation.ts";

/** Seeds that found something once; what they found is in the message of the commit that added them. */
const KEPT = [
  4, 14, 21, 27, 32, 41, 137, 170, 181, 244, 377, 436, 1079, 5128, 209, 320, 20778001, 500093, 500386, 500673, 501043,
  501172, 501261, 501292, 701279, 702574, 703094, 703531, 704184, 704574, 800390, 800576, 800827, 810274, 820545,
  900759, 902886, 920733, 970807, 3002353, 3003897, 3102657, 6201283, 7105060, 7104852, 8100423, 9102627, 9811665,
  9950997, 10100998, 10301557, 10704711, 12703929, 12900931, 13901964, 14201476, 14202343, 14203932, 14402523, 14405769,
  14813190, 14815280, 31415013,
];
/** The same, with power loss. */
const KEPT_WITH_POWER_LOSS = [
  429, 445, 459, 470, 600043, 600053, 600133, 600179, 600234, 600344, 600432, 600517, 600810, 600997, 601031, 800489,
  810482, 830169, 834052, 836230, 920443, 921480, 921690, 920720, 922832, 923314, 940210, 940847, 941298, 932015,
  936107, 960331, 960766, 961210, 923124, 934356, 934941, 961876, 980809, 981135, 936502, 936816, 1103112, 3202806,
  3203468, 4102697, 4103118, 5004919, 6000137, 6001909, 7001411, 7500352, 7301904, 8001292, 8001147, 9014905, 9015566,
  9901649, 10200366, 10404493, 10604049, 10802080, 12002622, 12005151, 12202970, 12401010, 12601676, 12604502, 13001184,
  13300668, 14305439, 14500649,
];
/** The same, with an index that takes a while to write what it is given. */
const KEPT_WITH_SLOW_COMMITS = [1000096, 1000152, 15607175, 15607556, 15800053, 15906509, 16500378, 16501598];
/** The same, with both. */
const KEPT_WITH_BOTH = [16009560, 16412464];
/** Each of them is simulated twice, and held against the next seed, which must leave another trace. */
const SEEDS_RUN_TWICE = [
  { seed: 41, powerLoss: false },
  { seed: 501_261, powerLoss: false },
  { seed: 920_443, powerLoss: true },
];
const MAIN = fileURLToPath(new URL("main.js", import.meta.url));
const CHILD_MS_MAX = 60_000;
const MS_PER_DAY = 86_400_000;

async function check(seed: number, options: PlanOptions = {}): Promise<void> {
  const { failures } = await simulate(planOf(seed, options));
  assert.deepEqual(failures, [], `replay with: npm run sim -- --seed ${seed}${flagsOf(options)} --trace`);
}

for (const seed of KEPT) test(`simulation ${seed}`, () => check(seed));
for (const seed of KEPT_WITH_POWER_LOSS)
  test(`simulation ${seed} with power loss`, () => check(seed, { powerLoss: true }));
for (const seed of KEPT_WITH_SLOW_COMMITS)
  test(`simulation ${seed} with slow commits`, () => check(seed, { slowCommits: true }));
for (const seed of KEPT_WITH_BOTH)
  test(`simulation ${seed} with both`, () => check(seed, { powerLoss: true, slowCommits: true }));

test("a simulation that nobody has seen before", async (context) => {
  // Another one each day: what fails can still be looked into tomorrow.
  const seed = testSeed(Math.floor(Date.now() / MS_PER_DAY) * 1_000);
  context.diagnostic(`seeds ${seed} and ${seed + 1}, and ${seed} with power loss and slow commits`);
  await check(seed);
  await check(seed + 1, { slowCommits: true });
  await check(seed, { powerLoss: true, slowCommits: true });
});

for (const { seed, powerLoss } of SEEDS_RUN_TWICE) {
  test(`the same seed leaves the same trace: ${seed}${powerLoss ? " with power loss" : ""}`, async () => {
    const first = await simulate(planOf(seed, { powerLoss }));
    const second = await simulate(planOf(seed, { powerLoss }));
    assert.equal(first.digest, second.digest);
    assert.ok(first.events > 100);
    const other = await simulate(planOf(seed + 1, { powerLoss }));
    assert.notEqual(first.digest, other.digest);
  });
}

test("a process of its own leaves the same trace, whatever was simulated before", async () => {
  const { digest, events } = await simulate(planOf(320));
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "--seed", "320"], { timeout: CHILD_MS_MAX });
  assert.match(stdout, new RegExp(`^seed 320 passes: trace ${digest}, ${events} events,`));
});
