import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeChannel, sessionOver } from "../../test/support/fake-channel.ts";
import { turnEventLoop } from "../../test/support/fake-clock.ts";
import type { Clock } from "../edge/clock.ts";
import { createFingerprinter } from "../index/fingerprint.ts";
import { Ledger } from "../index/ledger.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { hash, replicaId, settled } from "../index/store-contract.ts";
import type { WantMessage } from "../pool/messages.ts";
import { Conversation } from "./conversation.ts";

const RECORDS = 1_000;
/** Wants of everything that are more than a peer may leave unanswered. */
const TOO_MANY = 300;
const EVERYTHING: WantMessage = {
  type: "want",
  prefixes: Array.from({ length: 256 }, () => []),
  hashes: new Uint8Array(0),
};

/** Time passes with each look at the clock, and timers fire when the test says so. */
class SlowWork implements Clock {
  #ms = 0;
  readonly #due: (() => void)[] = [];

  now(): number {
    return this.#ms;
  }

  monotonic(): number {
    return this.#ms++;
  }

  after(delayMs: number, action: () => void): { clear: () => void } {
    if (delayMs === 0) this.#due.push(action);
    return { clear: () => {} };
  }

  /** Whether somebody waited for a turn of the event loop, which has passed then. */
  async turn(): Promise<boolean> {
    const actions = this.#due.splice(0);
    for (const action of actions) action();
    await turnEventLoop();
    return actions.length > 0;
  }
}

/** Over a connection that takes `roomFor` messages, and that lasts for a while when it was closed. */
class CloggedChannel extends FakeChannel {
  roomFor = Infinity;
  closedWith: string | undefined;
  #onClosed: () => void = () => {};

  override get isCongested(): boolean {
    return this.closedWith === undefined && this.sent.length >= this.roomFor;
  }

  override writable(): Promise<void> {
    return new Promise((resolve) => (this.#onClosed = resolve));
  }

  override close(code: string): void {
    this.closedWith = code;
    this.#onClosed();
  }
}

function converse(): { readonly channel: CloggedChannel; readonly clock: SlowWork; readonly looks: () => number } {
  const store = createMemoryStore({ replicaId: replicaId(1), hash });
  for (let index = 0; index < RECORDS; index++) store.put(settled(`file${index}`, 1));
  let looks = 0;
  const pathsIn = store.pathsIn.bind(store);
  store.pathsIn = (prefix) => {
    looks++;
    return pathsIn(prefix);
  };
  const channel = new CloggedChannel();
  const clock = new SlowWork();
  const nothing = (): void => {};
  void new Conversation({
    session: sessionOver(channel),
    clock,
    ledger: new Ledger(store),
    fingerprinter: createFingerprinter(hash),
    onEntries: nothing,
    onSharing: nothing,
    onStand: nothing,
  });
  return { channel, clock, looks: () => looks };
}

function toldTo(channel: FakeChannel): number {
  return channel.sent.reduce((sum, message) => sum + (message.type === "entries" ? message.entries.length : 0), 0);
}

test("who asks for everything many times at once is told once, and the event loop turns meanwhile", async () => {
  const { channel, clock } = converse();
  channel.receive(EVERYTHING);
  await turnEventLoop();
  let turns = 0;
  while (await clock.turn()) turns++;
  assert.equal(toldTo(channel), RECORDS);
  assert.equal(channel.sent.at(-1)?.type, "compared");
  assert.ok(turns >= 10, `${turns} turns`);
});

test("answering ends when the session is closed, also if the connection lasts for a while", async () => {
  const { channel, clock, looks } = converse();
  channel.roomFor = 10;
  channel.receive(EVERYTHING);
  while (!channel.isCongested) await clock.turn();
  for (let question = 0; question < TOO_MANY; question++) channel.receive(EVERYTHING);
  assert.equal(channel.closedWith, "overload");
  await clock.turn();
  const before = looks();
  while (await clock.turn());
  assert.equal(looks(), before);
});

test("answering ends when the session ends", async () => {
  const { channel, clock, looks } = converse();
  channel.receive(EVERYTHING);
  await clock.turn();
  channel.end();
  await clock.turn();
  const before = looks();
  while (await clock.turn());
  assert.equal(looks(), before);
  assert.ok(toldTo(channel) < RECORDS);
});
