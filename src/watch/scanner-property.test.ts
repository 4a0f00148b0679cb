// Whatever a person does, and whatever becomes of the events: after a scan the index says what is on the disk, and every
// batch on the way there was one that can be applied. FAULTS.md: "Person", "Watcher".

import fs from "node:fs";
import { dirname } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { ScannerWorld } from "../../test/support/scanner-world.ts";

/** A run waits most of its time. */
const RUNS_AT_ONCE = 32;
const NAMES = ["a", "b", "c", "x.log"];
const path = fc.oneof(
  // Often enough the same one again.
  fc.constantFrom("a", "b", "a/b"),
  fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((names) => names.join("/")),
);

const step = fc.record({
  action: fc.oneof(
    fc.record({ kind: fc.constant("write" as const), path, text: fc.constantFrom("1", "2", "other", "") }),
    fc.record({ kind: fc.constant("mkdir" as const), path }),
    fc.record({ kind: fc.constant("link" as const), path, text: fc.constantFrom("a", "../b") }),
    fc.record({ kind: fc.constant("move" as const), path, to: path }),
    fc.record({ kind: fc.constant("move" as const), path, to: path }),
    fc.record({ kind: fc.constant("remove" as const), path }),
    fc.record({ kind: fc.constant("chmod" as const), path, mode: fc.constantFrom(0o600, 0o755) }),
    fc.record({ kind: fc.constant("swap" as const), path, to: path }),
    fc.record({ kind: fc.constant("scan" as const), path }),
  ),
  /** How often the events of this step arrive. */
  events: fc.constantFrom(0, 1, 1, 1, 2),
  pauseMs: fc.constantFrom(0, 0, 0, 1, 8, 40, 170),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What a watcher reports of what happened: the paths themselves, only the directories they are in, or nothing at all. */
const watching = fc.constantFrom("paths", "parents", "nothing");
type Watching = typeof watching extends fc.Arbitrary<infer W> ? W : never;

/** The paths that such a watcher names. */
function hintsOf(kind: Watching, touched: readonly string[]): readonly string[] {
  switch (kind) {
    case "paths":
      return touched;
    case "parents":
      return touched.map((one) => dirname(one)).filter((parent) => parent !== ".");
    case "nothing":
      return [];
  }
}

/** Does it, as far as the tree as it is allows. Returns the paths that changed. */
function act(world: ScannerWorld, action: Step["action"]): readonly string[] {
  const disk = (path: string): string => world.disk(path);
  try {
    switch (action.kind) {
      case "write":
        world.write(action.path, action.text);
        return [action.path];
      case "mkdir":
        fs.mkdirSync(disk(action.path), { recursive: true });
        return [action.path];
      case "link":
        fs.symlinkSync(action.text, disk(action.path));
        return [action.path];
      case "move":
        fs.renameSync(disk(action.path), disk(action.to));
        return [action.to, action.path];
      case "remove":
        fs.rmSync(disk(action.path), { recursive: true });
        return [action.path];
      case "chmod":
        fs.chmodSync(disk(action.path), action.mode);
        return [action.path];
      case "swap":
        fs.renameSync(disk(action.path), disk("t"));
        fs.renameSync(disk(action.to), disk(action.path));
        fs.renameSync(disk("t"), disk(action.to));
        return [action.path, action.to, "t"];
      case "scan":
        void world.scanner.fullScan();
        return [];
    }
  } catch {
    // Not possible in this tree.
    return [];
  }
}

/** Does it all, in rounds that each end with a scan, after which the index is held against the disk. */
async function live(kind: Watching, rounds: readonly (readonly Step[])[]): Promise<void> {
  const world = new ScannerWorld({ ignore: "*.log\n" });
  try {
    for (const steps of rounds) {
      for (const { action, events, pauseMs } of steps) {
        const hints = hintsOf(kind, act(world, action));
        for (let i = 0; i < events; i++) world.hint(...(i === 0 ? hints : hints.toReversed()));
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      await world.settle();
    }
    await world.scanner.fullScan();
    await world.quiet();
    if (world.reported.length > 0) throw new Error(`A quiet folder has news: ${world.reported.join()}`);
  } finally {
    world.close();
  }
}

test("after any changes, with any events, a scan brings the index to what is on the disk", async () => {
  const numRuns = Math.ceil(Number(process.env["DSYNC_RUNS"] ?? 128) / RUNS_AT_ONCE);
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 });
  const property = fc.asyncProperty(watching, rounds, live);
  await Promise.all(Array.from({ length: RUNS_AT_ONCE }, () => fc.assert(property, { numRuns })));
});
