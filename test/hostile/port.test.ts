// Thousands of strangers at the port while two honest instances sync: what they cost, and that they keep nobody out.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { HANDSHAKES_MAX, REFUSAL_REPORT_MS } from "../../src/core/limits.ts";
import { machines, type Machine } from "../support/machines.ts";
import { PortFlood, STRANGERS, type Stranger } from "../support/port-flood.ts";
import { incompressible, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const MIB = 1024 * 1024;
const CONNECTIONS = 2_000;
/** Measured: 20 MiB (bench/strangers.ts); twice a garbage collection's whim. */
const GROWTH_BYTES_MAX = 64 * MIB;
/** The kernel's queue, which is accepted in one turn before anybody is turned away. */
const ACCEPTED_AT_ONCE = 512;
const EVERYBODY = Object.keys(STRANGERS) as readonly Stranger[];
const SKIP = process.platform !== "linux" && "needs all of 127/8";

test("2,000 strangers from 100 addresses, who come again: a new peer gets in and syncs", { skip: SKIP }, async (t) => {
  const victim = await startVictim(t, { "big.bin": incompressible(4 * MIB, 1).toString("base64") });
  const [honest] = machines(t, 1) as [Machine];
  const flood = new PortFlood({ port: victim.port, addresses: 100, kinds: EVERYBODY, againMs: 1_000 });
  t.after(() => flood.stop());
  const [memoryBefore, startMs] = [victim.memoryBytes(), performance.now()];
  flood.add(CONNECTIONS);
  await waitFor(() => flood.made > CONNECTIONS, { until: "the first to come again" });
  await honest.start({ peers: [victim.port] });
  writeFiles(honest.folder, { "from-honest.txt": "to the victim" });
  await waitForEqualTrees([victim.folder, honest.folder]);
  assert.ok(flood.open > 0, "the strangers are still there");

  const growth = victim.memoryBytes() - memoryBefore;
  const refusals = victim.machine.instance.events.filter(({ event }) => event === "peer-refused");
  const minutes = 1 + Math.floor((performance.now() - startMs) / REFUSAL_REPORT_MS);
  t.diagnostic(`${flood.made} connections, ${(growth / MIB).toFixed(0)} MiB, ${refusals.length} lines`);
  assert.ok(growth < GROWTH_BYTES_MAX, `${growth / MIB} MiB more`);
  assert.ok(refusals.length <= 2 * minutes, JSON.stringify(refusals));
});

test("strangers who say nothing hold no more descriptors than there may be handshakes", { skip: SKIP }, async (t) => {
  const victim = await startVictim(t);
  const descriptors = (): number => readdirSync(`/proc/${victim.machine.instance.pid}/fd`).length;
  const before = descriptors();
  const flood = new PortFlood({ port: victim.port, addresses: 100, kinds: ["idle"] });
  t.after(() => flood.stop());
  flood.add(CONNECTIONS);
  let most = before;
  const sample = (): number => (most = Math.max(most, descriptors()));
  await waitFor(() => sample() >= before + HANDSHAKES_MAX / 2, {
    until: "half of the room to be taken",
    intervalMs: 5,
  });
  await waitFor(() => sample() > 0 && descriptors() <= before + 2, { until: "them to time out", intervalMs: 5 });
  t.diagnostic(`at most ${most - before} descriptors`);
  assert.ok(most - before <= HANDSHAKES_MAX + ACCEPTED_AT_ONCE, `${most - before}`);
  flood.stop();
  await victim.assertUnharmed();
});
