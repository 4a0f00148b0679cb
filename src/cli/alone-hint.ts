// What to tell a person who waits for a peer in vain. Pure.

import { shellWord } from "../core/shell-word.ts";

/** Without a peer for so long, a person wonders what to check. */
export const ALONE_MS = 5_000;

/** `folder`: absolute. */
export function aloneHint(folder: string): string {
  return (
    "Nobody is here yet. Is dsync running on another machine of this network, with the same --share? " +
    `What may be in the way: dsync doctor -d ${shellWord(folder)}`
  );
}
