// Events for programs (`--json`): the fields of core/events.ts, where `kind` is what is called `event` here.

import type { DsyncEvent } from "../core/events.ts";
import { OUTPUT_WAITING_BYTES_MAX } from "../core/limits.ts";
import { levelOf } from "./event-text.ts";
import { isShown, type Reporter, type ReporterOptions } from "./reporter.ts";

/**
 * One object per line: `{"event":"peer-joined","time":"2024-05-01T10:03:44.120Z",…}`. If nobody reads them, what waits is
 * bounded: later events are dropped, and `{"event":"dropped","time":…,"count":3}` stands in their place.
 */
export class JsonReporter implements Reporter {
  readonly #options: ReporterOptions;
  #dropped = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  report(event: DsyncEvent): void {
    const { stdout, verbosity } = this.#options;
    if (!isShown(levelOf(event), verbosity)) return;
    if (this.#dropped > 0 || stdout.waitingBytes > OUTPUT_WAITING_BYTES_MAX) return this.#drop();
    const { kind, ...fields } = event;
    this.#write(kind, fields);
  }

  close(): void {
    this.#tellDropped();
  }

  /** Until all that waits has been read, so that one line tells of many. */
  #drop(): void {
    if (this.#dropped++ === 0) this.#options.stdout.onceRead(() => this.#tellDropped());
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#write("dropped", { count: this.#dropped });
    this.#dropped = 0;
  }

  #write(event: string, fields: object): void {
    const { stdout, clock } = this.#options;
    stdout.write(`${JSON.stringify({ event, time: new Date(clock.now()).toISOString(), ...fields })}\n`);
  }
}
