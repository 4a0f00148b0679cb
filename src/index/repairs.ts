// What merging path by path cannot see: a live path whose parent is no live directory (docs/protocol.md, Repairs).
// Pure: says what to change, changes nothing.
//
// A repair makes the directory again, by a change of its own, so it is causal and everyone accepts it. A file or symlink
// in its place lives on at its conflict path. Replicas that repair the same thing at once make the same: directories
// never conflict, and the conflict path depends on the file's version alone.
//
// When to ask: for every path whose known entry changed, but only once all that came with it has arrived. A directory's
// tombstone may arrive before those of its children, and that is nothing to repair.

import { parentOf, type RelativePath } from "../core/path.ts";
import { EMPTY_ENTRY, type Entry, type PathEntry } from "./entry.ts";
import { changeEntry, type Changer } from "./local-change.ts";
import { conflictEntry } from "./merge.ts";

/** What is known, as far as repairs look. */
export interface KnownTree {
  get(path: RelativePath): Entry | undefined;
  /** True if a path directly below `directory` is live. */
  hasLiveChildren(directory: RelativePath): boolean;
}

/** Permission bits of a directory that was brought back: nobody knows any more what it had. */
const DIRECTORY_MODE = 0o755;

/**
 * The entries to be merged so that nothing live at or above `path`, or directly below it, lacks its directory; parents
 * first. Nothing, and no dot used, if all is well.
 */
export function repairsOf(path: RelativePath, known: KnownTree, changer: Changer): PathEntry[] {
  const isParent = known.hasLiveChildren(path);
  if (!isParent && known.get(path)?.live === undefined) return [];
  const repairs: PathEntry[] = [];
  for (const directory of isParent ? [...directoriesAbove(path), path] : directoriesAbove(path)) {
    const entry = known.get(directory) ?? EMPTY_ENTRY;
    if (entry.live?.content.kind === "directory") continue;
    const content = { kind: "directory", mode: DIRECTORY_MODE } as const;
    repairs.push({
      path: directory,
      entry: changeEntry({ ...changer, base: entry, known: entry, content }),
    });
    if (entry.live !== undefined) repairs.push(conflictEntry(directory, entry.live));
  }
  return repairs;
}

/** From the top down. */
function directoriesAbove(path: RelativePath): RelativePath[] {
  const directories: RelativePath[] = [];
  for (let above = parentOf(path); above !== undefined; above = parentOf(above)) directories.unshift(above);
  return directories;
}
