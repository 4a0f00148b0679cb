// What the oracles ask of a simulated machine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyRecord } from "../../src/index/settle.ts";
import { fileEntry, path } from "../../src/index/store-contract.ts";
import { Prng } from "../support/seeded.ts";
import { Machine, ROOT } from "./machine.ts";
import { SimulatedNetwork } from "./network.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";
import { RELIABLE_WATCHER } from "./watcher.ts";

/** A full scan finds by then what no event told of. */
const SCANNED_MS = 30 * 60_000;
const COMMITTED_MS = 100;

/** A machine that has started, and whose watcher loses every event. */
async function startedMachine(): Promise<{ readonly machine: Machine; readonly scheduler: Scheduler }> {
  const scheduler = new Scheduler();
  const trace = new Trace(() => scheduler.nowMs, false);
  const machine = new Machine({
    number: 1,
    seed: 1,
    scheduler,
    network: new SimulatedNetwork({ scheduler, random: new Prng(1), trace, latencyMsMax: 2 }),
    trace,
    quirks: {},
    watcher: { ...RELIABLE_WATCHER, dropped: 1000 },
    skewMs: 0,
    onViolation: (what) => assert.fail(what),
  });
  void machine.start();
  await scheduler.runUntil(1_000);
  return { machine, scheduler };
}

test("a change is unseen until the index says it, whether the path is new, changed or deleted", async () => {
  const { machine, scheduler } = await startedMachine();
  const { person } = machine;
  const change = async (act: () => void): Promise<void> => {
    act();
    assert.equal(machine.unseenChange(["a"]), "a");
    await scheduler.runUntil(scheduler.nowMs + SCANNED_MS);
    assert.equal(machine.unseenChange(["a"]), undefined);
  };
  await change(() => person.close(person.createFile(`${ROOT}/a`, 0o644)));
  await change(() => person.setMode(`${ROOT}/a`, 0o600));
  await change(() => person.unlink(`${ROOT}/a`));
});

test("what was still to come is awaited while dsync is not running, if the index has committed it", async () => {
  const { machine, scheduler } = await startedMachine();
  const hearOf = (text: string): void =>
    machine.store?.put({ ...emptyRecord(path(text)), known: fileEntry({ counter: 1 }) });
  hearOf("d/a");
  await scheduler.runUntil(scheduler.nowMs + COMMITTED_MS);
  hearOf("d/b");
  assert.deepEqual([...machine.awaitedPaths()].toSorted(), ["d/a", "d/b"]);
  machine.crash();
  assert.deepEqual([...machine.awaitedPaths()], ["d/a"]);
});
