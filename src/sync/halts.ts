// What a full disk holds up, and why. However much of it that is: it pauses once, and goes on once.

import type { DsyncEvent } from "../core/events.ts";

/** What may have to pause: writing the index, or putting things in place. */
export type Halting = "index" | "transfer";

export class Halts {
  readonly #emit: (event: DsyncEvent) => void;
  readonly #reasons = new Map<Halting, string>();

  constructor(emit: (event: DsyncEvent) => void) {
    this.#emit = emit;
  }

  /** Why it pauses: what was held up first; `undefined` if nothing is. */
  get reason(): string | undefined {
    const [reason] = this.#reasons.values();
    return reason;
  }

  halt(what: Halting, reason: string): void {
    const remedy = "Free some space on the disk; dsync goes on by itself.";
    if (this.#reasons.size === 0) this.#emit({ kind: "halted", reason, remedy });
    this.#reasons.set(what, reason);
  }

  /** Also where it was not held up. */
  resume(what: Halting): void {
    if (this.#reasons.delete(what) && this.#reasons.size === 0) this.#emit({ kind: "resumed" });
  }
}
