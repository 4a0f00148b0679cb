// Codes: three words that are easy to say, which are the passphrase of one run. Pure; the randomness is an argument.

import type { Random } from "../edge/random.ts";
import { CODE_WORDS } from "./code-words.ts";
import { nearest } from "./nearest.ts";
import { usageError } from "./settings.ts";

/** 30 bits in all: against one guess for each connection, and few failed connections for each address. */
const WORDS_OF_A_CODE = 3;
const ORDINALS = ["first", "second", "third"];

/** A new code: `word-word-word`. */
export function makeCode(random: Random): string {
  const bytes = Buffer.from(random.bytes(2 * WORDS_OF_A_CODE));
  // The number of words divides 2^16, so each is as likely as the others.
  const words = Array.from({ length: WORDS_OF_A_CODE }, (_, index) => {
    return CODE_WORDS[bytes.readUInt16BE(2 * index) % CODE_WORDS.length] ?? "";
  });
  return words.join("-");
}

/**
 * The code that a person typed, as {@link makeCode} writes it: case and what stands between the words do not count.
 * Throws a DsyncError `usage` that names what is wrong, but never repeats the code.
 */
export function parseCode(text: string): string {
  const words = text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
  if (words.length !== WORDS_OF_A_CODE) {
    throw usageError(
      `A code has ${WORDS_OF_A_CODE} words, as in --code ${exampleCode()}, and this one has ${words.length}. ` +
        "--code alone makes a new one; for words of your own, use --passphrase.",
    );
  }
  const known = new Set(CODE_WORDS);
  for (const [index, word] of words.entries()) {
    if (known.has(word)) continue;
    const meant = nearest(word, CODE_WORDS);
    const hint = meant === undefined ? "Look again at what the other machine shows" : `Did you mean ${meant}?`;
    throw usageError(`The ${ORDINALS[index] ?? "last"} word of the code is none that dsync uses. ${hint}`);
  }
  return words.join("-");
}

/** What the first machine shows: large enough to be read from a chair away. */
export function codeBanner(code: string): string {
  const spaced = code.toUpperCase().split("-").join("  -  ");
  const rule = "=".repeat(spaced.length + 6);
  return `\n${rule}\n\n   ${spaced}\n\n${rule}\n\nOn the other machine: dsync -d <folder> --code ${code}\n\n`;
}

function exampleCode(): string {
  return CODE_WORDS.slice(0, WORDS_OF_A_CODE).join("-");
}
