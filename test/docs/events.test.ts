// docs/events.md against the events that there are: complete both ways, true examples, and true of a real run.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { JsonReporter } from "../../src/cli/json-reporter.ts";
import { levelOf } from "../../src/cli/event-text.ts";
import { isShown, type ReporterOptions } from "../../src/cli/reporter.ts";
import type { DsyncEvent } from "../../src/core/events.ts";
import { OUTPUT_WAITING_BYTES_MAX } from "../../src/core/limits.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { complaintsAbout, documentedEvents } from "./event-document.ts";
import { EXAMPLES, FIELDS, REFUSALS, type EventKind, type FieldTable } from "./event-fields.ts";

const KINDS = Object.keys(EXAMPLES) as readonly EventKind[];
/** Of every example in the document. */
const EXAMPLE_MS = Date.parse("2024-05-01T10:03:44.120Z");

/** What `--json --verbose` prints; with `dropped` events before it, what it prints of those. */
function printed(event: DsyncEvent, dropped = 0): string {
  const lines: string[] = [];
  const output = {
    write: (text: string) => void lines.push(text),
    waitingBytes: 0,
    onceRead: () => {},
    isTerminal: false,
    columns: undefined,
  };
  const options: ReporterOptions = {
    stdout: output,
    stderr: output,
    clock: new FakeClock(EXAMPLE_MS),
    environment: {},
    verbosity: "verbose",
    json: true,
  };
  const reporter = new JsonReporter(options);
  if (dropped > 0) output.waitingBytes = OUTPUT_WAITING_BYTES_MAX + 1;
  for (let count = 0; count < Math.max(1, dropped); count++) reporter.report(event);
  reporter.close();
  return lines.join("").trimEnd();
}

type Row = readonly [field: string, type: string];

function rowsOf(table: FieldTable, prefix = ""): readonly Row[] {
  return Object.entries(table).flatMap(([name, type]): readonly Row[] => {
    if (typeof type === "string") return [[prefix + name, type]];
    const row: Row = [prefix + name, "array of objects"];
    return [row].concat(rowsOf(type, `${prefix}${name}[].`));
  });
}

test("every event is documented, and nothing else is", () => {
  const documented = documentedEvents().map(({ name }) => name);
  assert.deepEqual(documented.toSorted(), [...KINDS, "dropped"].toSorted());
});

test("each event's table has exactly its fields, with their types", () => {
  for (const { name, fields } of documentedEvents()) {
    const expected = name === "dropped" ? { count: "number" as const } : FIELDS[name as EventKind];
    assert.deepEqual([...fields], rowsOf(expected), name);
  }
});

test("each example is what is printed for such an event, and has the documented fields", () => {
  const events = documentedEvents();
  for (const { name, exampleLine } of events) {
    assert.equal(exampleLine, name === "dropped" ? printed(EXAMPLES.resumed, 3) : printed(EXAMPLES[name as EventKind]));
    assert.deepEqual(complaintsAbout(JSON.parse(exampleLine) as Record<string, unknown>, events), []);
  }
});

test("the document says which events --quiet and --verbose decide about", () => {
  for (const { name, summary } of documentedEvents()) {
    if (name === "dropped") continue;
    const level = levelOf(EXAMPLES[name as EventKind]);
    assert.equal(summary.endsWith("Also with `--quiet`."), isShown(level, "quiet"), name);
    assert.equal(summary.endsWith("Only with `--verbose`."), !isShown(level, "normal"), name);
  }
});

test("every code of a refusal is documented", () => {
  const codes = documentedEvents().flatMap(({ codes }) => codes);
  assert.deepEqual(codes.toSorted(), Object.keys(REFUSALS).toSorted());
});

test("what two real instances print is as documented", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "notes.txt": "of a", "big.bin": "x".repeat(3_000_000) });
  writeFiles(b.folder, { "notes.txt": "of b" });
  await startPair(a, b, ["--verbose"]);
  await waitForEqualTrees([a.folder, b.folder]);
  fs.renameSync(join(a.folder, "big.bin"), join(a.folder, "moved.bin"));
  await waitForEqualTrees([a.folder, b.folder]);
  await b.instance.waitForEvent("in-sync");
  const { instance } = b;
  await a.stop();
  await instance.waitForEvent("peer-left");
  await instance.stop();
  await instance.waitForEvent("stopped");
  const documented = documentedEvents();
  assert.deepEqual(
    instance.events.flatMap((event) => complaintsAbout(event, documented)),
    [],
  );
  const seen = new Set(instance.events.map(({ event }) => event));
  for (const name of [
    "started",
    "peer-sought",
    "peer-joined",
    "changed",
    "conflict",
    "progress",
    "in-sync",
    "peer-left",
  ])
    assert.ok(seen.has(name), `no ${name} among ${[...seen].join(", ")}`);
});
