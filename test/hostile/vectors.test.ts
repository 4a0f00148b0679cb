// Version vectors as no honest history makes them: too long, together too long, and with counters at their end.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { replicaIdFromBytes } from "../../src/core/ids.ts";
import { COUNTER_MAX, VECTOR_ITEMS_MAX } from "../../src/core/limits.ts";
import type { VersionVector } from "../../src/index/version-vector.ts";
import { announcement, entryOf, fileAt, fileContent, pathOf, replicaNumber } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { machines, type Machine } from "../support/machines.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

function replicas(first: number, count: number, counter = 1): VersionVector {
  return Array.from({ length: count }, (_, index) => [replicaNumber(first + index), counter] as const);
}

test("a vector of 10,000 replicas breaks the protocol", async (t) => {
  const victim = await startVictim(t);
  const peer = await HostilePeer.join(victim.port);
  peer.announce([announcement("a.txt", fileContent("a"), { seen: replicas(10, 10_000) })]);
  assert.equal((await peer.closed()).code, "protocol-error");
  await victim.assertUnharmed();
});

test("vectors that are together longer than one may be do not keep honest peers apart", async (t) => {
  const victim = await startVictim(t);
  const peer = await HostilePeer.join(victim.port);
  for (let round = 0; round < 4; round++) {
    const seen = replicas(100_000 * (round + 1), VECTOR_ITEMS_MAX - 1, COUNTER_MAX);
    peer.announce([fileAt("mine.txt", `round ${round}`, { replica: round, seen })]);
  }
  const { machine } = victim;
  const conflicts = async (): Promise<boolean> => (await machine.instance.status()).conflicts >= 4;
  await waitFor(conflicts, { until: "conflict copies" });
  fs.writeFileSync(join(victim.folder, "mine.txt"), "mine");
  await victim.assertUnharmed();
  await machine.stop();
  await machine.start();
  assert.ok(await conflicts(), "the index can be read");
});

test("a peer that claims our own counter near its end does not stop our changes", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  await a.start();
  const { port } = a.instance;
  const peer = await HostilePeer.join(port);
  const hello = await peer.waitForMessage("hello");
  const victimReplica = replicaIdFromBytes(Buffer.from(hello.replicaId, "hex"));
  for (const [name, counter] of [
    ["last.txt", COUNTER_MAX],
    ["almost.txt", COUNTER_MAX - 2],
  ] as const) {
    const entry = entryOf(fileContent(name), { replica: victimReplica, counter, stamp: 1_700_000_000_000 });
    peer.announce([{ path: pathOf(name), entry, held: true, inline: Buffer.from(name) }]);
    await waitFor(() => fs.existsSync(join(a.folder, name)), { until: name });
  }
  peer.destroy();
  await b.start({ peers: [port] });
  for (let edit = 0; edit < 5; edit++) {
    for (const name of ["last.txt", "almost.txt", "other.txt"]) {
      fs.writeFileSync(join(a.folder, name), `${name} ${edit}`);
      const copy = join(b.folder, name);
      await waitFor(() => fs.existsSync(copy) && fs.readFileSync(copy, "utf8") === `${name} ${edit}`, {
        until: `edit ${edit} of ${name}`,
      });
    }
  }
  await a.stop();
  await a.start({ port });
  fs.writeFileSync(join(a.folder, "last.txt"), "after a restart");
  await waitFor(() => fs.readFileSync(join(b.folder, "last.txt"), "utf8") === "after a restart", {
    until: "an edit after a restart",
  });
  fs.rmSync(join(b.folder, "almost.txt"));
  await waitFor(() => !fs.existsSync(join(a.folder, "almost.txt")), { until: "a delete to come back" });
});
