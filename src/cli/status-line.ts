// One steady line at the bottom of a terminal, below the log. It never wraps, and is gone when the instance is.

import { STATUS_REDRAW_MS } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import { fitColumns } from "./text-width.ts";
import type { Output } from "./reporter.ts";

const CLEAR_LINE = "\r\x1b[2K";
const DEFAULT_COLUMNS = 80;

export class StatusLine {
  readonly #output: Output;
  readonly #clock: Clock;
  #text = "";
  #drawn = "";
  #timer: Timer | undefined;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  /** Shows `text` (escaped, one line), at most a few times a second. */
  set(text: string): void {
    this.#text = text;
    this.#timer ??= this.#clock.after(STATUS_REDRAW_MS, () => {
      this.#timer = undefined;
      this.#draw();
    });
  }

  /** Lets `write` print whole lines above. */
  above(write: () => void): void {
    this.#clear();
    write();
    this.#draw();
  }

  close(): void {
    this.#timer?.clear();
    this.#clear();
  }

  #draw(): void {
    // The last column stays free: some terminals wrap when it is filled.
    const fitted = fitColumns(this.#text, (this.#output.columns ?? DEFAULT_COLUMNS) - 1);
    if (fitted === this.#drawn) return;
    this.#output.write(`${CLEAR_LINE}${fitted}`);
    this.#drawn = fitted;
  }

  #clear(): void {
    if (this.#drawn !== "") this.#output.write(CLEAR_LINE);
    this.#drawn = "";
  }
}
