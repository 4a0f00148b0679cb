// Pools on a network in memory, with real handshakes and simulated time: who ends up with a session to whom.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { ChannelEnd } from "./channel.ts";
import type { PoolEvent } from "./pool-events.ts";
import type { Session } from "./session.ts";
import { drive } from "../../test/support/drive.ts";
import { turnEventLoop } from "../../test/support/fake-clock.ts";
import { areJoined, PoolWorld, type PoolHost } from "../../test/support/pool-world.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const C = "10.0.0.3";

let world: PoolWorld;
beforeEach(() => {
  world = new PoolWorld();
});
afterEach(() => world.stop());

test("a target leads to one session, led by the side that dialled", async () => {
  const a = await world.start({ host: A, name: "anna" });
  const b = await world.start({ host: B, name: "ben" });
  point(a, b);
  await joined(a, b, 100);
  const [atA] = a.sessions;
  const [atB] = b.sessions;
  assert.ok(atA !== undefined && atB !== undefined);
  assert.deepEqual([atA.peer.name, atB.peer.name], ["ben", "anna"]);
  assert.deepEqual([atA.peer.id, atB.peer.id], [b.id, a.id]);
  assert.deepEqual([atA.isLeader, atB.isLeader], [true, false]);
  assert.deepEqual(atA.peer.remote, { host: B, port: 9000 });
});

test("both dial at once: one session, dialled by the smaller peer ID, and no other was ever announced", async () => {
  for (let round = 0; round < 5; round++) {
    const [small, large] = world.identities();
    const a = await world.start({ host: `10.1.${round}.1`, identity: small });
    const b = await world.start({ host: `10.1.${round}.2`, identity: large });
    point(b, a);
    point(a, b);
    await joined(a, b, 1_000);
    await world.clock.run(3_000);
    assert.ok(areJoined(a, b));
    assert.deepEqual([a.sessions.length, b.sessions.length], [1, 1]);
    assert.equal(a.sessions[0]?.isLeader, true);
    assert.equal(world.network.countLines(a.host, b.host), 1);
  }
});

test("discovered by both at once: the larger peer ID lets the smaller one dial", async () => {
  const [small, large] = world.identities();
  const a = await world.start({ host: A, identity: small });
  const b = await world.start({ host: B, identity: large });
  discover(b, a);
  discover(a, b);
  const ms = await joined(a, b, 1_000);
  assert.ok(ms < 100, `took ${ms} ms`);
  await world.clock.run(3_000);
  assert.equal(world.network.dials.get(`${A}:9000`), undefined);
  assert.equal(world.network.dials.get(`${B}:9000`), 1);
});

test("only the larger peer ID discovers the other: it dials soon all the same", async () => {
  const [small, large] = world.identities();
  const a = await world.start({ host: A, identity: small });
  const b = await world.start({ host: B, identity: large });
  discover(b, a);
  assert.ok((await joined(a, b, 1_000)) < 400);
});

test("in a chain, the middle one has two sessions and the ends have one each", async () => {
  const [a, b, c] = [await world.start({ host: A }), await world.start({ host: B }), await world.start({ host: C })];
  point(a, b);
  point(c, b);
  await joined(a, b, 200);
  await joined(b, c, 200);
  assert.deepEqual(
    [a, b, c].map(({ pool }) => pool.sessions.length),
    [1, 2, 1],
  );
});

test("a peer that restarts with a new identity on the same address is joined again within seconds", async () => {
  const a = await world.start({ host: A });
  const b = await world.start({ host: B });
  point(a, b);
  await joined(a, b, 200);
  await world.clock.run(20_000);
  const stopping = b.pool.stop();
  await world.clock.run(3_000);
  await stopping;
  assert.deepEqual(
    a.ends.map(({ code, byPeer }) => ({ code, byPeer })),
    [{ code: "goodbye", byPeer: true }],
  );
  assert.equal(a.pool.sessions.length, 0);
  const again = await world.start({ host: B });
  assert.ok((await joined(a, again, 10_000)) < 5_000);
  assert.notEqual(again.id, b.id);
});

