import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parsePeerId, type PeerId } from "../core/ids.ts";
import { ChunkPicker, type PickedChunk } from "./chunk-picker.ts";

const KIB = 1024;

/** Peer IDs as far apart as hashes are. */
function peer(number: number): PeerId {
  const head = (Math.imul(number + 1, 0x9e37_79b1) >>> 0).toString(16).padStart(8, "0");
  return parsePeerId(head.repeat(8)) ?? assert.fail();
}

function chunks(count: number): PickedChunk[] {
  return Array.from({ length: count }, (_, index) => ({ index, length: 256 * KIB }));
}

function picker(self: PeerId, count: number, members: readonly PeerId[] = []): ChunkPicker<PickedChunk> {
  const made = new ChunkPicker({ self, count, isSpread: members.length > 0 });
  made.need(chunks(count));
  for (const member of members) made.addMember(member);
  return made;
}

function drain(from: ChunkPicker<PickedChunk>, anyShare: boolean): number[] {
  const taken: number[] = [];
  for (let next = from.take(KIB * KIB, anyShare); next.length > 0; next = from.take(KIB * KIB, anyShare)) {
    taken.push(...next.map(({ index }) => index));
  }
  return taken;
}

test("who is alone gets everything, in order", () => {
  assert.deepEqual(
    drain(picker(peer(0), 100), false),
    chunks(100).map(({ index }) => index),
  );
});

test("the shares of those who know each other are the whole, once, and about equal", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 3_000 }), (count, size) => {
      const peers = Array.from({ length: count }, (_, number) => peer(number));
      const shares = peers.map((self) =>
        drain(
          picker(
            self,
            size,
            peers.filter((other) => other !== self),
          ),
          false,
        ),
      );
      assert.deepEqual(
        shares.flat().toSorted((a, b) => a - b),
        chunks(size).map(({ index }) => index),
      );
      if (size > 2_000) {
        for (const share of shares) assert.ok(share.length < (3 * size) / count + 64, `${share.length} of ${size}`);
      }
    }),
  );
});

test("who leaves moves only its own share", () => {
  const [self, other, third] = [peer(0), peer(1), peer(2)];
  const before = drain(picker(self, 1_000, [other, third]), false);
  const shrunk = picker(self, 1_000, [other, third]);
  shrunk.removeMember(third);
  const after = new Set(drain(shrunk, false));
  assert.ok(after.size > before.length);
  assert.ok(before.every((index) => after.has(index)));
});

test("whatever happens, a chunk is handed out once, and given back is handed out again", () => {
  type Step =
    | { kind: "take"; anyShare: boolean }
    | { kind: "member" | "leave" | "take-from"; number: number }
    | { kind: "had"; number: number; chunks: number[] }
    | { kind: "give-back" };
  const number = fc.integer({ min: 1, max: 4 });
  const steps = fc.array(
    fc.oneof<fc.Arbitrary<Step>[]>(
      fc.record({ kind: fc.constant("take" as const), anyShare: fc.boolean() }),
      fc.record({ kind: fc.constantFrom("member" as const, "leave" as const, "take-from" as const), number }),
      fc.record({ kind: fc.constant("had" as const), number, chunks: fc.array(fc.nat(60), { maxLength: 20 }) }),
      fc.constant({ kind: "give-back" as const }),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 50 }), (list, count) => {
      const own = picker(peer(0), count);
      const out = new Map<number, PickedChunk>();
      const hand = (taken: readonly PickedChunk[]): void => {
        for (const chunk of taken) {
          assert.ok(!out.has(chunk.index), `${chunk.index} twice`);
          out.set(chunk.index, chunk);
        }
      };
      for (const step of list) {
        if (step.kind === "take") hand(own.take(600 * KIB, step.anyShare));
        else if (step.kind === "member") own.addMember(peer(step.number));
        else if (step.kind === "leave") own.removeMember(peer(step.number));
        else if (step.kind === "had") own.noteHad(peer(step.number), step.chunks);
        else if (step.kind === "take-from") {
          const isOffered = own.mayTakeFromMember(peer(step.number));
          const taken = own.takeFromMember(peer(step.number), 600 * KIB);
          assert.equal(taken.length > 0, isOffered);
          hand(taken);
        } else {
          own.need([...out.values()]);
          out.clear();
        }
        assert.equal(own.size, count - out.size);
      }
      drain(own, true).forEach((index) => out.set(index, { index, length: 0 }));
      assert.equal(out.size, count);
    }),
  );
});

test("what a member says to have beyond the content's end is nothing", () => {
  const own = picker(peer(0), 3, [peer(1)]);
  own.noteHad(peer(1), [7, 4_000_000_000]);
  assert.ok(!own.mayTakeFromMember(peer(1)));
  own.noteHad(peer(2), [1]);
  assert.ok(!own.mayTakeFromMember(peer(2)), "that is no member");
});
