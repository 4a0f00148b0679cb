// A path inside a command that a person is told to type.

import { escapeForTerminal } from "./escape.ts";

/** `text` as one word of a POSIX shell, in quotes only if it needs them; what cannot be typed is escaped for the eye. */
export function shellWord(text: string): string {
  const shown = escapeForTerminal(text);
  return /^[\p{L}\p{N}@%+=:,./~_-]+$/u.test(shown) ? shown : `'${shown.replaceAll("'", String.raw`'\''`)}'`;
}