test("a lost connection is dialled again at once, by either side, and the old session's end comes first", async () => {
  const a = await world.start({ host: A });
  const b = await world.start({ host: B });
  point(a, b);
  point(b, a);
  await joined(a, b, 1_000);
  await world.clock.run(20_000);
  world.network.cut(A, B);
  await turnEventLoop();
  assert.deepEqual([a.ends[0]?.code, b.ends[0]?.code], ["lost", "lost"]);
  assert.ok((await joined(a, b, 5_000)) < 500);
  for (const { events } of [a, b]) {
    assert.deepEqual(types(events).slice(0, 3), ["session-opened", "session-ended", "session-opened"]);
  }
});

test("when only one side has lost the session, its new dial replaces the old session or has it looked at", async () => {
  for (const lost of ["dialer", "acceptor"] as const) {
    for (const order of [0, 1]) {
      const identities = world.identities();
      const [dialing, accepting] = order === 0 ? identities : [identities[1], identities[0]];
      const net = `10.2.${10 * order + lost.length}`;
      const a = await world.start({ host: `${net}.1`, identity: dialing });
      const b = await world.start({ host: `${net}.2`, identity: accepting });
      point(a, b);
      await joined(a, b, 1_000);
      world.network.silence(a.host, b.host);
      const [loser, other] = lost === "dialer" ? [a, b] : [b, a];
      loser.pool.sessions[0]?.close("timeout");
      await world.clock.run(1_500);
      world.network.heal(a.host, b.host);
      point(b, a);
      // An acceptor that has lost it dials, and the other side asks at once whether its session is alive. A dialer's own
      // dial began while nothing got through, and has to give up first.
      await joined(a, b, lost === "acceptor" ? 2_000 : 7_000);
      await world.clock.run(10_000);
      assert.ok(areJoined(a, b), `${lost} lost it, order ${order}`);
      assert.equal(other.ends.length, 1);
    }
  }
});

test("another share is refused on both sides, reported once on each, and not dialled again for a while", async () => {
  const a = await world.start({ host: A, share: "work", name: "anna" });
  const b = await world.start({ host: B, share: "home", name: "ben\u001b[2J" });
  point(a, b);
  await drive(world.clock, () => refusals(a).length > 0 && refusals(b).length > 0, {
    what: "both refuse",
    simulatedMsMax: 1_000,
  });
  await world.clock.run(100_000);
  for (const host of [a, b]) {
    assert.deepEqual(
      refusals(host).map(({ reason }) => reason),
      ["other-share"],
    );
    assert.equal(host.sessions.length, 0);
  }
  assert.match(refusals(a)[0]?.detail ?? "", /"home".*"work"/);
  assert.ok(!(refusals(a)[0]?.detail ?? "").includes("\u001b"));
  assert.equal(world.network.dials.get(`${B}:9000`), 4);
});

test("an instance that is pointed at itself notices, and does not try again", async () => {
  const a = await world.start({ host: A });
  point(a, a);
  await world.clock.run(60_000);
  assert.equal(world.network.dials.get(`${A}:9000`), 1);
  assert.deepEqual(a.events, []);
  assert.deepEqual(a.pool.sessions, []);
});

test("discovery's peer ID must be the one that answers", async () => {
  const a = await world.start({ host: A });
  const b = await world.start({ host: B });
  const c = await world.start({ host: C });
  a.pool.addTarget({ host: B, port: 9000, peerId: c.id, source: "discovery" });
  await world.clock.run(1_000);
  assert.equal(b.sessions.length, 0);
  assert.deepEqual(
    refusals(a).map(({ reason }) => reason),
    ["wrong-peer"],
  );
  // Its right address helps.
  discover(a, c);
  await joined(a, c, 2_000);
});

test("of several addresses of a peer, those that do not work are passed over", async () => {
  const a = await world.start({ host: A });
  const b = await world.start({ host: B });
  world.network.silence(A, "10.0.9.1");
  for (const host of ["10.0.9.1", "10.0.9.2", A, B]) {
    a.pool.addTarget({ host, port: 9000, peerId: b.id, source: "discovery" });
  }
  assert.ok((await joined(a, b, 5_000)) < 1_500);
  await world.clock.run(60_000);
  assert.equal(world.network.dials.get(`${B}:9000`), 1);
});

test("a target that is removed is not dialled any more; its session stays", async () => {
  const a = await world.start({ host: A });
  const b = await world.start({ host: B });
  discover(a, b);
  await joined(a, b, 1_000);
  a.pool.removeTarget({ host: B, port: 9000, peerId: b.id, source: "discovery" });
  await world.clock.run(20_000);
  assert.ok(areJoined(a, b));
  world.network.cut(A, B);
  await world.clock.run(60_000);
  assert.deepEqual(a.pool.sessions, []);
  assert.equal(world.network.dials.get(`${B}:9000`), 1);
});

