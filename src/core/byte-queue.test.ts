import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "./assert.ts";
import { ByteQueue } from "./byte-queue.ts";

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.nat({ max: 5000 }).map((length) => Uint8Array.from({ length }, (_, index) => index * 7 + length)),
);
const step = fc.oneof(
  fc.record({ kind: fc.constant("push" as const), piece }),
  fc.record({
    kind: fc.constantFrom("take" as const, "takePieces" as const, "takeInto" as const),
    count: fc.nat({ max: 6000 }),
  }),
);

test("what comes out is what went in, however it is pushed and taken, and stays as it was", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new ByteQueue();
      const pushed: Uint8Array[] = [];
      const taken: Uint8Array[] = [];
      for (const step of steps) {
        if (step.kind === "push") {
          pushed.push(step.piece);
          queue.push(step.piece);
          continue;
        }
        const count = Math.min(step.count, queue.length);
        if (step.kind === "take") taken.push(queue.take(count));
        else if (step.kind === "takePieces") taken.push(...queue.takePieces(count));
        else {
          const target = new Uint8Array(count + 1);
          assert.equal(queue.takeInto(target.subarray(0, count), 0), count);
          taken.push(target.subarray(0, count));
        }
      }
      taken.push(queue.take(queue.length));
      assert.deepEqual(Buffer.concat(taken), Buffer.concat(pushed));
    }),
  );
});

test("thousands of single bytes are carried as few pieces", () => {
  const queue = new ByteQueue();
  for (let index = 0; index < 100_000; index++) queue.push(Uint8Array.of(index));
  const pieces = queue.takePieces(queue.length);
  assert.ok(pieces.length < 100, `${pieces.length} pieces`);
});

test("a large piece is handed on without a copy", () => {
  const queue = new ByteQueue();
  const large = new Uint8Array(10_000);
  queue.push(Uint8Array.of(1));
  queue.push(large);
  queue.take(1);
  assert.equal(queue.isContiguous(10_000), true);
  assert.equal(queue.isContiguous(10_001), false);
  assert.equal(queue.take(10_000).buffer, large.buffer);
});

test("more than there is cannot be taken", () => {
  const queue = new ByteQueue();
  queue.push(new Uint8Array(3));
  assert.throws(() => queue.take(4), InvariantError);
  assert.equal(queue.length, 3);
});
