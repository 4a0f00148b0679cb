// A passphrase between real processes: who joins, what the others are told, and where the passphrase does not show up.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import type { DsyncProcess, JsonEvent } from "../support/dsync-process.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { incompressible, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

const PASSPHRASE = "correct horse 4711";
const MAIN = fileURLToPath(new URL("../../app/main.js", import.meta.url));

function refusal(instance: DsyncProcess, sentence: RegExp): Promise<JsonEvent> {
  const where = ({ code, reason }: JsonEvent) => code === "passphrase" && sentence.test(String(reason));
  return instance.waitForEvent("peer-refused", { where });
}

function joinedBy(instance: DsyncProcess): unknown[] {
  return instance.events.filter(({ event }) => event === "peer-joined").map(({ name }) => name);
}

test("those with the passphrase sync; one with another and one without never join, and everybody is told why", async (t) => {
  const [a, b, other, none] = machines(t, 4) as [Machine, Machine, Machine, Machine];
  // The large one needs data channels, which shake hands of their own.
  writeFiles(a.folder, { "secret-plan.txt": "plan", "large.bin": incompressible(3_000_000, 1) });
  writeFiles(other.folder, { "other.txt": "other" });
  await startPair(a, b, ["--passphrase", PASSPHRASE]);
  const { port } = a.instance;
  await other.start({ peers: [port], args: ["-n", "other", "--passphrase", "guessed"] });
  await refusal(other.instance, /^The peer at 127\.0\.0\.1 uses another passphrase/);
  await refusal(a.instance, /^The peer at 127\.0\.0\.1 uses another passphrase/);
  await none.start({ peers: [port, b.instance.port], args: ["-n", "none"] });
  await refusal(
    none.instance,
    /^The peer at 127\.0\.0\.1 uses a passphrase, and this side has none: start with --pass/,
  );
  // Here it has not been said yet who the trouble is with at this address.
  await refusal(b.instance, /^The peer at 127\.0\.0\.1 uses no passphrase, and this side does/);

  writeFiles(b.folder, { "more.txt": "more" });
  await waitForEqualTrees([a.folder, b.folder]);
  assert.equal(readFileSync(join(b.folder, "secret-plan.txt"), "utf8"), "plan");
  assert.deepEqual([...joinedBy(other.instance), ...joinedBy(none.instance)], []);
  assert.equal(joinedBy(a.instance).length, 1);
  for (const { instance } of [a, b, other, none]) {
    const said = JSON.stringify(instance.events) + instance.stderr + JSON.stringify(await instance.status());
    assert.doesNotMatch(said, /correct horse|4711|guessed/);
  }
});

test("one that dials out with a passphrase is told that the other side has none", async (t) => {
  const [open, closed] = machines(t, 2) as [Machine, Machine];
  await open.start();
  await closed.start({ peers: [open.instance.port], args: ["--passphrase", PASSPHRASE] });
  await refusal(closed.instance, /uses no passphrase, and this side does: start it there with --passphrase/);
  await refusal(open.instance, /uses a passphrase, and this side has none: start with --passphrase/);
  assert.deepEqual([...joinedBy(open.instance), ...joinedBy(closed.instance)], []);
});

test("a file and a code work, too; a file that others can read is a warning", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const file = join(a.home, "passphrase");
  writeFileSync(file, "apple-bread-butter\nwhat this is for\n", { mode: 0o644 });
  await a.start({ args: ["--passphrase-file", file] });
  await b.start({ args: ["--code", "Apple bread  BUTTER"], peers: [a.instance.port] });
  await b.instance.waitForEvent("peer-joined");
  const warned = ({ message }: JsonEvent) => /Other users .* can read the passphrase file/.test(String(message));
  const isWindows = process.platform === "win32";
  assert.equal(
    a.instance.events.some((event) => event.event === "warning" && warned(event)),
    !isWindows,
  );
});

test("a code that is made is shown on stderr beside --json, is in no event, and lets the other machine in", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await a.start({ args: ["--code"] });
  const code = await waitFor(() => / --code ([a-z-]+)\n/.exec(a.instance.stderr)?.[1], { until: "the code" });
  assert.match(a.instance.stderr, new RegExp(code.toUpperCase().replaceAll("-", " +- +")));
  await b.start({ args: ["--code", code], peers: [a.instance.port] });
  await b.instance.waitForEvent("peer-joined");
  assert.doesNotMatch(JSON.stringify([a, b].map(({ instance }) => instance.events)), new RegExp(code));
});

test("the list of processes does not show it", { skip: process.platform !== "linux" && "reads /proc" }, async (t) => {
  const [a] = machines(t, 1) as [Machine];
  await a.start({ args: ["--passphrase", PASSPHRASE] });
  const shown = readFileSync(`/proc/${a.instance.pid}/cmdline`, "utf8");
  assert.match(shown, /--passphrase \*\*\*/);
  assert.doesNotMatch(shown, /correct/);
});

test("in text mode, too, the code stands above the log, and the sentence is a line of it", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await a.start({ args: ["--passphrase", PASSPHRASE] });
  const args = [MAIN, "-d", b.folder, "-p", "0", "--no-discovery", "--code", "-a", `127.0.0.1:${a.instance.port}`];
  const env = { PATH: process.env["PATH"], HOME: b.home };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await waitFor(() => /The peer at 127\.0\.0\.1 uses another passphrase/.exec(stderr) ?? undefined, {
    until: "the sentence",
  });
  assert.match(stdout, /^\n=+\n\n {3}[A-Z]+ {2}- {2}[A-Z]+ {2}- {2}[A-Z]+\n/);
});
