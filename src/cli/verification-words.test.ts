import assert from "node:assert/strict";
import { test } from "node:test";
import { CODE_WORDS } from "./code-words.ts";
import { verificationWords } from "./verification-words.ts";

function word(index: number): string {
  return CODE_WORDS.at(index) ?? "";
}

test("40 bits are four words, from the front", () => {
  const [first, second, last] = [word(0), word(1), word(-1)];
  assert.equal(verificationWords(Buffer.from("0000000000ff", "hex")), [first, first, first, first].join(" "));
  assert.equal(verificationWords(Buffer.from("ffffffffff00", "hex")), [last, last, last, last].join(" "));
  // 0000000001 0000000000 0000000000 1111111111
  assert.equal(verificationWords(Buffer.from("00400003ff", "hex")), [second, first, first, last].join(" "));
});

test("each of the 40 bits changes them, and no later one", () => {
  const bytes = Buffer.alloc(32, 0x5a);
  const words = verificationWords(bytes);
  for (let bit = 0; bit < 48; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(verificationWords(changed) === words, bit >= 40, `bit ${bit}`);
  }
});
