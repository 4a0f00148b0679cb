// What is going to happen in one simulation, as plain values drawn from its seed: so that a failing run can be made
// smaller by leaving parts of the plan out.

import { Prng } from "../support/seeded.ts";
import type { DiskQuirks } from "../support/memory-disk.ts";
import { PERSON_ACTIONS, type PersonAction } from "./person.ts";
import { RELIABLE_WATCHER, type WatcherFaults } from "./watcher.ts";

export interface MachinePlan {
  readonly skewMs: number;
  readonly quirks: Partial<DiskQuirks>;
  readonly watcher: WatcherFaults;
}

/** `atMs`: from the beginning of its phase. `choices` are read against what is on the disk at that moment. */
export type Happening = { readonly atMs: number; readonly machine: number } & (
  | {
      readonly kind: "person";
      readonly action: PersonAction;
      readonly choices: readonly number[];
      /** Not at once, but in the middle of what dsync does: after so many of its file-system calls. */
      readonly afterCalls: number | undefined;
    }
  /** `losesPower`: what was not flushed is damaged. */
  | { readonly kind: "crash"; readonly afterCalls: number; readonly downMs: number; readonly losesPower: boolean }
  | { readonly kind: "restart"; readonly downMs: number }
  | { readonly kind: "call-fails"; readonly code: string; readonly afterCalls: number }
  | { readonly kind: "disk-full"; readonly freeBytes: number; readonly forMs: number }
  | { readonly kind: "read-only"; readonly forMs: number }
  | { readonly kind: "partition"; readonly other: number; readonly forMs: number }
  | { readonly kind: "cut"; readonly other: number }
);

export interface Plan {
  readonly seed: number;
  readonly machines: readonly MachinePlan[];
  readonly latencyMsMax: number;
  /** The last machine reaches the first only through the one between them. */
  readonly isChain: boolean;
  /** The index takes a while to write what it is given (CrashableTables). */
  readonly commitsSlowly: boolean;
  /** Between two phases everything gets quiet. */
  readonly phases: readonly (readonly Happening[])[];
}

const PHASE_MS = 4_000;
const CALL_ERRORS: readonly [string, ...string[]] = ["EIO", "EBUSY", "EACCES", "EMFILE", "ENOSPC"];
const HOUR_MS = 3_600_000;

export interface PlanOptions {
  /** Every other crash takes the power away. */
  readonly powerLoss?: boolean;
  /** See Plan. */
  readonly slowCommits?: boolean;
}

/** What makes `npm run sim` simulate with these options, each with a space before it. */
export function flagsOf({ powerLoss = false, slowCommits = false }: PlanOptions): string {
  return `${powerLoss ? " --power-loss" : ""}${slowCommits ? " --slow-commits" : ""}`;
}

/** The plan that a seed stands for. */
export function planOf(seed: number, { powerLoss = false, slowCommits = false }: PlanOptions = {}): Plan {
  const random = new Prng(seed);
  const count = 2 + random.below(2);
  const isFaulty = random.below(4) > 0;
  const machines = Array.from({ length: count }, () => machinePlan(random));
  // From numbers of its own: what a seed meant before stays.
  const more = new Prng(seed ^ 0x2545f491);
  const phases = Array.from({ length: 1 + random.below(3) }, () => {
    const people = Array.from({ length: 2 + random.below(24) }, () => personHappening(random, count));
    const faults = Array.from({ length: isFaulty ? random.below(5) : 0 }, () =>
      faultHappening(random, count, powerLoss),
    );
    const spells = isFaulty && more.below(4) === 0 ? [readOnlySpell(more, count)] : [];
    return [...people, ...faults, ...spells].toSorted((a, b) => a.atMs - b.atMs);
  });
  const coarse = machines.map((machine, index) => (index === 0 ? machine : withCoarseDisk(machine, more)));
  const isChain = count > 2 && more.below(3) === 0;
  return {
    seed,
    // Who passes things on must be able to hold them.
    machines: coarse.map((machine, index) => (isChain && index === 1 ? tellingCases(machine) : machine)),
    latencyMsMax: random.pick([2, 20, 200, 1000]),
    isChain,
    commitsSlowly: slowCommits,
    phases,
  };
}

/** Not the first machine: its tree is what the others are held against. */
function withCoarseDisk({ quirks, watcher, ...machine }: MachinePlan, random: Prng): MachinePlan {
  const ignoresCase = random.below(4) === 0;
  const timeStepNs = random.pick([1n, 1n, 1n, 2_000_000_000n]);
  const overflowing = random.pick([0, 0, 0, 30]);
  return { ...machine, quirks: { ...quirks, ignoresCase, timeStepNs }, watcher: { ...watcher, overflowing } };
}

function tellingCases(machine: MachinePlan): MachinePlan {
  return { ...machine, quirks: { ...machine.quirks, ignoresCase: false } };
}

function readOnlySpell(random: Prng, count: number): Happening {
  return { atMs: random.below(PHASE_MS), machine: random.below(count), kind: "read-only", forMs: random.below(20_000) };
}

function machinePlan(random: Prng): MachinePlan {
  const quirks: Partial<DiskQuirks> = {
    hasNoLinks: random.below(6) === 0,
    reusesInodes: random.below(2) === 0,
    decomposesNames: random.below(6) === 0,
    tickNs: random.pick([1n, 1n, 4_000_000n, 10_000_000n]),
  };
  const watcher: WatcherFaults =
    random.below(2) === 0
      ? RELIABLE_WATCHER
      : { dropped: random.below(200), doubled: random.below(300), late: random.below(100), overflowing: 0 };
  const skewMs = random.pick([0, 0, 3_000, -HOUR_MS, 24 * HOUR_MS, -10 * 365 * 24 * HOUR_MS]);
  return { skewMs, quirks, watcher };
}

function personHappening(random: Prng, count: number): Happening {
  // Some at the same time as others, most in bursts: that is when things collide.
  const atMs = random.below(3) * 1_000 + random.below(random.pick([20, 300, 1_000]));
  return {
    kind: "person",
    atMs,
    machine: random.below(count),
    action: random.pick(PERSON_ACTIONS),
    choices: Array.from({ length: 6 }, () => random.below(2 ** 30)),
    afterCalls: random.below(3) === 0 ? random.below(40) : undefined,
  };
}

function faultHappening(random: Prng, count: number, powerLoss: boolean): Happening {
  const machine = random.below(count);
  const base = { atMs: random.below(PHASE_MS), machine };
  const other = (machine + 1 + random.below(count - 1)) % count;
  switch (random.below(7)) {
    case 0:
    case 1:
      return {
        ...base,
        kind: "crash",
        afterCalls: random.below(60),
        downMs: random.below(20_000),
        losesPower: powerLoss && base.atMs % 2 === 0,
      };
    case 2:
      return { ...base, kind: "restart", downMs: random.below(5_000) };
    case 3:
      return { ...base, kind: "call-fails", code: random.pick(CALL_ERRORS), afterCalls: random.below(60) };
    case 4:
      return { ...base, kind: "disk-full", freeBytes: random.below(5_000), forMs: random.below(10_000) };
    case 5:
      return { ...base, kind: "partition", other, forMs: random.below(random.pick([500, 5_000, 60_000])) };
    default:
      return { ...base, kind: "cut", other };
  }
}
