// What the crash test writes into an index, turn by turn: a function of the seed, so that the test can tell what the
// index must hold after any number of turns.

import { EMPTY_ENTRY, type PathRecord } from "../../src/index/entry.ts";
import { fileEntry, path, signature, tombstone } from "../../src/index/store-contract.ts";
import { randomFrom } from "./seeded.ts";

const PATHS = 300;

/** The changes of one turn: whole records, or paths to remove. */
export function turnOf(seed: number, turn: number): readonly (PathRecord | string)[] {
  const random = randomFrom(seed * 1_000_003 + turn);
  // Now and then a large turn, so that kills hit the middle of long transactions.
  const length = random() < 0.1 ? 400 : 1 + Math.floor(random() * 12);
  return Array.from({ length }, () => {
    const name = nameOf(Math.floor(random() * PATHS));
    const counter = turn * 1000 + 1;
    const kind = random();
    if (kind < 0.1) return name;
    if (kind < 0.2) {
      return {
        path: path(name),
        known: tombstone(counter),
        present: EMPTY_ENTRY,
        signature: undefined,
        residue: false,
      };
    }
    const known = fileEntry({ counter, content: Math.floor(random() * 20) });
    const isPending = random() < 0.3;
    const present = isPending ? fileEntry({ counter: counter + 1, content: "old" }) : known;
    return { path: path(name), known, present, signature: signature(counter), residue: false };
  });
}

/** What the index holds after `turns` turns. */
export function contentAfter(seed: number, turns: number): Map<string, PathRecord> {
  const records = new Map<string, PathRecord>();
  for (let turn = 0; turn < turns; turn++) {
    for (const change of turnOf(seed, turn)) {
      if (typeof change === "string") records.delete(change);
      else records.set(change.path, change);
    }
  }
  return records;
}

function nameOf(index: number): string {
  return `directory ${index % 7}/file ${index} ${"x".repeat(index)}`;
}
