import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { QUIET } from "../../test/support/cli-values.ts";
import type { DsyncEvent, Progress } from "../core/events.ts";
import { OUTPUT_WAITING_BYTES_MAX } from "../core/limits.ts";
import type { PeerId, ReplicaId } from "../core/ids.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { createReporter } from "./create-reporter.ts";
import { levelOf, textOf } from "./event-text.ts";
import { columnsOfText } from "./text-width.ts";
import type { Output, Reporter, ReporterOptions } from "./reporter.ts";

const ID = "ab".repeat(32) as PeerId;
const EVIL = "a\u001b[2Jb\u202e\nc";

const PROGRESS: Progress = {
  ...QUIET,
  pendingFiles: 3,
  pendingBytes: 10_000_000,
  receivedBytesPerSecond: 1_000_000,
};

const EVENTS: readonly DsyncEvent[] = [
  { kind: "folder-created", folder: EVIL },
  {
    kind: "started",
    folder: EVIL,
    share: EVIL,
    name: EVIL,
    port: 9000,
    peerId: ID,
    replicaId: "00" as ReplicaId,
    addresses: [EVIL],
    discovery: true,
    open: true,
  },
  { kind: "port-taken", wanted: 9000, used: 9001 },
  { kind: "peer-joined", id: ID, name: EVIL, address: EVIL, isFirst: true, verification: EVIL },
  { kind: "peer-found", id: ID, name: EVIL },
  { kind: "peer-lost", id: ID, name: EVIL },
  { kind: "peer-sought", address: EVIL },
  { kind: "peer-unreachable", address: EVIL, reason: EVIL },
  { kind: "peer-left", id: ID, name: EVIL, reason: EVIL },
  { kind: "peer-refused", address: EVIL, reason: EVIL, code: "handshake" },
  { kind: "changed", path: EVIL, change: "moved", from: EVIL, by: EVIL, isLocal: false },
  { kind: "conflict", path: EVIL, conflictPath: EVIL, author: EVIL },
  { kind: "problem", path: EVIL, reason: EVIL },
  { kind: "problem-solved", path: EVIL },
  { kind: "progress", ...PROGRESS },
  { kind: "in-sync", merkleRoot: "00", peers: 2 },
  { kind: "halted", reason: EVIL, remedy: EVIL },
  { kind: "resumed" },
  { kind: "warning", message: EVIL },
  { kind: "failed", message: EVIL },
  { kind: "debug", message: EVIL },
  { kind: "stopping" },
  { kind: "stopped" },
];

class Recorder implements Output {
  text = "";
  isTerminal = false;
  columns: number | undefined;
  waitingBytes = 0;
  #actions: (() => void)[] = [];

  onceRead(action: () => void): void {
    this.#actions.push(action);
  }

  /** Somebody reads all that waits. */
  read(): void {
    this.waitingBytes = 0;
    for (const action of this.#actions.splice(0)) action();
  }

  write(text: string): void {
    this.text += text;
  }

  get lines(): readonly string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

interface World extends ReporterOptions {
  readonly stdout: Recorder;
  readonly stderr: Recorder;
  readonly clock: FakeClock;
  readonly reporter: Reporter;
}

function world(
  options: Partial<Omit<ReporterOptions, "stdout" | "stderr" | "clock">> & { terminal?: number } = {},
): World {
  const [stdout, stderr, clock] = [new Recorder(), new Recorder(), new FakeClock()];
  if (options.terminal !== undefined) {
    stdout.isTerminal = true;
    stdout.columns = options.terminal;
  }
  const all = { environment: {}, verbosity: "normal" as const, json: false, ...options, stdout, stderr, clock };
  return { ...all, reporter: createReporter(all) };
}

test("no event puts a control character on the terminal", () => {
  for (const event of EVENTS) {
    const text = textOf(event) ?? "";
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u202e]/, event.kind);
  }
});

test("events go to stdout, errors and warnings to stderr, each with its time", () => {
  const { reporter, stdout, stderr, clock } = world();
  const joined = { kind: "peer-joined", id: ID, name: "laptop", address: "192.168.1.20:9000" } as const;
  reporter.report({ ...joined, isFirst: true });
  reporter.report({ ...joined, isFirst: false });
  reporter.report({ kind: "problem", path: "a", reason: "denied" });
  reporter.report({ kind: "warning", message: "careful" });
  reporter.report({ kind: "debug", message: "hidden" });
  assert.match(
    stdout.text,
    /^\d\d:\d\d:\d\d New peer: (laptop joined \(192\.168\.1\.20:9000, abababab\)\n)\d\d:\d\d:\d\d \1$/,
  );
  assert.match(stderr.text, /^\S+ Error: Skipped for now: a: denied\n\S+ Warning: careful\n$/);
  reporter.close();
  assert.equal(clock.pendingTimers, 0);
});

