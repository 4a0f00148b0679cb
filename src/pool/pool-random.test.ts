// Several pools that are pointed at each other at random while lines break at random: in the end, all are joined.

import assert from "node:assert/strict";
import { test } from "node:test";
import { messageOf } from "../core/errors.ts";
import { drive } from "../../test/support/drive.ts";
import { areJoined, PoolWorld, type PoolHost } from "../../test/support/pool-world.ts";
import { Prng, testSeed } from "../../test/support/seeded.ts";

const ROUNDS = 6;
const HOSTS = 4;

test("whatever is dialled, cut, silenced and restarted, each pair that can reach the other ends with one session", async () => {
  const seed = testSeed();
  for (let round = 0; round < ROUNDS; round++) {
    await playRound(new Prng(seed + round)).catch((error: unknown) => {
      throw new Error(`round ${round}, DSYNC_TEST_SEED=${seed}: ${messageOf(error)}`, { cause: error });
    });
  }
});

async function playRound(prng: Prng): Promise<void> {
  const world = new PoolWorld();
  const hosts: PoolHost[] = [];
  for (let index = 0; index < HOSTS; index++) hosts.push(await world.start({ host: `10.3.0.${index + 1}` }));
  const pick = () => prng.below(HOSTS);
  for (let step = 0; step < 30; step++) {
    const [first, second] = [pick(), pick()];
    await disturb(world, hosts, { first, second, choice: prng.below(6) });
    await world.clock.run(prng.below(1_500));
  }
  for (const [from, to] of pairs(hosts)) {
    world.network.heal(from.host, to.host);
    point(from, to);
    if (prng.below(2) === 0) point(to, from);
  }
  await drive(world.clock, () => pairs(hosts).every(([from, to]) => areJoined(from, to)), {
    what: "all joined",
    simulatedMsMax: 120_000,
  });
  await world.clock.run(20_000);
  for (const [from, to] of pairs(hosts)) {
    assert.ok(areJoined(from, to), "stays so");
    assert.equal(world.network.countLines(from.host, to.host), 1);
  }
  for (const { pool } of hosts) assert.equal(pool.sessions.length, HOSTS - 1);
  await world.stop();
}

interface Disturbance {
  readonly first: number;
  readonly second: number;
  readonly choice: number;
}

async function disturb(world: PoolWorld, hosts: PoolHost[], { first, second, choice }: Disturbance): Promise<void> {
  const [from, to] = [hosts[first], hosts[second]];
  if (from === undefined || to === undefined) return;
  switch (choice) {
    case 0:
    case 1:
      point(from, to);
      return;
    case 2:
      point(from, to);
      point(to, from);
      return;
    case 3:
      world.network.cut(from.host, to.host);
      return;
    case 4:
      if (from === to) return;
      world.network.silence(from.host, to.host);
      await world.clock.run(500);
      from.pool.sessions.find(({ peer }) => peer.id === to.id)?.close("timeout");
      await world.clock.run(2_000);
      world.network.heal(from.host, to.host);
      return;
    default: {
      const stopping = from.pool.stop();
      await world.clock.run(1_100);
      await stopping;
      hosts[first] = await world.start({ host: from.host });
    }
  }
}

function point(from: PoolHost, to: PoolHost): void {
  from.pool.addTarget({ host: to.host, port: 9000, source: "peer-flag" });
}

function pairs(hosts: readonly PoolHost[]): readonly (readonly [PoolHost, PoolHost])[] {
  return hosts.flatMap((from, index) => hosts.slice(index + 1).map((to) => [from, to] as const));
}
