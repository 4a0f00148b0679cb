// What people read to each other with `--verify`: a session's verification value as words. Pure.

import { CODE_WORDS } from "./code-words.ts";

/** 40 bits: neither side of a handshake can try values out (handshake/verification.ts), so a relay has one chance in 10^12. */
const WORDS = 4;
const BITS_OF_A_WORD = 10;

/** `verification`: at least 5 bytes, the same on both sides; the words, 10 bits each from the front, too. */
export function verificationWords(verification: Uint8Array): string {
  const bits = Buffer.from(verification).readUIntBE(0, 5);
  const words = Array.from({ length: WORDS }, (_, index) => {
    const above = 2 ** (BITS_OF_A_WORD * (WORDS - 1 - index));
    return CODE_WORDS[Math.floor(bits / above) % 2 ** BITS_OF_A_WORD] ?? "";
  });
  return words.join(" ");
}
