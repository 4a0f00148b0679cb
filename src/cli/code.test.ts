import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DsyncError } from "../core/errors.ts";
import { systemRandom } from "../edge/random.ts";
import { CODE_WORDS } from "./code-words.ts";
import { codeBanner, makeCode, parseCode } from "./code.ts";

function messageOf(text: string): string {
  try {
    parseCode(text);
  } catch (error) {
    assert.ok(error instanceof DsyncError && error.code === "usage");
    return error.message;
  }
  return "accepted";
}

test("there are 1,024 words, in order, short and plain", () => {
  assert.equal(CODE_WORDS.length, 1_024);
  assert.deepEqual([...new Set(CODE_WORDS)].toSorted(), CODE_WORDS);
  for (const word of CODE_WORDS) assert.match(word, /^[a-z]{4,8}$/);
});

test("no word is one slip away from another", () => {
  const owners = new Map<string, string>();
  for (const word of CODE_WORDS) {
    // Two words are one letter apart exactly if they are equal where one position is blotted out or taken out.
    const forms = [word];
    for (let at = 0; at < word.length; at++) {
      forms.push(`${word.slice(0, at)}?${word.slice(at + 1)}`, word.slice(0, at) + word.slice(at + 1));
    }
    for (const form of new Set(forms)) {
      const owner = owners.get(form);
      assert.ok(owner === undefined || !isSlip(word, owner), `${word} and ${owner}`);
      owners.set(form, word);
    }
  }
});

function isSlip(a: string, b: string): boolean {
  const without = (word: string) => Array.from(word, (_, at) => word.slice(0, at) + word.slice(at + 1));
  if (a.length !== b.length) return without(a).includes(b) || without(b).includes(a);
  const differing = Array.from(a).filter((letter, at) => letter !== b[at]).length;
  return differing === 1 || (differing === 2 && sorted(a) === sorted(b));
}

function sorted(word: string): string {
  return Array.from(word).toSorted().join("");
}

test("codes round-trip, also shouted, with spaces or with commas", () => {
  for (let count = 0; count < 200; count++) {
    const code = makeCode(systemRandom);
    assert.match(code, /^[a-z]+-[a-z]+-[a-z]+$/);
    assert.equal(parseCode(code), code);
    assert.equal(parseCode(`  ${code.toUpperCase().replaceAll("-", " , ")} `), code);
    assert.equal(parseCode(code.replaceAll("-", "--")), code);
  }
});

test("every word is used, and as often as the others: the bytes decide, evenly", () => {
  const seen = new Map<string, number>();
  for (let value = 0; value < 65_536; value++) {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt16BE(value, 2);
    const word = makeCode({ bytes: () => bytes, fraction: () => 0 }).split("-")[1] ?? "";
    seen.set(word, (seen.get(word) ?? 0) + 1);
  }
  assert.equal(seen.size, 1_024);
  assert.ok([...seen.values()].every((count) => count === 64));
});

test("a typing mistake in any word is caught, and the word that was meant is named", () => {
  const place = fc.nat({ max: CODE_WORDS.length - 1 });
  fc.assert(
    fc.property(
      place,
      fc.nat({ max: 2 }),
      fc.nat({ max: 7 }),
      fc.constantFrom("a", "b", "c", "x", "y", "z"),
      (at, which, where, by) => {
        const word = CODE_WORDS[at] ?? "";
        const position = where % word.length;
        const typed = word.slice(0, position) + by + word.slice(position + 1);
        fc.pre(typed !== word);
        const words = ["apple", "apple", "apple"];
        words[which] = typed;
        const message = messageOf(words.join("-"));
        assert.match(message, new RegExp(`^The ${["first", "second", "third"][which] ?? ""} word`));
        assert.match(message, /Did you mean [a-z]+\?/);
      },
    ),
  );
  assert.match(messageOf("apple-tigre-bread"), /Did you mean tiger\?/);
});

test("too few and too many words, and words that are nothing like one", () => {
  assert.match(messageOf("apple-bread"), /this one has 2/);
  assert.match(messageOf("apple-bread-butter-cheese"), /this one has 4/);
  assert.match(messageOf("apple-bread-qqqqqqq"), /third word .* Look again/);
  assert.doesNotMatch(messageOf("apple-bread-qqqqqqq"), /qqqqqqq|apple-bread/);
});

test("the banner shows the words large, and what to type on the other machine", () => {
  const banner = codeBanner("apple-bread-butter");
  assert.match(banner, /APPLE {2}- {2}BREAD {2}- {2}BUTTER/);
  assert.match(banner, /--code apple-bread-butter/);
});
