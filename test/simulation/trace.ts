// What happened in a simulation, as a hash that two runs from one seed must share, and as lines for whoever looks into one.

import { createHash } from "node:crypto";

/** Lines that are kept for a report. */
const LINES_MAX = 400_000;

export class Trace {
  readonly #hash = createHash("sha256");
  readonly #lines: string[] = [];
  readonly #keepsLines: boolean;
  #count = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number, keepsLines: boolean) {
    this.#nowMs = nowMs;
    this.#keepsLines = keepsLines;
  }

  add(who: string, what: string): void {
    const line = `${this.#nowMs().toFixed(3)} ${who} ${what}`;
    this.#hash.update(line).update("\n");
    this.#count++;
    if (this.#keepsLines && this.#lines.length < LINES_MAX) this.#lines.push(line);
  }

  get count(): number {
    return this.#count;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** So far; more may be added afterwards. */
  digest(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}
