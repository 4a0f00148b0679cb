// What one peer has to be told: one slot per path, so that only the latest state of a path is ever sent.

import type { RelativePath } from "../core/path.ts";

export class Outbox {
  readonly #slots = new Map<RelativePath, Uint8Array | undefined>();

  get size(): number {
    return this.#slots.size;
  }

  /** `inline`: the content, if it is small and fresh. A path that waits already keeps its place. */
  put(path: RelativePath, inline: Uint8Array | undefined): void {
    this.#slots.set(path, inline);
  }

  /** Takes up to `countMax` paths out, oldest first. */
  take(countMax: number): readonly (readonly [RelativePath, Uint8Array | undefined])[] {
    const taken: (readonly [RelativePath, Uint8Array | undefined])[] = [];
    for (const slot of this.#slots) {
      if (taken.length >= countMax) break;
      taken.push(slot);
    }
    for (const [path] of taken) this.#slots.delete(path);
    return taken;
  }
}
