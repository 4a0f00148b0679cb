// Valid bytes and texts with something changed: most mistakes of parsers lie close to what is right.

import * as fc from "fast-check";

type Edit =
  | { readonly kind: "set"; readonly at: number; readonly value: number }
  | { readonly kind: "cut"; readonly at: number; readonly length: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "repeat"; readonly at: number; readonly length: number };

const places = fc.nat(1_000_000);

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), at: places, value: fc.nat(255) }),
  fc.record({ kind: fc.constant("cut" as const), at: places, length: fc.nat(40) }),
  fc.record({ kind: fc.constant("insert" as const), at: places, bytes: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ kind: fc.constant("repeat" as const), at: places, length: fc.nat(40) }),
);

/** `valid` with a few edits, or unchanged. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(valid, fc.array(edits, { maxLength: 4 })).map(([bytes, list]) => list.reduce(edited, bytes));
}

/** The same for text: edits may leave what is no UTF-8, which reads as replacement characters. */
export function mutatedText(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return mutated(valid.map((text) => Buffer.from(text))).map((bytes) => Buffer.from(bytes).toString("utf8"));
}

function edited(bytes: Uint8Array, edit: Edit): Uint8Array {
  const at = edit.at % (bytes.length + 1);
  switch (edit.kind) {
    case "set": {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = edit.value;
      return copy;
    }
    case "cut":
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + edit.length)]);
    case "insert":
      return Buffer.concat([bytes.subarray(0, at), edit.bytes, bytes.subarray(at)]);
    case "repeat":
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - edit.length))]);
  }
}