test("addresses that are not local are refused, unless remote ones are allowed", async () => {
  const b = await world.start({ host: B });
  const remote = await world.start({ host: "203.0.113.7" });
  point(remote, b);
  await world.clock.run(3_000);
  assert.equal(b.sessions.length, 0);
  assert.deepEqual(
    refusals(b).map(({ reason }) => reason),
    ["remote-address"],
  );
  discover(b, remote);
  await world.clock.run(1_000);
  assert.equal(b.sessions.length, 0);
  const open = await world.start({ host: C, allowRemote: true });
  point(remote, open);
  await joined(remote, open, 1_000);
});

test("handshakes that fail or do not finish are limited per address, and others still get in", async () => {
  const b = await world.start({ host: B });
  let dropped = 0;
  for (let count = 0; count < 200; count++) {
    const connection = await world.network.connect("10.0.0.66", { host: B, port: 9000 });
    connection.onEnd(() => dropped++);
    connection.resume();
  }
  await turnEventLoop();
  assert.ok(dropped >= 200 - 16, `${dropped} dropped`);
  assert.ok(dropped < 200, "some may begin");
  assert.deepEqual(
    refusals(b).map(({ reason }) => reason),
    ["too-many-handshakes"],
  );
  const a = await world.start({ host: A });
  point(a, b);
  await joined(a, b, 500);
  // Those that were let in do not finish.
  await world.clock.run(11_000);
  assert.equal(dropped, 200);
});

test("somebody who shakes hands and then says nothing is dropped", async () => {
  const b = await world.start({ host: B });
  const connection = await world.network.connect(A, { host: B, port: 9000 });
  const request = { role: "client", expectedPeerId: b.id, signal: new AbortController().signal } as const;
  const outcome = await world.openChannel()(connection, request);
  assert.ok(outcome.kind === "opened");
  outcome.channel.onMessage(() => {});
  let end: ChannelEnd | undefined;
  void outcome.channel.ended.then((ended) => (end = ended));
  await world.clock.run(4_000);
  assert.equal(end, undefined);
  await world.clock.run(2_000);
  assert.deepEqual(end, { code: "timeout", byPeer: true, detail: "no hello" });
  assert.equal(world.network.countLines(A, B), 0);
});

test("a silent peer is given up after half a minute or a little more, and not before", async () => {
  const a = await world.start({ host: A });
  const b = await world.start({ host: B });
  point(a, b);
  await joined(a, b, 200);
  await world.clock.run(120_000);
  assert.ok(areJoined(a, b), "idle sessions stay");
  assert.equal(a.ends.length, 0);
  world.network.silence(A, B);
  const ms = await drive(world.clock, () => a.ends.length > 0 && b.ends.length > 0, {
    what: "both notice",
    simulatedMsMax: 60_000,
  });
  assert.ok(ms >= 20_000 && ms <= 40_000, `${ms} ms`);
  assert.deepEqual([a.ends[0]?.code, b.ends[0]?.code], ["timeout", "timeout"]);
});

test("data channels open on demand from either side, up to what both allow, and reopen when they break", async () => {
  const a = await world.start({ host: A, dataChannelsMax: 3 });
  const b = await world.start({ host: B, dataChannelsMax: 8 });
  point(a, b);
  await joined(a, b, 200);
  const [atA, atB] = [only(a), only(b)];
  const opened = { a: 0, b: 0 };
  atA.onDataChannel(() => opened.a++);
  atB.onDataChannel(() => opened.b++);
  await world.clock.run(5_000);
  assert.equal(atA.dataChannels.length, 0);
  atB.wantDataChannels(2);
  await channels(2, 1_000);
  atA.wantDataChannels(8);
  await channels(3, 1_000);
  await world.clock.run(5_000);
  assert.deepEqual([opened.a, opened.b], [3, 3]);
  assert.equal(world.network.countLines(A, B), 4);
  atA.dataChannels[0]?.close("lost");
  await drive(world.clock, () => opened.b === 4 && atA.dataChannels.length === 3, {
    what: "reopened",
    simulatedMsMax: 5_000,
  });
  assert.equal(atB.dataChannels.length, 3);
  atB.close("goodbye");
  await world.clock.run(50);
  assert.equal(atA.dataChannels.length, 0);

  async function channels(count: number, simulatedMsMax: number): Promise<void> {
    const isThere = () => atA.dataChannels.length === count && atB.dataChannels.length === count;
    await drive(world.clock, isThere, { what: `${count} data channels`, simulatedMsMax });
  }
});

