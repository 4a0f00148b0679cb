// Which batch of the trash takes what is replaced or removed now: what goes within a few seconds stays together.

import type { Clock } from "../edge/clock.ts";
import { trashBatchName } from "../transfer/trash.ts";

/** How long one batch takes what goes. */
const TRASH_BATCH_MS = 2_000;

export class CurrentTrashBatch {
  readonly #clock: Clock;
  #batch: { readonly name: string; readonly untilMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get name(): string {
    const nowMs = this.#clock.now();
    if (this.#batch === undefined || nowMs > this.#batch.untilMs) {
      this.#batch = { name: trashBatchName(nowMs), untilMs: nowMs + TRASH_BATCH_MS };
    }
    return this.#batch.name;
  }
}
