import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { FakeClock, turnEventLoop } from "../../test/support/fake-clock.ts";
import { waitFor } from "../../test/support/wait.ts";
import type { Problem } from "../core/problem.ts";
import { WATCH_BURST_EVENTS_MAX } from "../core/limits.ts";
import { BurstCounter } from "./burst-counter.ts";
import { FallbackWatcher } from "./fallback-watcher.ts";
import { ParcelWatcher } from "./parcel-watcher.ts";
import { PollingWatcher } from "./polling-watcher.ts";
import { isRemote, probeNativeWatch } from "./system-watcher.ts";
import type { WatchHandler, Watcher } from "./watcher.ts";

class Recorder implements WatchHandler {
  readonly hints = new Set<string>();
  readonly problems: Problem[] = [];
  overflows = 0;

  hint(diskPath: string): void {
    this.hints.add(diskPath);
  }

  overflow(): void {
    this.overflows++;
  }

  problem(problem: Problem): void {
    this.problems.push(problem);
  }
}

const contract: Record<string, (root: string) => Watcher> = {
  "the native watcher": (root) => new ParcelWatcher(root, () => performance.now()),
  "the polling watcher": (root) => new PollingWatcher(root, (path) => path === "ignored", 50),
};

for (const [name, create] of Object.entries(contract)) {
  test(`${name} hints at what happens, relative to the folder, but not in .dsync`, async () => {
    const root = fs.mkdtempSync(join(fs.realpathSync(tmpdir()), "dsync-watch-"));
    const recorder = new Recorder();
    const watcher = create(root);
    try {
      for (const directory of [".dsync", "d"]) fs.mkdirSync(join(root, directory));
      fs.writeFileSync(join(root, "old"), "");
      await watcher.start(recorder);
      fs.writeFileSync(join(root, ".dsync/x"), "");
      fs.writeFileSync(join(root, "d/Ä new"), "");
      fs.appendFileSync(join(root, "old"), "more");
      fs.mkdirSync(join(root, "e"));
      await waitFor(() => ["d/Ä new", "old", "e"].every((path) => recorder.hints.has(path)), {
        until: "the hints are here",
      });
      fs.unlinkSync(join(root, "old"));
      recorder.hints.clear();
      await waitFor(() => recorder.hints.has("old"), { until: "the deletion is hinted at" });
      assert.ok([...recorder.hints].every((path) => !path.startsWith(".dsync") && path !== ""));
    } finally {
      await watcher.stop();
      fs.rmSync(root, { recursive: true, force: true });
    }
    assert.deepEqual(recorder.problems, []);
  });
}

test("a burst is many events in a second, in one delivery or in many", () => {
  let nowMs = 5_000;
  const burst = new BurstCounter(() => nowMs);
  const times = (deliveries: number, events: number): number =>
    Array.from({ length: deliveries }, () => burst.add(events)).filter(Boolean).length;
  assert.equal(times(1, WATCH_BURST_EVENTS_MAX), 1);
  assert.equal(times(WATCH_BURST_EVENTS_MAX - 1, 1), 0);
  assert.equal(times(1, 1), 1);
  assert.equal(times(3 * WATCH_BURST_EVENTS_MAX, 1), 3);
  assert.equal(times(WATCH_BURST_EVENTS_MAX - 1, 1), 0);
  nowMs += 1_001;
  assert.equal(times(1, 1), 0);
});

test("a burst of events counts as an overflow", async () => {
  const root = fs.mkdtempSync(join(fs.realpathSync(tmpdir()), "dsync-watch-"));
  const recorder = new Recorder();
  // For this clock all is one moment, however slowly the disk takes the files.
  const watcher = new ParcelWatcher(root, () => 0);
  try {
    await watcher.start(recorder);
    for (let i = 0; i < 1500; i++) fs.writeFileSync(join(root, `f${i}`), "");
    await waitFor(() => recorder.overflows > 0, { until: "the overflow is told" });
  } finally {
    await watcher.stop();
    fs.rmSync(root, { recursive: true, force: true });
  }
});

/** A watcher that does as it is told. */
class FakeWatcher implements Watcher {
  handler: WatchHandler | undefined;
  isStopped = false;
  readonly #start: () => Promise<void>;

  constructor(start: () => Promise<void> = async () => {}) {
    this.#start = start;
  }

  async start(handler: WatchHandler): Promise<void> {
    await this.#start();
    this.handler = handler;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
  }
}

const LIMIT: Problem = { code: "EWATCHLIMIT", message: "the limit" };

test("polling takes over where native events fail, and says why once", async () => {
  const failing = [
    { native: new FakeWatcher(), probe: () => LIMIT },
    { native: new FakeWatcher(() => Promise.reject(new Error("no"))), probe: () => undefined },
  ];
  for (const { native, probe } of failing) {
    const polling = new FakeWatcher();
    const recorder = new Recorder();
    const watcher = new FallbackWatcher({ clock: new FakeClock(), native, polling, probe });
    await watcher.start(recorder);
    polling.handler?.hint("a");
    assert.deepEqual([recorder.problems.length, [...recorder.hints]], [1, ["a"]]);
    await watcher.stop();
    assert.ok(polling.isStopped);
  }
});

test("a native watcher that hangs while it starts is given up", async () => {
  const clock = new FakeClock();
  const polling = new FakeWatcher();
  const recorder = new Recorder();
  const native = new FakeWatcher(() => new Promise(() => {}));
  const started = new FallbackWatcher({ clock, native, polling, probe: () => undefined }).start(recorder);
  await clock.run(60_000);
  await started;
  assert.ok(polling.handler !== undefined);
});

test("a limit that is reached later is found where things happen, and a scan is asked for", async () => {
  const clock = new FakeClock();
  const native = new FakeWatcher();
  const polling = new FakeWatcher();
  const recorder = new Recorder();
  const obstacles: Problem[] = [];
  const watcher = new FallbackWatcher({ clock, native, polling, probe: () => obstacles[0] });
  await watcher.start(recorder);
  native.handler?.hint("a");
  await clock.run(5000);
  assert.equal(polling.handler, undefined);
  obstacles.push(LIMIT);
  native.handler?.hint("b");
  native.handler?.hint("c");
  await clock.run(5000);
  await turnEventLoop();
  assert.ok(polling.handler !== undefined && native.isStopped);
  assert.deepEqual([recorder.problems, recorder.overflows], [[LIMIT], 1]);
});

test("a network file system is polled from the start", async () => {
  const polling = new FakeWatcher();
  const watcher = new FallbackWatcher({ clock: new FakeClock(), native: undefined, polling, probe: () => LIMIT });
  const recorder = new Recorder();
  await watcher.start(recorder);
  assert.ok(polling.handler !== undefined);
  assert.deepEqual(recorder.problems, []);
  assert.equal(isRemote(tmpdir()), false);
});

test("where there is room, the probe finds nothing wrong", () => {
  assert.equal(probeNativeWatch(tmpdir()), undefined);
});
