// Paths that the tree around them does not allow: repairs of these were asked for. One that is not needed any more is
// withdrawn when its path is decided on anew.

import { parentOf, type RelativePath } from "../core/path.ts";

export interface RepairRequestsOptions {
  /** True while a comparison with a peer is under way. */
  readonly isComparing: () => boolean;
  /** The tree around this path does not allow it: make a repair. */
  readonly onRepair: (path: RelativePath) => void;
}

export class RepairRequests {
  readonly #options: RepairRequestsOptions;
  readonly #asked = new Set<RelativePath>();
  /** What looks like a hole in the tree while entries still arrive is none, mostly: these are for when they have. */
  readonly #afterComparison = new Set<RelativePath>();

  constructor(options: RepairRequestsOptions) {
    this.#options = options;
  }

  has(path: RelativePath): boolean {
    return this.#asked.has(path);
  }

  /** Asks for a repair, unless entries still arrive. */
  add(path: RelativePath): void {
    const { isComparing, onRepair } = this.#options;
    this.#asked.add(path);
    if (isComparing()) this.#afterComparison.add(path);
    else onRepair(path);
  }

  /** It is decided on anew. True if a repair had been asked for. */
  delete(path: RelativePath): boolean {
    return this.#asked.delete(path);
  }

  /** The directory that this path is in, if that is to be repaired: without the path, it may need no repair. */
  above(path: RelativePath): RelativePath | undefined {
    if (this.#asked.size === 0) return undefined;
    const parent = parentOf(path);
    return parent !== undefined && this.#asked.has(parent) ? parent : undefined;
  }

  /** What was put off while entries arrived. */
  takePutOff(): readonly RelativePath[] {
    const paths = [...this.#afterComparison];
    this.#afterComparison.clear();
    return paths;
  }
}
