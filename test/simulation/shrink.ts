// Makes a failing plan smaller: leaves out happenings as long as what is left still fails.

import type { Plan } from "./plan.ts";
import { simulate, type Outcome } from "./simulation.ts";

export interface Shrunk {
  readonly plan: Plan;
  readonly outcome: Outcome;
}

/** The smallest plan found that still fails, and how. `runsMax` and `forMsMax` bound the work. */
export async function shrink(plan: Plan, { runsMax = 300, forMsMax = Infinity } = {}): Promise<Shrunk> {
  const endMs = performance.now() + forMsMax;
  let best = plan;
  let runs = 0;
  const mayGoOn = (): boolean => runs < runsMax && performance.now() < endMs;
  let size = Math.ceil(countOf(plan) / 2);
  while (size >= 1 && mayGoOn()) {
    let isSmaller = false;
    for (let start = 0; start < countOf(best) && mayGoOn();) {
      const candidate = without(best, start, size);
      runs++;
      if ((await simulate(candidate)).failures.length > 0) {
        best = candidate;
        isSmaller = true;
      } else start += size;
    }
    if (size === 1 && !isSmaller) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  return { plan: best, outcome: await simulate(best, { keepsLines: true }) };
}

function countOf({ phases }: Plan): number {
  return phases.reduce((sum, phase) => sum + phase.length, 0);
}

/** The plan without `count` happenings from the one at `start` on, over all phases. */
function without(plan: Plan, start: number, count: number): Plan {
  let at = 0;
  const keep = (): boolean => {
    const isKept = at < start || at >= start + count;
    at++;
    return isKept;
  };
  return { ...plan, phases: plan.phases.map((phase) => phase.filter(() => keep())) };
}
