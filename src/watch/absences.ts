// What is reported absent, and in which order: deepest first (round invariant 3).

import type { RelativePath } from "../core/path.ts";
import { DELETION_DELAY_MS } from "../core/limits.ts";
import type { Observation } from "./observation.ts";
import type { RoundContext } from "./round-context.ts";

/** `paths`: proven to be gone. Directories that are not empty yet stay vanished, and are looked at again. */
export function absencesOf(context: RoundContext, paths: readonly RelativePath[]): readonly Observation[] {
  const absent = new Set<RelativePath>();
  const deepestFirst = [...new Set(paths)].toSorted((a, b) => depthOf(b) - depthOf(a));
  for (const path of deepestFirst) {
    const record = context.store.get(path);
    if (record?.present.live === undefined || context.isBusy(path)) {
      context.vanished.delete(path);
    } else if (record.present.live.content.kind === "directory" && hasOthersInside(context, path, absent)) {
      context.lookAgain(path, DELETION_DELAY_MS);
    } else {
      context.vanished.delete(path);
      absent.add(path);
    }
  }
  return [...absent].map((path) => ({ kind: "absent", path }));
}

function hasOthersInside(
  { store, ignore }: RoundContext,
  directory: RelativePath,
  absent: ReadonlySet<RelativePath>,
): boolean {
  for (const { path, present } of store.children(directory)) {
    if (present.live === undefined || absent.has(path)) continue;
    if (!ignore().isIgnored(path, present.live.content.kind === "directory")) return true;
  }
  return false;
}

function depthOf(path: RelativePath): number {
  return path.split("/").length;
}