test("what the layer above sends arrives, and the pool's own messages do not", async () => {
  const a = await world.start({ host: A });
  const seen: string[] = [];
  const b = await world.start({
    host: B,
    onSession: (session) => {
      session.control.onMessage(({ type }) => seen.push(type));
    },
  });
  point(a, b);
  await joined(a, b, 200);
  only(a).control.send({ type: "stand", root: new Uint8Array(16), pendingFiles: 0, pendingBytes: 0 });
  await world.clock.run(30_000);
  assert.deepEqual(seen, ["stand"]);
});

test("a message that does not belong on a channel ends the session with a protocol error, and both live on", async () => {
  const a = await world.start({ host: A });
  const b = await world.start({ host: B });
  point(a, b);
  await joined(a, b, 200);
  only(a).control.send({ type: "manifest", id: 1, manifest: undefined });
  await drive(world.clock, () => a.ends.length === 1 && b.ends.length === 1, { what: "ended", simulatedMsMax: 500 });
  assert.deepEqual([a.ends[0]?.code, b.ends[0]?.code], ["protocol-error", "protocol-error"]);
  assert.deepEqual([a.ends[0]?.byPeer, b.ends[0]?.byPeer], [true, false]);
  await joined(a, b, 5_000);
  only(a).wantDataChannels(1);
  await drive(world.clock, () => only(b).dataChannels.length === 1, { what: "a data channel", simulatedMsMax: 1_000 });
  only(b).dataChannels[0]?.send({ type: "ping" });
  await drive(world.clock, () => a.ends.length === 2, { what: "ended by the data channel", simulatedMsMax: 500 });
  assert.equal(a.ends[1]?.code, "protocol-error");
});

test("a port that was asked for and is taken is an error; otherwise the next free one is used", async () => {
  await world.start({ host: A });
  await assert.rejects(world.start({ host: A }), {
    code: "environment",
    message: "Cannot listen on port 9000: another program uses it. Choose another with -p, or -p 0 for any.",
  });
  const next = await world.start({ host: A, listenPort: { port: 9000, isExplicit: false } });
  assert.equal(next.pool.port, 9001);
  const any = await world.start({ host: A, listenPort: { port: 0, isExplicit: true } });
  assert.ok(any.pool.port !== undefined && any.pool.port !== 0);
});

test("stopping says goodbye, and takes no longer than a second when a peer does not listen", async () => {
  const a = await world.start({ host: A });
  const b = await world.start({ host: B });
  const c = await world.start({ host: C });
  point(a, b);
  point(a, c);
  await joined(a, b, 500);
  await joined(a, c, 500);
  world.network.silence(A, C);
  let hasStopped = false;
  const stopping = a.pool.stop().then(() => (hasStopped = true));
  await drive(world.clock, () => hasStopped, { what: "stopped", simulatedMsMax: 1_200 });
  await stopping;
  assert.deepEqual(
    b.ends.map(({ code, byPeer }) => ({ code, byPeer })),
    [{ code: "goodbye", byPeer: true }],
  );
  assert.deepEqual(a.pool.sessions, []);
  await world.clock.run(60_000);
  assert.equal(a.sessions.length, 2);
});

function point(from: PoolHost, to: PoolHost): void {
  from.pool.addTarget({ host: to.host, port: 9000, source: "peer-flag" });
}

function discover(from: PoolHost, to: PoolHost): void {
  from.pool.addTarget({ host: to.host, port: 9000, peerId: to.id, source: "discovery" });
}

function joined(a: PoolHost, b: PoolHost, simulatedMsMax: number): Promise<number> {
  return drive(world.clock, () => areJoined(a, b), { what: `${a.host} and ${b.host} joined`, simulatedMsMax });
}

function only({ pool }: PoolHost): Session {
  const [session] = pool.sessions;
  assert.ok(session !== undefined && pool.sessions.length === 1);
  return session;
}

function refusals({ events }: PoolHost) {
  return events.filter((event) => event.type === "refused");
}

function types(events: readonly PoolEvent[]): readonly string[] {
  return events.map(({ type }) => type);
}
