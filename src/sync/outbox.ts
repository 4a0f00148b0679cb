// What one peer has to be told: one slot per path, so that only the latest state of a path is ever sent.

import { OUTBOX_INLINE_BYTES_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";

export class Outbox {
  readonly #slots = new Map<RelativePath, Uint8Array | undefined>();
  #inlineBytes = 0;

  get size(): number {
    return this.#slots.size;
  }

  /**
   * `inline`: the content, if it is small and fresh; left out if too much waits already (the peer does not read, and may
   * ask for it later). A path that waits already keeps its place.
   */
  put(path: RelativePath, inline: Uint8Array | undefined): void {
    this.#inlineBytes -= this.#slots.get(path)?.length ?? 0;
    const bytes = inline?.length ?? 0;
    const fits = this.#inlineBytes + bytes <= OUTBOX_INLINE_BYTES_MAX;
    this.#slots.set(path, fits ? inline : undefined);
    if (fits) this.#inlineBytes += bytes;
  }

  /** Takes up to `countMax` paths out, oldest first. */
  take(countMax: number): readonly (readonly [RelativePath, Uint8Array | undefined])[] {
    const taken: (readonly [RelativePath, Uint8Array | undefined])[] = [];
    for (const slot of this.#slots) {
      if (taken.length >= countMax) break;
      taken.push(slot);
    }
    for (const [path, inline] of taken) {
      this.#slots.delete(path);
      this.#inlineBytes -= inline?.length ?? 0;
    }
    return taken;
  }
}
