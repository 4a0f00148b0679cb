// Which peers this instance has met since it was started: what a person is told about once, and in full.

import type { PeerId } from "../core/ids.ts";
import { ACQUAINTANCES_MAX } from "../core/limits.ts";

export class Acquaintances {
  /** In the order of their last visit. */
  readonly #met = new Set<PeerId>();

  /** True the first time. A peer that has not been here for ACQUAINTANCES_MAX others is forgotten, and new again. */
  meet(id: PeerId): boolean {
    const isFirst = !this.#met.delete(id);
    this.#met.add(id);
    const [oldest] = this.#met;
    if (this.#met.size > ACQUAINTANCES_MAX && oldest !== undefined) this.#met.delete(oldest);
    return isFirst;
  }
}
