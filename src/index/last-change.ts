// What was changed last before an earlier run ended, by the disk's clock.

import type { RelativePath } from "../core/path.ts";
import type { IndexStore } from "./index-store.ts";

const NS_PER_MS = 1_000_000n;

/** When the last change happened that the index saw; 0 if there is none. */
export function lastChangeNs(store: Pick<IndexStore, "inSubtree">, nowMs: number): bigint {
  const nowNs = BigInt(nowMs) * NS_PER_MS;
  let lastNs = 0n;
  for (const { signature } of store.inSubtree([])) {
    // What a clock that was wrong once left in the future says nothing.
    if (signature !== undefined && signature.ctimeNs > lastNs && signature.ctimeNs <= nowNs) lastNs = signature.ctimeNs;
  }
  return lastNs;
}

/** Files that were changed less than `withinMs` before that. */
export function lastChangedFiles(
  store: Pick<IndexStore, "inSubtree">,
  nowMs: number,
  withinMs: number,
): readonly RelativePath[] {
  const sinceNs = lastChangeNs(store, nowMs) - BigInt(withinMs) * NS_PER_MS;
  const paths: RelativePath[] = [];
  for (const { path, signature } of store.inSubtree([])) {
    if (signature?.kind === "file" && signature.ctimeNs > sinceNs) paths.push(path);
  }
  return paths;
}
