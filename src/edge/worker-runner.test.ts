import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

import { incompressible, removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { DEADLINE_MS, waitFor } from "../../test/support/wait.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { hashInParts, type RunPart } from "../content/hash-in-parts.ts";
import type { HashRequest, HashResult } from "../content/hash-job.ts";
import { HASH_PART_BYTES } from "../core/limits.ts";
import { createInProcessRunner } from "./in-process-runner.ts";
import type { JobName, JobRunner } from "./jobs.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { transferablesOf } from "./transferables.ts";
import { createWorkerRunner, type FirstJobs } from "./worker-runner.ts";

const context = { fs: nodeFileSystem, blake3: loadBlake3({ portable: true }) };

/** Runs `work` on a fresh runner and folder. */
async function withRunner(runner: JobRunner, work: (runner: JobRunner, root: string) => Promise<void>): Promise<void> {
  const root = temporaryDirectory();
  try {
    await work(runner, root);
  } finally {
    await runner.close();
    removeDirectory(root);
  }
}

const RUNNERS: Readonly<Record<string, () => JobRunner>> = {
  "worker threads": () => createWorkerRunner({ workers: 2, portable: false }),
  "portable worker threads": () => createWorkerRunner({ workers: 1, portable: true }),
  "this thread": () => createInProcessRunner({ context }),
};

for (const [where, create] of Object.entries(RUNNERS)) {
  test(`jobs on ${where} do their work`, async () => {
    await withRunner(create(), async (runner, root) => {
      const files = Array.from({ length: 50 }, (_, index) => `f${index}`);
      writeFiles(root, Object.fromEntries(files.map((file) => [file, file.repeat(5000)])));
      const results = await Promise.all(
        files.map((file, index) =>
          runner.run("hash", { root, files: [file, "none"], inlineBytesMax: 100_000 }, { urgent: index % 3 === 0 }),
        ),
      );
      for (const [index, { outcomes }] of results.entries()) {
        const [first, second] = outcomes;
        assert.ok(first?.kind === "hashed");
        assert.equal(Buffer.from(first.inline ?? []).toString(), `f${index}`.repeat(5000));
        assert.equal(typeof first.signature.mtimeNs, "bigint");
        assert.deepEqual(second, { kind: "unsettled" });
      }
    });
  });

  test(`a job on ${where} that throws rejects, and the runner goes on`, async () => {
    await withRunner(create(), async (runner, root) => {
      // A directory as a list of files is a bug, and shows as one.
      const wrong = { root, files: 7, inlineBytesMax: 0 } as unknown as HashRequest;
      await assert.rejects(runner.run("hash", wrong), /files/);
      assert.deepEqual(await runner.run("hash", { root, files: [], inlineBytesMax: 0 }), { outcomes: [] });
    });
  });

  test(`after close, ${where} take no more jobs`, async () => {
    const runner = create();
    await runner.close();
    await runner.close();
    await assert.rejects(runner.run("hash", { root: "/", files: [], inlineBytesMax: 0 }), /stopping/);
  });
}

test("a large file that two threads hash in parts is what one makes of it", async () => {
  await withRunner(createWorkerRunner({ workers: 2, portable: false }), async (runner, root) => {
    writeFiles(root, { f: incompressible(3 * HASH_PART_BYTES, 1) });
    const { outcomes } = await runner.run("hash", { root, files: ["f"], inlineBytesMax: 0 });
    const [whole] = outcomes;
    assert.ok(whole?.kind === "hashed");
    const runPart: RunPart = (request) => runner.run("hashPart", request);
    const { signature, manifest: known } = whole;
    for (const large of [{ known }, { known: undefined }]) {
      assert.deepEqual(await hashInParts(runPart, { root, file: "f", signature, ...large }), whole);
    }
  });
});

test("buffers move to the job", async () => {
  await withRunner(createWorkerRunner({ workers: 1, portable: false }), async (runner, root) => {
    const payload = new Uint8Array(1000);
    const pieces = [
      {
        offset: 0,
        length: 1000,
        hash: "0".repeat(64) as never,
        source: { kind: "bytes", encoding: "raw", payload } as const,
      },
    ];
    const contentId = "1".repeat(64) as never;
    writeFiles(root, { ".dsync/staging/x": "" });
    const result = await runner.run("stage", { root, contentId, pieces }, { transfer: [payload.buffer] });
    assert.deepEqual(result.staged, [false]);
    assert.equal(payload.length, 0);
  });
});

test("only memory of its own moves back", () => {
  const own = new Uint8Array(10_000);
  const shared = new Uint8Array(20_000).subarray(0, 10_000);
  const signature = {} as never;
  const outcome = { kind: "hashed", contentId: "" as never, manifest: undefined, signature } as const;
  const result: HashResult = {
    outcomes: [
      { ...outcome, inline: own },
      { ...outcome, inline: shared },
      { ...outcome, inline: new Uint8Array(5) },
      { ...outcome, inline: own },
      { kind: "unsettled" },
    ],
  };
  assert.deepEqual(transferablesOf(result), [own.buffer]);
  assert.deepEqual(transferablesOf({ buffer: own, outcomes: [] }), [own.buffer]);
});

/** A worker that does as `root` says: waits until its gate opens, ends, or answers with what it has done so far. */
const PUPPET = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    const done = [];
    parentPort.on("message", ({ id, name, request }) => {
      if (request.gate) { Atomics.add(request.gate, 1, 1); Atomics.wait(request.gate, 0, 0); }
      if (request.root === "exit") process.exit(3);
      done.push(request.root);
      parentPort.postMessage({ kind: "done", id, result: { name, done: [...done] } });
    });`)}`,
);

