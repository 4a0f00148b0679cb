// Events for programs (`--json`): the fields of core/events.ts, where `kind` is what is called `event` here.

import type { DsyncEvent } from "../core/events.ts";
import { levelOf } from "./event-text.ts";
import { isShown, type Reporter, type ReporterOptions } from "./reporter.ts";

/** One object per line: `{"event":"peer-joined","time":"2024-05-01T10:03:44.120Z",…}`. */
export class JsonReporter implements Reporter {
  readonly #options: ReporterOptions;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  report(event: DsyncEvent): void {
    const { stdout, clock, verbosity } = this.#options;
    if (!isShown(levelOf(event), verbosity)) return;
    const { kind, ...fields } = event;
    stdout.write(`${JSON.stringify({ event: kind, time: new Date(clock.now()).toISOString(), ...fields })}\n`);
  }

  close(): void {
    // Nothing is held back.
  }
}
