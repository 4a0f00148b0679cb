// Whatever a person does, and whatever becomes of the events: after a scan the index says what is on the disk, and every
// batch on the way there was one that can be applied. FAULTS.md: "Person", "Watcher".

import fs from "node:fs";
import test from "node:test";
import fc from "fast-check";
import { ScannerWorld } from "../../test/support/scanner-world.ts";

const NAMES = ["a", "b", "c", "x.log"];
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));

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
type Action = typeof step extends fc.Arbitrary<{ readonly action: infer A }> ? A : never;

/** Does it, as far as the tree as it is allows. Returns the paths that a watcher would name. */
function act(world: ScannerWorld, action: Action): readonly string[] {
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

test("after any changes, with any events, a scan brings the index to what is on the disk", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const world = new ScannerWorld({ ignore: "*.log\n" });
      try {
        for (const { action, events, pauseMs } of steps) {
          const touched = act(world, action);
          for (let i = 0; i < events; i++) world.hint(...(i === 0 ? touched : touched.toReversed()));
          if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
        await world.scanner.fullScan();
        await world.quiet();
        world.assertMatchesDisk();
        world.forget();
        await world.scanner.fullScan();
        await world.quiet();
        if (world.reported.length > 0) throw new Error(`A quiet folder has news: ${world.reported.join()}`);
      } finally {
        world.close();
      }
    }),
    { numRuns: Number(process.env["DSYNC_RUNS"] ?? 10) },
  );
});
