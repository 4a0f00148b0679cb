// Pools with passphrases on a network in memory: who joins, who is told what and how often, and what guessing costs.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { systemRandom } from "../edge/random.ts";
import { createIdentity } from "../handshake/identity.ts";
import { HANDSHAKE_TOKEN_MS, HANDSHAKE_TOKENS_MAX, REFUSAL_REPORT_MS } from "../core/limits.ts";
import { drive } from "../../test/support/drive.ts";
import { areJoined, PoolWorld, type PoolHost } from "../../test/support/pool-world.ts";
import type { OpenOutcome } from "./open-channel.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const GUESSER = "10.0.0.66";

let world: PoolWorld;
beforeEach(() => {
  world = new PoolWorld();
});
afterEach(() => world.stop());

function point(from: PoolHost, to: PoolHost): void {
  from.pool.addTarget({ host: to.host, port: 9000, source: "peer-flag" });
}

function refusals({ events }: PoolHost): string[] {
  return events.flatMap((event) => (event.type === "refused" ? [`${event.reason}: ${event.detail}`] : []));
}

/** One try at `port` of `host`, as a client with `passphrase`. */
async function guess(host: string, passphrase: string, from = GUESSER): Promise<OpenOutcome> {
  const connection = await world.network.connect(from, { host, port: 9000 });
  const { signal } = new AbortController();
  return world.openChannel(undefined, passphrase)(connection, { role: "client", expectedPeerId: undefined, signal });
}

test("the same passphrase joins", async () => {
  const a = await world.start({ host: A, passphrase: "secret" });
  const b = await world.start({ host: B, passphrase: "secret" });
  point(a, b);
  await drive(world.clock, () => areJoined(a, b), { what: "the session", simulatedMsMax: 1_000 });
});

test("another passphrase does not, and both sides say so once a minute, however often they meet", async () => {
  const a = await world.start({ host: A, passphrase: "secret" });
  const b = await world.start({ host: B, passphrase: "Secret" });
  point(a, b);
  point(b, a);
  await world.clock.run(REFUSAL_REPORT_MS - 10_000);
  const said = (host: string) =>
    `passphrase: The peer at ${host} uses another passphrase: start both sides with the same one.`;
  assert.deepEqual(refusals(a), [said(B)]);
  assert.deepEqual(refusals(b), [said(A)]);
  await world.clock.run(REFUSAL_REPORT_MS + 40_000);
  assert.ok(refusals(a).length >= 2 && refusals(a).length <= 3, `${refusals(a).length}`);
  assert.deepEqual([a.sessions.length, b.sessions.length], [0, 0]);
});

test("a passphrase on one side only: each side is told what the other does", async () => {
  const a = await world.start({ host: A, passphrase: "secret" });
  const b = await world.start({ host: B });
  point(a, b);
  await world.clock.run(1_000);
  assert.match(refusals(a).join(), /^passphrase: The peer at 10\.0\.0\.2 uses no passphrase, and this side does/);
  assert.match(refusals(b).join(), /^passphrase: The peer at 10\.0\.0\.1 uses a passphrase, and this side has none/);
});

test("guesses cost their address tokens: a few at once, then one every few seconds; others still get in", async () => {
  const a = await world.start({ host: A, passphrase: "secret" });
  const reasons: string[] = [];
  for (let count = 0; count < HANDSHAKE_TOKENS_MAX + 5; count++) {
    const outcome = await guess(A, `guess ${count}`);
    reasons.push(outcome.kind === "failed" ? outcome.reason : outcome.kind);
  }
  assert.deepEqual(new Set(reasons.slice(0, HANDSHAKE_TOKENS_MAX)), new Set(["passphrase-other"]));
  assert.deepEqual(new Set(reasons.slice(HANDSHAKE_TOKENS_MAX)), new Set(["ended"]));
  // Even the right one is not looked at then.
  const right = await guess(A, "secret");
  assert.deepEqual(right, { kind: "failed", reason: "ended" });
  world.clock.advance(HANDSHAKE_TOKEN_MS);
  assert.deepEqual(await guess(A, "one more"), { kind: "failed", reason: "passphrase-other" });
  assert.deepEqual(await guess(A, "and another"), { kind: "failed", reason: "ended" });

  const b = await world.start({ host: B, passphrase: "secret" });
  point(b, a);
  await drive(world.clock, () => areJoined(a, b), { what: "the honest one", simulatedMsMax: 1_000 });
  assert.ok(refusals(a).length <= 2, refusals(a).join("\n"));
});

test("somebody who announces many peers to be dialled by us guesses no faster", async () => {
  const a = await world.start({ host: A, passphrase: "secret" });
  let guesses = 0;
  for (let count = 0; count < HANDSHAKE_TOKENS_MAX * 3; count++) {
    const port = 10_000 + count;
    await world.network.host(GUESSER).listen(port, (connection) => {
      guesses++;
      const { signal } = new AbortController();
      const open = world.openChannel(undefined, `guess ${count}`);
      void open(connection, { role: "server", expectedPeerId: undefined, signal });
    });
    // An ID each, so that each is a peer to be dialled on its own account.
    a.pool.addTarget({ host: GUESSER, port, peerId: createIdentity(systemRandom).peerId, source: "discovery" });
  }
  const startMs = world.clock.monotonic();
  const hasPassed = () => world.clock.monotonic() - startMs >= 10_000;
  await drive(world.clock, hasPassed, { what: "ten seconds", simulatedMsMax: 11_000 });
  assert.ok(guesses >= HANDSHAKE_TOKENS_MAX, `${guesses} guesses`);
  assert.ok(guesses <= HANDSHAKE_TOKENS_MAX + 10_000 / HANDSHAKE_TOKEN_MS + 1, `${guesses} guesses`);
});