function puppet(workers: number): JobRunner {
  return createWorkerRunner({ workers, portable: false, entry: PUPPET });
}

/** Item 0: whether the gate is open; item 1: how many wait at it. */
type Gate = Int32Array;

function closedGate(): Gate {
  return new Int32Array(new SharedArrayBuffer(8));
}

function open(gate: Gate): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

function runPuppet(
  runner: JobRunner,
  root: string,
  options: { name?: JobName; urgent?: boolean; gate?: Gate } = {},
): Promise<{ readonly name: string; readonly done: readonly string[] }> {
  const { name = "scan", urgent = false, gate } = options;
  return runner.run(name, { root, gate } as never, { urgent }) as unknown as Promise<{ name: string; done: string[] }>;
}

test("urgent jobs overtake waiting ones", async () => {
  const runner = puppet(1);
  const gate = closedGate();
  const first = runPuppet(runner, "first", { gate });
  const others = ["second", "third", "fourth"].map((name) => runPuppet(runner, name));
  const urgent = runPuppet(runner, "urgent", { urgent: true });
  open(gate);
  await Promise.all([first, ...others]);
  assert.ok((await urgent).done.length <= 3);
  assert.deepEqual((await runPuppet(runner, "last")).done.at(-2), "fourth");
  await runner.close();
});

test("long jobs on every worker they may have do not hold up a short one", async () => {
  const runner = puppet(2);
  const gate = closedGate();
  const long = [1, 2, 3].map((n) => runPuppet(runner, `long ${n}`, { name: "hash", gate }));
  assert.deepEqual((await runPuppet(runner, "short")).done, ["short"]);
  open(gate);
  await Promise.all(long);
  await runner.close();
});

test("first jobs are done here until a thread has answered", async () => {
  const firstJobs: FirstJobs = { probe: ({ root }) => ({ traits: undefined, root }) };
  const runner = createWorkerRunner({ workers: 1, portable: false, entry: PUPPET, firstJobs });
  const gate = closedGate();
  const first = runPuppet(runner, "first", { gate });
  assert.deepEqual(await runPuppet(runner, "here", { name: "probe" }), { traits: undefined, root: "here" });
  open(gate);
  await first;
  assert.deepEqual((await runPuppet(runner, "there", { name: "probe" })).done, ["first", "there"]);
  await runner.close();
});

