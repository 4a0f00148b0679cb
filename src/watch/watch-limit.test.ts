// The kernel's own limits of watches, in a user namespace of its own: the test starts itself again in there.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { DEADLINE_MS, waitFor } from "../../test/support/wait.ts";
import type { Problem } from "../core/problem.ts";
import { systemClock } from "../edge/clock.ts";
import { createSystemWatcher } from "./system-watcher.ts";

const INSIDE = "DSYNC_TEST_WATCH_LIMIT";
const LIMITS = { max_inotify_watches: 5, max_inotify_instances: 0 };

if (process.env[INSIDE] === undefined) {
  for (const [limit, value] of Object.entries(LIMITS)) {
    test(`the limit ${limit} is named with its remedy, and survived`, (context) => {
      const run = (command: string) =>
        spawnSync("unshare", ["--user", "--map-root-user", "sh", "-c", command], {
          encoding: "utf8",
          timeout: 2 * DEADLINE_MS,
          // The runner's own variable would make the inner test report to it.
          env: { ...process.env, [INSIDE]: limit, NODE_TEST_CONTEXT: undefined },
        });
      const setLimit = `echo ${value} > /proc/sys/user/${limit}`;
      if (run(setLimit).status !== 0) return context.skip("no user namespaces with limits of their own here");
      const inside = run(`${setLimit} && exec "${process.execPath}" "${import.meta.filename}"`);
      assert.equal(inside.status, 0, inside.stdout + inside.stderr);
    });
  }
} else {
  test("inside the limit", async () => {
    const root = fs.mkdtempSync(join(fs.realpathSync(tmpdir()), "dsync-limit-"));
    for (let i = 0; i < 20; i++) fs.mkdirSync(join(root, `d${i}`));
    const hints = new Set<string>();
    const problems: Problem[] = [];
    const watcher = createSystemWatcher({ root, clock: systemClock, isIgnored: () => false });
    try {
      await watcher.start({
        hint: (diskPath) => hints.add(diskPath),
        overflow: () => {},
        problem: (problem) => problems.push(problem),
      });
      assert.deepEqual(
        problems.map(({ code }) => code),
        ["EWATCHLIMIT"],
      );
      assert.match(problems[0]?.message ?? "", /sudo sysctl fs\.inotify\.max_user_/);
      fs.writeFileSync(join(root, "d19/x"), "");
      await waitFor(() => hints.has("d19/x"), { until: "polling finds it" });
    } finally {
      await watcher.stop();
      fs.rmSync(root, { recursive: true, force: true });
    }
  });
}
