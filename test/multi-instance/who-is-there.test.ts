// What a person is told about who joins.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { shortId } from "../../src/core/ids.ts";
import type { DsyncProcess, JsonEvent } from "../support/dsync-process.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { machines, type Machine } from "../support/machines.ts";
import { waitFor } from "../support/wait.ts";

const MAIN = fileURLToPath(new URL("../../src/main.js", import.meta.url));

test("an identity is new once in a run, however often it comes back", async (t) => {
  const [a] = machines(t, 1) as [Machine];
  await a.start();
  const joined = (): readonly unknown[] =>
    a.instance.events.filter(({ event }) => event === "peer-joined").map(({ isFirst }) => isFirst);
  const gone = async (): Promise<boolean> => (await a.instance.status()).peers.length === 0;
  const first = await HostilePeer.join(a.instance.port);
  first.destroy();
  await waitFor(gone, { until: "the first to be gone" });
  const again = await HostilePeer.join(a.instance.port, {}, first.identity);
  const other = await HostilePeer.join(a.instance.port);
  await waitFor(() => joined().length === 3, { until: "three sessions" });
  assert.deepEqual(joined(), [true, false, true]);
  for (const peer of [again, other]) peer.destroy();
});

test("the start says plainly whether anybody may join", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await a.start();
  await b.start({ args: ["--passphrase", "secret words"] });
  const [ofA, ofB] = [await a.instance.waitForEvent("started"), await b.instance.waitForEvent("started")];
  assert.deepEqual([ofA["open"], ofB["open"]], [true, false]);
});

test("with --verify both sides show the same four words, which are new in each session", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const words = async (instance: DsyncProcess, count: number): Promise<string> => {
    const joined = (): readonly JsonEvent[] => instance.events.filter(({ event }) => event === "peer-joined");
    await waitFor(() => joined().length >= count, { until: `${count} sessions` });
    return String(joined()[count - 1]?.["verification"]);
  };
  await a.start({ args: ["--verify"] });
  await b.start({ args: ["--verify"], peers: [a.instance.port] });
  const first = await words(b.instance, 1);
  assert.match(first, /^[a-z]+ [a-z]+ [a-z]+ [a-z]+$/);
  assert.equal(await words(a.instance, 1), first);
  const { peers } = await a.instance.status();
  assert.deepEqual(
    peers.map(({ verification }) => verification),
    [first],
  );
  await b.stop();
  await b.start({ args: ["--verify"], peers: [a.instance.port] });
  const second = await words(b.instance, 1);
  assert.notEqual(second, first);
  assert.equal(await words(a.instance, 2), second);
});

test("in the log: that anybody may join, and who does, in one line", async (t) => {
  const [a] = machines(t, 1) as [Machine];
  const child = spawn(process.execPath, [MAIN, "-d", a.folder, "-p", "0", "--no-discovery", "--verify"], {
    env: { PATH: process.env["PATH"], HOME: a.home },
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => child.kill("SIGKILL"));
  let log = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (log += text));
  const port = await waitFor(() => /\(port (\d+), .* Anybody on this network may join/.exec(log)?.[1], {
    until: "the start",
  });
  const peer = await HostilePeer.join(Number(port));
  await waitFor(() => log.includes("joined"), { until: "the line" });
  const line = new RegExp(
    `^\\S+ New peer: mallory joined \\(127\\.0\\.0\\.1:\\d+, ${shortId(peer.identity.peerId)}\\)\\. Both sides must show: [a-z ]+$`,
    "m",
  );
  assert.match(log, line);
  peer.destroy();
});
