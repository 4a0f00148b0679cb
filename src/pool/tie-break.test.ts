// Two sides with the real rules over channels that deliver in any order: they always end up with the same one session.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePeerId, type PeerId } from "../core/ids.ts";
import { HELLO_MS_MAX } from "../core/limits.ts";
import { decideInbound, mayCommit, type Standing } from "./tie-break.ts";

type SideName = "small" | "large";

interface Line {
  readonly dialer: SideName;
  /** Messages under way, by receiver. */
  readonly toSmall: string[];
  readonly toLarge: string[];
}

interface Side {
  readonly name: SideName;
  readonly id: PeerId;
  session: Line | undefined;
  committed: Line | undefined;
  /** Every session it ever had. */
  sessions: number;
}

test("dials at any moments, delivered in any order, leave one session, the same on both sides", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { maxLength: 60 }), fc.infiniteStream(fc.nat(1_000)), (moves, rest) => {
      const model = new Model();
      let dials = 0;
      for (const move of moves) {
        if (move % 4 === 0) dials += model.dial(move % 8 === 0 ? "small" : "large") ? 1 : 0;
        else model.deliver(move);
      }
      while (model.deliver(rest.next().value ?? 0)) {
        // Until nothing is under way.
      }
      assert.equal(model.small.session, model.large.session);
      assert.equal(model.small.session !== undefined, dials > 0);
      assert.deepEqual([model.small.committed, model.large.committed], [undefined, undefined]);
      // No session was ever replaced by another one.
      assert.ok(model.small.sessions <= 1 && model.large.sessions <= 1);
    }),
    { numRuns: 1_000 },
  );
});

test("of two that are dialled at once, the one dialled by the smaller peer ID stays", () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(1_000)), (moves) => {
      const model = new Model();
      assert.ok(model.dial("large") && model.dial("small"));
      while (model.deliver(moves.next().value ?? 0)) {
        // Until nothing is under way.
      }
      assert.equal(model.large.session?.dialer, "small");
    }),
  );
});

test("after sessions were lost on one side or both, dialling again leads to one session", () => {
  const losses = fc.array(fc.record({ who: fc.constantFrom("small", "large"), first: fc.boolean() } as const));
  fc.assert(
    fc.property(losses, fc.infiniteStream(fc.nat(1_000)), (steps, moves) => {
      const model = new Model();
      model.dial("small");
      for (const { who, first } of steps) {
        model.settle(moves);
        model.lose(who);
        model.dial(first ? who : "small");
        model.dial(first ? "small" : who);
      }
      for (let round = 0; round < 3 && !model.isJoined; round++) {
        model.settle(moves);
        if (model.isJoined) break;
        model.findDeadSessions();
        model.dial("small");
        model.dial("large");
      }
      model.settle(moves);
      assert.ok(model.isJoined);
    }),
    { numRuns: 500 },
  );
});

test("an old session gives way to a new dial of the other side, whoever is the smaller one", () => {
  const [small, large] = [idOf("0"), idOf("f")];
  const old: Standing = { kind: "session", dialedBy: "us", ageMs: HELLO_MS_MAX + 1 };
  const young: Standing = { kind: "session", dialedBy: "us", ageMs: 0 };
  assert.equal(decideInbound({ ownId: small, peerId: large, standing: old }), "take");
  assert.equal(decideInbound({ ownId: small, peerId: large, standing: young }), "reject");
  assert.equal(decideInbound({ ownId: large, peerId: small, standing: young }), "take");
  const theirs: Standing = { kind: "session", dialedBy: "them", ageMs: 0 };
  assert.equal(decideInbound({ ownId: small, peerId: large, standing: theirs }), "take");
  assert.equal(mayCommit(old), false);
});

/** What the pool does with the rules, reduced to hellos and closes. */
class Model {
  readonly small: Side = { name: "small", id: idOf("0"), session: undefined, committed: undefined, sessions: 0 };
  readonly large: Side = { name: "large", id: idOf("f"), session: undefined, committed: undefined, sessions: 0 };
  readonly #lines: Line[] = [];

  get isJoined(): boolean {
    return this.small.session !== undefined && this.small.session === this.large.session;
  }

  /** A handshake that `name` dialled has finished: false if it may not commit to it. */
  dial(name: SideName): boolean {
    const side = this[name];
    if (!mayCommit(standingOf(side))) return false;
    const line: Line = { dialer: name, toSmall: [], toLarge: [] };
    this.#lines.push(line);
    side.committed = line;
    send(line, side, "hello");
    return true;
  }

  /** Delivers one of the messages that are next on their line; false if there is none. */
  deliver(choice: number): boolean {
    const ready = this.#lines.flatMap((line) => [
      ...(line.toSmall.length > 0 ? [{ line, queue: line.toSmall, side: this.small }] : []),
      ...(line.toLarge.length > 0 ? [{ line, queue: line.toLarge, side: this.large }] : []),
    ]);
    const next = ready[choice % ready.length];
    if (next === undefined) return false;
    const message = next.queue.shift();
    if (message === "close") forget(next.side, next.line);
    else if (next.line.dialer === next.side.name) this.#answered(next.side, next.line);
    else this.#asked(next.side, next.line);
    return true;
  }

  settle(moves: fc.Stream<number>): void {
    while (this.deliver(moves.next().value ?? 0)) {
      // Until nothing is under way.
    }
  }

  /** The side gives up its session, and the other is not told. */
  lose(name: SideName): void {
    this[name].session = undefined;
  }

  /** Keep-alive, or a probe, finds out that the other side does not know the session. */
  findDeadSessions(): void {
    const { small, large } = this;
    if (small.session !== large.session) [small.session, large.session] = [undefined, undefined];
  }

  #asked(side: Side, line: Line): void {
    const peer = side === this.small ? this.large : this.small;
    const standing = standingOf(side);
    if (decideInbound({ ownId: side.id, peerId: peer.id, standing }) === "reject") return send(line, side, "close");
    for (const before of [side.committed, side.session]) if (before !== undefined) send(before, side, "close");
    side.committed = undefined;
    side.session = line;
    side.sessions++;
    send(line, side, "hello");
  }

  #answered(side: Side, line: Line): void {
    if (side.committed !== line) return;
    side.committed = undefined;
    side.session = line;
    side.sessions++;
  }
}

function standingOf({ name, session, committed }: Side): Standing {
  if (session !== undefined) {
    return { kind: "session", dialedBy: session.dialer === name ? "us" : "them", ageMs: 0 };
  }
  return { kind: committed === undefined ? "none" : "committed" };
}

function send(line: Line, from: Side, message: "hello" | "close"): void {
  (from.name === "small" ? line.toLarge : line.toSmall).push(message);
}

function forget(side: Side, line: Line): void {
  if (side.session === line) side.session = undefined;
  if (side.committed === line) side.committed = undefined;
}

function idOf(digit: string): PeerId {
  const id = parsePeerId(digit.repeat(64));
  assert.ok(id !== undefined);
  return id;
}
