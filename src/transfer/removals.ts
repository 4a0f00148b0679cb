// Paths that are to go once nothing else is to be done: what is in a directory before the directory.

import type { RelativePath } from "../core/path.ts";

export class Removals {
  /** By depth: how many directories a path is in. */
  readonly #byDepth: Set<RelativePath>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(path: RelativePath): void {
    const depth = depthOf(path);
    while (this.#byDepth.length <= depth) this.#byDepth.push(new Set());
    const paths = this.#byDepth[depth];
    if (paths === undefined || paths.has(path)) return;
    paths.add(path);
    this.#size++;
  }

  delete(path: RelativePath): void {
    if (this.#byDepth[depthOf(path)]?.delete(path) === true) this.#size--;
  }

  /** Takes out up to `count` paths, the deepest first. */
  takeDeepest(count: number): readonly RelativePath[] {
    const taken: RelativePath[] = [];
    for (const paths of this.#byDepth.toReversed()) {
      for (const path of paths) {
        if (taken.length >= count) return taken;
        paths.delete(path);
        this.#size--;
        taken.push(path);
      }
    }
    return taken;
  }
}

function depthOf(path: RelativePath): number {
  let depth = 0;
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) depth++;
  return depth;
}
