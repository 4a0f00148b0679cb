import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePeerId, type PeerId } from "../core/ids.ts";
import {
  DIAL_MS_MAX,
  DIAL_TARGETS_MAX,
  DIALS_MAX,
  FIRST_DIAL_MS_MAX,
  REDIAL_MS_MAX,
  REFUSED_MS,
} from "../core/limits.ts";
import { Dialer, type DialOutcome, type DialRequest } from "./dialer.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";

const OWN = idOf("5");
const SMALLER = idOf("1");
const LARGER = idOf("9");

function setUp(answer: (request: DialRequest, count: number) => DialOutcome | Promise<DialOutcome>) {
  const clock = new FakeClock();
  const connected = new Set<PeerId>();
  const dials: { readonly host: string; readonly atMs: number; readonly connectMsMax: number }[] = [];
  const dialer = new Dialer({
    clock,
    random: { bytes: () => new Uint8Array(0), fraction: () => 1 },
    ownId: OWN,
    isConnected: (peerId) => connected.has(peerId),
    dial: async (request) => {
      dials.push({ host: request.target.host, atMs: clock.monotonic(), connectMsMax: request.connectMsMax });
      return answer(request, dials.length);
    },
  });
  return { clock, connected, dials, dialer };
}

const failed: DialOutcome = { kind: "failed" };
const forever = () => new Promise<DialOutcome>(() => {});

test("a target that does not answer is dialled again and again, more and more rarely, for ever", async () => {
  const { clock, dials, dialer } = setUp(() => failed);
  dialer.add({ host: "a", port: 1, source: "peer-flag" });
  await clock.run(3_700);
  assert.deepEqual(
    dials.map(({ atMs }) => atMs),
    [0, 100, 350, 850, 1850],
  );
  assert.deepEqual(dials.map(({ connectMsMax }) => connectMsMax).slice(0, 2), [FIRST_DIAL_MS_MAX, DIAL_MS_MAX]);
  await clock.run(600_000);
  const last = dials.slice(-3).map(({ atMs }) => atMs);
  assert.deepEqual([(last[1] ?? 0) - (last[0] ?? 0), (last[2] ?? 0) - (last[1] ?? 0)], [REDIAL_MS_MAX, REDIAL_MS_MAX]);
});

test("the addresses of one peer are dialled in turn, and the one that answered comes first the next time", async () => {
  const { clock, connected, dials, dialer } = setUp(({ target }) => {
    if (target.host !== "c") return failed;
    connected.add(LARGER);
    return { kind: "answered", peerId: LARGER };
  });
  for (const host of ["a", "b", "c", "d"]) dialer.add({ host, port: 1, peerId: LARGER, source: "discovery" });
  await clock.run(10_000);
  assert.deepEqual(
    dials.map(({ host, atMs }) => [host, atMs]),
    [
      ["a", 0],
      ["b", 0],
      ["c", 0],
    ],
  );
  connected.clear();
  dialer.sessionEnded(LARGER, 60_000);
  await clock.run(1_000);
  assert.deepEqual(
    dials.map(({ host }) => host),
    ["a", "b", "c", "c"],
  );
});

test("the larger peer ID waits a moment before it dials a discovered peer", async () => {
  const { clock, dials, dialer } = setUp(forever);
  dialer.add({ host: "small", port: 1, peerId: SMALLER, source: "discovery" });
  dialer.add({ host: "large", port: 1, peerId: LARGER, source: "discovery" });
  await clock.run(1_000);
  assert.deepEqual(
    dials.map(({ host, atMs }) => [host, atMs]),
    [
      ["large", 0],
      ["small", 150],
    ],
  );
});

test("a peer that is connected already is not dialled until its session ends", async () => {
  const { clock, connected, dials, dialer } = setUp(() => failed);
  connected.add(LARGER);
  dialer.add({ host: "a", port: 1, peerId: LARGER, source: "discovery" });
  await clock.run(60_000);
  assert.equal(dials.length, 0);
  connected.clear();
  dialer.sessionEnded(LARGER, 60_000);
  await clock.run(100);
  assert.equal(dials.length, 1);
});

