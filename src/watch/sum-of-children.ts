// What a scan sees in a directory, as the number that the index keeps of it (index/listing-sum.ts).

import { addSum, emptySum, hashOfChild, sumToKey } from "../index/listing-sum.ts";
import type { ScannedChild } from "./scan-job.ts";

/**
 * `undefined` where the disk's spelling of a name is another than ours, or a child cannot be looked at: these are
 * compared each time.
 */
export function sumOfChildren(children: readonly ScannedChild[]): string | undefined {
  const sum = emptySum();
  for (const { name, signature, problem } of children) {
    if (problem !== undefined || !name.isWellFormed() || name.normalize("NFC") !== name) return undefined;
    addSum(sum, hashOfChild(name, signature ?? "special"));
  }
  return sumToKey(sum);
}
