import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeClock } from "../../test/support/fake-clock.ts";
import { RETRY_DELAY_MS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import { Failures } from "./failures.ts";

const PATH = "a" as RelativePath;
const PROBLEM = { code: "EACCES", message: "Cannot write." };

function world() {
  const clock = new FakeClock();
  const events: string[] = [];
  const failures = new Failures({
    clock,
    onRetry: (path) => events.push(`retry ${path}`),
    onProblem: (path, { code }) => events.push(`${path} ${code}`),
    onSolved: (path) => events.push(`${path} solved`),
  });
  return { clock, events, failures };
}

test("what fails is tried again after a while that doubles, up to a minute, until it comes to an end", () => {
  const { clock, events, failures } = world();
  for (const delayMs of [1000, 2000, 4000, 8000, 16_000, 32_000, RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MAX]) {
    failures.add(PATH, PROBLEM);
    assert.deepEqual([...failures], [[PATH, PROBLEM]]);
    clock.advance(delayMs - 1);
    assert.equal(failures.has(PATH), true);
    clock.advance(1);
    assert.deepEqual([failures.has(PATH), events.splice(0)], [false, ["a EACCES", "retry a"]]);
  }
  failures.solve(PATH);
  failures.solve(PATH);
  failures.add(PATH, PROBLEM);
  clock.advance(1000);
  assert.deepEqual(events, ["a solved", "a EACCES", "retry a"]);
});

test("what came to an end, and all after a stop, is not tried again", () => {
  const { clock, events, failures } = world();
  failures.add(PATH, PROBLEM);
  failures.solve(PATH);
  failures.add("b" as RelativePath, PROBLEM);
  failures.stop();
  failures.add("c" as RelativePath, PROBLEM);
  clock.advance(RETRY_DELAY_MS_MAX);
  assert.deepEqual(events, ["a EACCES", "a solved", "b EACCES", "c EACCES"]);
});
