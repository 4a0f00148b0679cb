import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { protocolError } from "../core/errors.ts";
import { replicaIdFromBytes } from "../core/ids.ts";
import type { HelloMessage, Message } from "./messages.ts";
import { PoolChannel, type HelloOutcome } from "./pool-channel.ts";
import { FakeChannel } from "../../test/support/fake-channel.ts";
import { FakeClock, turnEventLoop } from "../../test/support/fake-clock.ts";
import { memoryConnectionPair } from "../../test/support/memory-connection.ts";

const hello: HelloMessage = {
  type: "hello",
  purpose: "control",
  share: "default",
  name: "anna",
  replicaId: replicaIdFromBytes(new Uint8Array(8)),
  dataChannelsMax: 4,
};
const compared: Message = { type: "compared" };

let clock: FakeClock;
let inner: FakeChannel;
let channel: PoolChannel;
beforeEach(() => {
  clock = new FakeClock();
  inner = new FakeChannel();
  const [connection] = memoryConnectionPair();
  channel = new PoolChannel({ channel: inner, connection }, clock);
});

test("what comes behind the hello waits for its handlers, in order, and meanwhile nothing more is read", async () => {
  const outcome = channel.receiveHello();
  const own: string[] = [];
  const seen: string[] = [];
  inner.receive(hello);
  inner.receive({ type: "ping" });
  inner.receive(compared);
  inner.receive({ type: "want-channels", count: 2 });
  assert.equal(inner.isPaused, true);
  assert.deepEqual(await outcome, { kind: "hello", hello });
  channel.serve("control", ({ type }) => own.push(type));
  assert.deepEqual(own, ["ping"]);
  assert.equal(inner.isPaused, true);
  channel.onMessage(({ type }) => seen.push(type));
  await turnEventLoop();
  assert.deepEqual([own, seen, inner.isPaused], [["ping", "want-channels"], ["compared"], false]);
  inner.receive(compared);
  assert.deepEqual(seen, ["compared", "compared"]);
});

test("a paused channel hands nothing on, and goes on where it was", async () => {
  const seen = await serve();
  channel.pause();
  assert.deepEqual([inner.isPaused, channel.isPaused], [true, true]);
  inner.receive(compared);
  await turnEventLoop();
  assert.deepEqual(seen, []);
  channel.resume();
  await turnEventLoop();
  assert.deepEqual([seen, inner.isPaused], [["compared"], false]);
});

test("a peer that says nothing, or something else first, is dropped", async () => {
  const outcome = channel.receiveHello();
  clock.advance(5_000);
  assert.deepEqual(await outcome, { kind: "ended", end: { code: "timeout", byPeer: false, detail: "no hello" } });
});

test("the first message must be a hello", async () => {
  const outcome = channel.receiveHello();
  inner.receive(compared);
  assert.equal(codeOf(await outcome), "protocol-error");
  assert.equal(clock.pendingTimers, 0);
});

test("a second hello, and a message of the other kind of channel, break the protocol", async () => {
  for (const message of [hello, { type: "manifest", id: 1, manifest: undefined } satisfies Message]) {
    inner = new FakeChannel();
    const [connection] = memoryConnectionPair();
    channel = new PoolChannel({ channel: inner, connection }, clock);
    const seen = await serve();
    inner.receive(message);
    assert.equal((await channel.ended).code, "protocol-error");
    assert.deepEqual(seen, []);
  }
});

test("what the layer above refuses closes the channel; nothing is handed on afterwards", async () => {
  await serve();
  let calls = 0;
  channel.onMessage(() => {
    calls++;
    throw protocolError("nonsense");
  });
  inner.receive(compared);
  inner.receive(compared);
  const end = await channel.ended;
  assert.deepEqual([end.code, end.detail, calls], ["protocol-error", "nonsense", 1]);
});

test("a close that the other side does not take is cut short", async () => {
  const [connection] = memoryConnectionPair();
  let isGone = false;
  connection.onEnd(() => (isGone = true));
  const stubborn = Object.assign(new FakeChannel(), { close: () => {} });
  channel = new PoolChannel({ channel: stubborn, connection }, clock);
  channel.close("goodbye");
  await clock.run(999);
  assert.equal(isGone, false);
  await clock.run(1);
  assert.equal(isGone, true);
});

test("when the other side has closed, the connection is let go of at once", async () => {
  const [connection] = memoryConnectionPair();
  let isGone = false;
  connection.onEnd(() => (isGone = true));
  channel = new PoolChannel({ channel: inner, connection }, clock);
  inner.end({ code: "goodbye", byPeer: true, detail: "" });
  await turnEventLoop();
  assert.equal(isGone, true);
});

async function serve(): Promise<string[]> {
  const seen: string[] = [];
  const outcome = channel.receiveHello();
  inner.receive(hello);
  await outcome;
  channel.serve("control", () => {});
  channel.onMessage(({ type }) => seen.push(type));
  await turnEventLoop();
  return seen;
}

function codeOf(outcome: HelloOutcome): string {
  return outcome.kind === "ended" ? outcome.end.code : outcome.kind;
}
