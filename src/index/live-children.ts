// Whether a directory holds anything, as far as is known.

import type { RelativePath } from "../core/path.ts";
import type { IndexStore } from "./index-store.ts";

/** True if anything directly inside is known and live. */
export function hasLiveChildren(store: Pick<IndexStore, "children">, directory: RelativePath): boolean {
  for (const child of store.children(directory)) if (child.known.live !== undefined) return true;
  return false;
}
