// Shows events to whoever started the instance: as JSON, as log lines, or in a terminal. One reporter per instance.

import type { DsyncEvent } from "../core/events.ts";
import type { Clock } from "../edge/clock.ts";
import { levelOf, type Level } from "./event-text.ts";
import { LineReporter } from "./line-reporter.ts";
import type { Verbosity } from "./options.ts";
import type { Environment } from "./platform.ts";
import { StatusLine } from "./status-line.ts";

export interface Reporter {
  report(event: DsyncEvent): void;
  /** Shows what is still held back, and leaves the terminal as it was. Nothing is reported afterwards. */
  close(): void;
}

/** Standard output or error. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width now; terminals only. */
  readonly columns: number | undefined;
}

export interface ReporterOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  readonly environment: Environment;
  readonly verbosity: Verbosity;
  readonly json: boolean;
}

export function createReporter(options: ReporterOptions): Reporter {
  if (options.json) return new JsonReporter(options);
  const hasStatusLine = options.verbosity !== "quiet" && canRedraw(options);
  return new LineReporter(options, hasStatusLine ? new StatusLine(options.stdout, options.clock) : undefined);
}

/** True for a terminal that understands how to clear a line, with somebody in front of it. */
function canRedraw({ stdout, environment }: ReporterOptions): boolean {
  const isCi = environment["CI"] !== undefined && environment["CI"] !== "" && environment["CI"] !== "false";
  return stdout.isTerminal && environment["TERM"] !== "dumb" && !isCi;
}

/** True if an event of that level is wanted. */
export function isShown(level: Level, verbosity: Verbosity): boolean {
  switch (verbosity) {
    case "quiet":
      return level === "error";
    case "normal":
      return level !== "debug";
    case "verbose":
      return true;
  }
}

/** One object per line: `{"event":"peer-joined","time":"2024-05-01T10:03:44.120Z",…}`. */
class JsonReporter implements Reporter {
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