test("sessions that end at once are not a reason to dial without pause", async () => {
  const { clock, connected, dials, dialer } = setUp(async () => {
    connected.add(LARGER);
    clock.after(10, () => {
      connected.clear();
      dialer.sessionEnded(LARGER, 10);
    });
    return { kind: "answered", peerId: LARGER };
  });
  dialer.add({ host: "a", port: 1, source: "peer-flag" });
  await clock.run(120_000);
  assert.ok(dials.length <= 13, `${dials.length} dials`);
});

test("a refusal lasts a while for its address; a new address of the peer is dialled at once", async () => {
  const { clock, dials, dialer } = setUp(({ target }) => (target.host === "a" ? { kind: "refused" } : failed));
  dialer.add({ host: "a", port: 1, peerId: LARGER, source: "discovery" });
  await clock.run(REFUSED_MS - 1);
  assert.equal(dials.length, 1);
  dialer.add({ host: "b", port: 1, peerId: LARGER, source: "discovery" });
  await clock.run(0);
  assert.deepEqual(
    dials.map(({ host }) => host),
    ["a", "b"],
  );
});

test("a target that is ourselves is dropped for good, a peer's other addresses are not", async () => {
  const { clock, dials, dialer } = setUp(({ target }) => (target.host === "self" ? { kind: "self" } : failed));
  dialer.add({ host: "self", port: 1, source: "peer-flag" });
  dialer.add({ host: "self", port: 2, peerId: LARGER, source: "discovery" });
  dialer.add({ host: "other", port: 2, peerId: LARGER, source: "discovery" });
  dialer.add({ host: "own", port: 3, peerId: OWN, source: "discovery" });
  await clock.run(60_000);
  const count = (host: string) => dials.filter((dial) => dial.host === host).length;
  assert.equal(count("self"), 2);
  assert.equal(count("own"), 0);
  assert.ok(count("other") > 5);
});

test("only so many dials are under way, the others follow, and only so many targets are kept", async () => {
  const waiting: ((outcome: DialOutcome) => void)[] = [];
  const { clock, dials, dialer } = setUp(() => new Promise((resolve) => waiting.push(resolve)));
  for (let count = 0; count < DIAL_TARGETS_MAX + 100; count++) {
    dialer.add({ host: `host ${count}`, port: 1, source: "peer-flag" });
  }
  assert.equal(dials.length, DIALS_MAX);
  for (let count = 0; count < DIAL_TARGETS_MAX; count++) {
    waiting.shift()?.({ kind: "self" });
    await clock.run(0);
  }
  assert.equal(dials.length, DIAL_TARGETS_MAX);
  dialer.remove({ host: "host 0", port: 1, source: "peer-flag" });
  dialer.add({ host: "one more", port: 1, source: "peer-flag" });
  assert.equal(dials.length, DIAL_TARGETS_MAX + 1);
});

test("removing a target, and stopping, abort what is under way", async () => {
  const signals: AbortSignal[] = [];
  const { clock, dials, dialer } = setUp(({ signal }) => {
    signals.push(signal);
    return forever();
  });
  dialer.add({ host: "a", port: 1, source: "peer-flag" });
  dialer.add({ host: "b", port: 1, source: "peer-flag" });
  dialer.remove({ host: "a", port: 1, source: "peer-flag" });
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  );
  dialer.stop();
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, true],
  );
  dialer.add({ host: "c", port: 1, source: "peer-flag" });
  await clock.run(60_000);
  assert.equal(dials.length, 2);
  assert.equal(clock.pendingTimers, 0);
});

function idOf(digit: string): PeerId {
  const id = parsePeerId(digit.repeat(64));
  assert.ok(id !== undefined);
  return id;
}