test("quiet shows errors only, verbose everything", () => {
  for (const json of [false, true]) {
    const [quiet, verbose] = [world({ verbosity: "quiet", json }), world({ verbosity: "verbose", json })];
    for (const event of EVENTS) {
      quiet.reporter.report(event);
      verbose.reporter.report(event);
    }
    const errors = EVENTS.filter((event) => levelOf(event) === "error");
    assert.equal(quiet.stdout.lines.length + quiet.stderr.lines.length, errors.length);
    assert.equal(verbose.stdout.lines.length + verbose.stderr.lines.length, EVENTS.length);
  }
});

test("--json is one object per line on stdout, with event and time first and every field unescaped", () => {
  const { reporter, stdout, stderr } = world({ json: true, verbosity: "verbose" });
  for (const event of EVENTS) reporter.report(event);
  assert.equal(stderr.text, "");
  assert.equal(stdout.lines.length, EVENTS.length);
  for (const [index, line] of stdout.lines.entries()) {
    const { kind, ...fields } = EVENTS[index] ?? { kind: undefined };
    assert.deepEqual(JSON.parse(line), { event: kind, time: "2024-01-01T00:00:00.000Z", ...fields });
    assert.match(line, /^\{"event":"[a-z-]+","time":"/);
  }
});

test("--json that nobody reads is dropped beyond a bound, and counted", () => {
  const { stdout, reporter } = world({ json: true });
  const names = (): unknown[] => stdout.lines.map((line) => (JSON.parse(line) as { event: string }).event);
  reporter.report({ kind: "resumed" });
  stdout.waitingBytes = OUTPUT_WAITING_BYTES_MAX + 1;
  reporter.report({ kind: "resumed" });
  stdout.waitingBytes = 10;
  reporter.report({ kind: "resumed" });
  assert.deepEqual(names(), ["resumed"]);
  stdout.read();
  assert.deepEqual(names(), ["resumed", "dropped"]);
  assert.equal((JSON.parse(stdout.lines[1] ?? "") as { count: number }).count, 2);
  reporter.report({ kind: "resumed" });
  stdout.waitingBytes = OUTPUT_WAITING_BYTES_MAX + 1;
  reporter.report({ kind: "resumed" });
  reporter.close();
  stdout.read();
  assert.deepEqual(names(), ["resumed", "dropped", "resumed", "dropped"]);
});

test("ten thousand changes are a few lines and a count", () => {
  const { reporter, stdout, clock } = world();
  const change = (path: string): void =>
    reporter.report({ kind: "changed", path, change: "added", by: "pc", isLocal: false });
  for (let file = 0; file < 4_332; file++) change(`file-${file}`);
  assert.equal(stdout.lines.length, 20);
  clock.advance(1_000);
  assert.equal(stdout.lines.length, 21);
  assert.match(stdout.lines[20] ?? "", /… and 4,312 more changes$/);
  change("one more");
  assert.match(stdout.lines[21] ?? "", /added by pc: one more$/);
  for (let file = 0; file < 30; file++) change(`file-${file}`);
  reporter.close();
  assert.match(stdout.lines.at(-1) ?? "", /… and 11 more changes$/);
  assert.equal(clock.pendingTimers, 0);
});

test("a log tells the progress now and then, and not when there is none", () => {
  const { reporter, stdout, clock } = world();
  reporter.report({ kind: "progress", ...PROGRESS, pendingFiles: 0 });
  for (let second = 0; second < 25; second++) {
    reporter.report({ kind: "progress", ...PROGRESS });
    clock.advance(1_000);
  }
  assert.equal(stdout.lines.length, 3);
  assert.match(stdout.lines[0] ?? "", /receiving: 3 files, 10\.0 MB, 1\.0 MB\/s, 10 s left$/);
});

const STARTED = EVENTS.find(({ kind }) => kind === "started") ?? { kind: "resumed" };

test("a log says once what to check when nobody has joined for 5 s", () => {
  const { reporter, stdout, clock } = world();
  reporter.report(STARTED);
  clock.advance(4_999);
  assert.equal(stdout.lines.length, 1);
  clock.advance(1);
  assert.match(stdout.lines[1] ?? "", /Nobody is here yet\. Is dsync running on another machine .*dsync doctor -d /);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(stdout.text, /[\u0000-\u0009\u000b-\u001f]/);
  clock.advance(600_000);
  assert.equal(stdout.lines.length, 2);
  reporter.close();
});

test("a log says nothing of the kind if somebody joined, if it is stopping, or if only errors are wanted", () => {
  const join: DsyncEvent = { kind: "peer-joined", id: ID, name: "pc", address: "h:1", isFirst: true };
  const cases: readonly (readonly [ReporterOptions["verbosity"], readonly DsyncEvent[]])[] = [
    ["normal", [join]],
    ["normal", [{ kind: "stopping" }]],
    ["quiet", []],
  ];
  for (const [verbosity, then] of cases) {
    const { reporter, stdout, clock } = world({ verbosity });
    for (const event of [STARTED, ...then]) reporter.report(event);
    clock.advance(60_000);
    assert.ok(!stdout.text.includes("Nobody"), stdout.text);
    reporter.close();
    assert.equal(clock.pendingTimers, 0);
  }
});

/** What a terminal shows after `text`: its lines, the last one being where the cursor is. */
function screen(text: string): readonly string[] {
  const lines = [""];
  // oxlint-disable-next-line no-control-regex
  for (const piece of text.split(/(\n|\r\u001b\[2K)/)) {
    if (piece === "\n") lines.push("");
    else if (piece === "\r\u001b[2K") lines[lines.length - 1] = "";
    else lines[lines.length - 1] += piece;
  }
  return lines;
}

test("in a terminal, a steady line stays below the log, fits the width, and goes at the end", () => {
  const { reporter, stdout, clock } = world({ terminal: 60 });
  reporter.report({ kind: "peer-joined", id: ID, name: "laptop", address: "h:1", isFirst: true });
  clock.advance(100);
  assert.equal(screen(stdout.text).at(-1), "1 peer · up to date");
  reporter.report({ kind: "progress", ...PROGRESS });
  clock.advance(100);
  assert.equal(screen(stdout.text).at(-1), "1 peer · receiving: 3 files, 10.0 MB, 1.0 MB/s, 10 s left");
  reporter.report({ kind: "resumed" });
  assert.match(screen(stdout.text).at(-2) ?? "", /Going on\.$/);
  assert.match(screen(stdout.text).at(-1) ?? "", /receiving/);
  stdout.columns = 20;
  reporter.report({ kind: "resumed" });
  assert.equal(screen(stdout.text).at(-1), "1 peer · receiving…");
  reporter.report({ kind: "halted", reason: "full", remedy: "" });
  clock.advance(100);
  assert.equal(screen(stdout.text).at(-1), "1 peer · paused");
  reporter.close();
  assert.equal(screen(stdout.text).at(-1), "");
  assert.equal(clock.pendingTimers, 0);
});

test("the status line is drawn at most ten times a second", () => {
  const { reporter, stdout, clock } = world({ terminal: 80 });
  for (let step = 0; step < 1_000; step++) {
    reporter.report({ kind: "progress", ...PROGRESS, pendingBytes: step * 1_000_000 });
    clock.advance(1);
  }
  const drawn = stdout.text.split("\r\u001b[2K").length - 1;
  assert.ok(drawn >= 5 && drawn <= 10, `${drawn} times`);
});

test("no status line without somebody in front of a real terminal", () => {
  for (const environment of [{ TERM: "dumb" }, { CI: "true" }]) {
    const { reporter, stdout, clock } = world({ terminal: 80, environment });
    reporter.report({ kind: "resumed" });
    clock.advance(1_000);
    reporter.close();
    assert.ok(!stdout.text.includes("\u001b"));
  }
});

test("whatever the names and widths, no status line is wider than the terminal", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(1e9), fc.nat(1e15), (columns, files, bytes) => {
      const { reporter, stdout, clock } = world({ terminal: columns });
      reporter.report({ kind: "progress", ...PROGRESS, pendingFiles: files, pendingBytes: bytes });
      clock.advance(100);
      assert.ok(columnsOfText(screen(stdout.text).at(-1) ?? "") < Math.max(1, columns));
      reporter.close();
    }),
  );
});