test("a worker that is lost fails its jobs and is replaced", async () => {
  const runner = puppet(1);
  const lost = runPuppet(runner, "exit", { name: "apply" });
  const behind = runPuppet(runner, "behind");
  const waiting = runPuppet(runner, "waiting");
  await assert.rejects(lost, /Lost the worker with the job "apply": it ended with code 3/);
  await assert.rejects(behind, /Lost the worker/);
  assert.deepEqual((await waiting).done, ["waiting"]);
  await runner.close();
});

test("a worker that cannot start fails its jobs", async () => {
  const entry = new URL("data:text/javascript,throw new Error('no such thing')");
  const runner = createWorkerRunner({ workers: 1, portable: false, entry });
  await assert.rejects(runPuppet(runner, "a"), /no such thing/);
  await assert.rejects(runPuppet(runner, "b"), /no such thing/);
  await runner.close();
});

test("closing waits for jobs that change the disk, and gives up the others", async () => {
  const runner = puppet(2);
  const [applyGate, hashGate] = [closedGate(), closedGate()];
  const hash = runPuppet(runner, "hash", { name: "hash", gate: hashGate });
  const apply = runPuppet(runner, "apply", { name: "apply", gate: applyGate });
  await waitFor(() => Atomics.load(applyGate, 1) === 1 && Atomics.load(hashGate, 1) === 1, { until: "both jobs run" });
  const events: string[] = [];
  void apply.then(() => events.push("applied"));
  const closed = runner.close().then(() => events.push("closed"));
  await assert.rejects(hash, /stopping/);
  assert.deepEqual(events, []);
  open(applyGate);
  await closed;
  assert.deepEqual(events, ["applied", "closed"]);
});

test("idle workers do not keep the process alive, working ones do", () => {
  const root = temporaryDirectory();
  const runnerUrl = JSON.stringify(new URL("./worker-runner.js", import.meta.url).href);
  const script = `
    import { createWorkerRunner } from ${runnerUrl};
    const runner = createWorkerRunner({ workers: 2, portable: false });
    const { outcomes } = await runner.run("hash", { root: "/", files: ["nothing at all"], inlineBytesMax: 0 });
    console.log(outcomes[0].kind);`;
  writeFiles(root, { "script.mjs": script });
  const output = execFileSync(process.execPath, [join(root, "script.mjs")], { timeout: DEADLINE_MS });
  removeDirectory(root);
  assert.equal(output.toString().trim(), "unsettled");
});

test("jobs on this thread run when the schedule says so", async () => {
  const actions: (() => void)[] = [];
  const runner = createInProcessRunner({ context, schedule: (action) => actions.push(action) });
  const events: string[] = [];
  const request = { root: "/", files: [], inlineBytesMax: 0 };
  const first = runner.run("hash", request).then(() => events.push("first"));
  const second = runner.run("hash", request).then(() => events.push("second"));
  const [one, two] = actions;
  two?.();
  await second;
  assert.deepEqual(events, ["second"]);
  const closed = runner.close().then(() => events.push("closed"));
  one?.();
  await Promise.all([first, closed]);
  assert.deepEqual(events, ["second", "first", "closed"]);
});

test("threads are renewed between jobs, and no job is lost by it", async () => {
  const runner = createWorkerRunner({ workers: 2, portable: false });
  await withRunner(runner, async (_, root) => {
    writeFiles(root, { f: "content" });
    const hash = () => runner.run("hash", { root, files: ["f"], inlineBytesMax: 100 });
    for (let round = 0; round < 3; round++) {
      const jobs = Array.from({ length: 250 }, hash);
      runner.renew();
      for (const { outcomes } of await Promise.all(jobs)) assert.equal(outcomes[0]?.kind, "hashed");
      runner.renew();
    }
  });
});
