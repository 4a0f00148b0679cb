// Every history of three replicas at one path, up to a few changes, instead of random ones: agreement, nothing lost, no
// name without content for no reason, and nothing back that was replaced or deleted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EveryHistory, nameOf, type State } from "../../test/support/every-history.ts";
import type { Dot } from "./entry.ts";
import { dotsEqual } from "./merge.ts";
import { hasSeen } from "./version-vector.ts";

const HOUR_MS = 3_600_000;

interface Extent {
  readonly name: string;
  readonly skewsMs: readonly number[];
  readonly firstWriter: number | undefined;
  readonly changesMax: number;
  readonly waits: boolean;
}

const EQUAL = [0, 0, 0] as const;

/** With 5 changes there are 26 times as many states: minutes, and 1.6 GB of memory. */
const CHANGES_MAX = process.env["DSYNC_TEST_LARGE"] === undefined ? 4 : 5;

const EXTENTS: readonly Extent[] = [
  {
    name: `up to ${CHANGES_MAX} changes`,
    skewsMs: EQUAL,
    firstWriter: undefined,
    changesMax: CHANGES_MAX,
    waits: false,
  },
  { name: "up to 3 changes, present behind known", skewsMs: EQUAL, firstWriter: undefined, changesMax: 3, waits: true },
  {
    name: "up to 4 changes of a file made where the clock is an hour ahead",
    // In the middle, by replica ID, where ties with both others come out differently.
    skewsMs: [0, HOUR_MS, 0],
    firstWriter: 1,
    changesMax: 4,
    waits: false,
  },
];

for (const extent of EXTENTS) {
  test(`every history of 3 replicas with ${extent.name}: all agree, nothing is lost, vanishes or comes back`, (context) => {
    const histories = new EveryHistory({ ...extent, check: (state, history) => check(histories, state, history) });
    histories.run();
    context.diagnostic(`${histories.states} states, ${histories.steps} steps`);
    assert.ok(histories.states > 1_000);
  });
}

function check(histories: EveryHistory, state: State, history: string): void {
  const { replicas, copied } = histories.settled(state);
  const [first] = replicas;
  assert.ok(first !== undefined);
  for (const { known } of replicas) assert.equal(known, first.known, `no agreement after${history}`);
  const { live } = histories.entry(first.known);
  const kept = new Set([...state.overwritten, ...copied, ...(live === undefined ? [] : [nameOf(live.dot)])]);
  const changes = state.changes.map((change) => histories.entry(change));
  for (const { live: made } of changes) {
    if (made !== undefined) assert.ok(kept.has(nameOf(made.dot)), `${nameOf(made.dot)} is lost after${history}`);
  }
  if (live !== undefined) assertNotBack(histories, state, live.dot, history);
  if (live !== undefined || changes.length === 0) return;
  // A path is gone only if it was deleted, and nobody who had heard of that made it again.
  const isDeleted = changes.some(
    (change) =>
      change.live === undefined &&
      !changes.some(
        ({ seen, live: made }) =>
          made !== undefined && change.seen.every(([replica, counter]) => hasSeen(seen, { replica, counter })),
      ),
  );
  assert.ok(isDeleted, `the path vanished after${history}`);
}

/** What is live is nothing that a person replaced or deleted, nor anything that an entry has seen and holds no more. */
function assertNotBack(histories: EveryHistory, state: State, live: Dot, history: string): void {
  assert.ok(!state.overwritten.includes(nameOf(live)), `${nameOf(live)} is back after${history}`);
  for (const number of [...state.changes, ...state.replicas.map(({ known }) => known)]) {
    const entry = histories.entry(number);
    const isLeftBehind = hasSeen(entry.seen, live) && (entry.live === undefined || !dotsEqual(entry.live.dot, live));
    assert.ok(!isLeftBehind, `${nameOf(live)} is back, though it was seen and is no more, after${history}`);
  }
}
