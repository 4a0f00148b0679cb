import assert from "node:assert/strict";
import { test } from "node:test";
import type { DsyncEvent } from "../core/events.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Terminal } from "../../test/support/terminal.ts";
import { createReporter } from "./create-reporter.ts";
import type { Output, Reporter, Screen } from "./reporter.ts";

class FakeScreen implements Screen {
  rows = 24;
  readonly resize = new Set<() => void>();
  readonly end = new Set<() => void>();

  onResize(action: () => void): () => void {
    this.resize.add(action);
    return () => this.resize.delete(action);
  }

  onEnd(action: () => void): () => void {
    this.end.add(action);
    return () => this.end.delete(action);
  }
}

class TerminalOutput implements Output {
  readonly isTerminal = true;
  readonly waitingBytes = 0;
  readonly terminal = new Terminal();
  readonly screen = new FakeScreen();
  columns = 80;
  writes = 0;
  text = "";

  write(text: string): void {
    this.writes++;
    this.text += text;
    this.terminal.write(text);
  }

  onceRead(action: () => void): void {
    action();
  }
}

interface World {
  readonly reporter: Reporter;
  readonly clock: FakeClock;
  readonly stdout: TerminalOutput;
  readonly errors: string[];
}

function world(environment: Readonly<Record<string, string>> = {}, isErrorTerminal = true): World {
  const [clock, stdout] = [new FakeClock(), new TerminalOutput()];
  const errors: string[] = [];
  const stderr: Output = {
    isTerminal: isErrorTerminal,
    columns: 80,
    waitingBytes: 0,
    onceRead: (action) => action(),
    write: (text) => void errors.push(text),
  };
  const reporter = createReporter({ stdout, stderr, clock, environment, verbosity: "normal", json: false });
  return { reporter, clock, stdout, errors };
}

const WARNING: DsyncEvent = { kind: "warning", message: "careful" };

test("at most ten drawings a second, however much happens, and only lines that changed", () => {
  const { reporter, clock, stdout } = world();
  for (let ms = 0; ms < 1_000; ms++) {
    reporter.report({ kind: "changed", path: `${ms}`, change: "added", by: "pc", isLocal: false });
    clock.advance(1);
  }
  assert.ok(stdout.writes >= 8 && stdout.writes <= 11, `${stdout.writes} drawings`);
  assert.match(stdout.terminal.lines.join("\n"), /pc added [\d,]+ items, the last: 9\d\d$/m);
  const before = stdout.text.length;
  reporter.report({ kind: "changed", path: "x", change: "added", by: "pc", isLocal: false });
  clock.advance(100);
  const last = stdout.text.slice(before);
  // oxlint-disable-next-line no-control-regex
  assert.equal(last.match(/\u001b\[\d+;1H/g)?.length, 1, JSON.stringify(last));
  clock.advance(500);
  const writes = stdout.writes;
  clock.advance(1_000);
  assert.equal(stdout.writes, writes, "nothing changed, nothing is written");
});

test("the terminal is given back: after closing, and when the process ends in any other way", () => {
  for (const end of ["close", "crash"]) {
    const { reporter, clock, stdout } = world();
    reporter.report(WARNING);
    clock.advance(100);
    const { terminal, screen } = stdout;
    assert.deepEqual([terminal.isAlternate, terminal.isCursorVisible, terminal.wraps], [true, false, false]);
    if (end === "close") reporter.close();
    else for (const action of screen.end) action();
    assert.deepEqual([terminal.isAlternate, terminal.isCursorVisible, terminal.wraps], [false, true, true]);
    if (end === "crash") continue;
    assert.equal(clock.pendingTimers, 0);
    assert.equal(screen.resize.size + screen.end.size, 0);
  }
});

test("warnings and problems are still there when the view is gone; elsewhere they are logged at once", () => {
  const shown = world();
  shown.reporter.report(WARNING);
  shown.reporter.report({ kind: "problem", path: "a\u001b[2J", reason: "denied" });
  assert.deepEqual(shown.errors, []);
  shown.reporter.close();
  assert.match(shown.errors.join(""), /Error: Skipped for now: a\\x1b\[2J: denied\n.*Warning: careful\n$/);
  const logged = world({}, false);
  logged.reporter.report(WARNING);
  assert.match(logged.errors.join(""), /Warning: careful\n$/);
  logged.reporter.close();
  assert.equal(logged.errors.length, 1);
});

test("another size draws everything anew, fitted", () => {
  const { reporter, clock, stdout } = world();
  reporter.report({ kind: "warning", message: "a rather long sentence that does not fit forty columns at all" });
  clock.advance(100);
  stdout.columns = 40;
  stdout.screen.rows = 10;
  for (const action of stdout.screen.resize) action();
  clock.advance(100);
  assert.ok(stdout.terminal.lines.length <= 10);
  assert.ok(stdout.terminal.lines.every((line) => line.length < 40));
  reporter.close();
});

test("NO_COLOR takes the colours and nothing else; a dumb terminal, CI and --verbose get lines", () => {
  // oxlint-disable-next-line no-control-regex
  const COLOR = /\u001b\[[1-9]\d*m/;
  for (const [environment, hasColor] of [
    [{}, true],
    [{ NO_COLOR: "1" }, false],
    [{ NO_COLOR: "" }, true],
  ] as const) {
    const { reporter, clock, stdout } = world(environment);
    reporter.report(WARNING);
    clock.advance(100);
    assert.equal(COLOR.test(stdout.text), hasColor, JSON.stringify(environment));
    assert.equal(stdout.terminal.isAlternate, true);
    reporter.close();
  }
  for (const environment of [{ TERM: "dumb" }, { CI: "true" }]) {
    const { reporter, clock, stdout } = world(environment);
    reporter.report({ kind: "resumed" });
    clock.advance(1_000);
    reporter.close();
    assert.ok(!stdout.text.includes("\u001b"));
  }
});
