// Chooses how events are shown: as JSON, as log lines, as log lines above a status line, or as a live view.

import { JsonReporter } from "./json-reporter.ts";
import { LineReporter } from "./line-reporter.ts";
import { LiveReporter } from "./live-reporter.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";
import { StatusLine } from "./status-line.ts";

/** One reporter per instance. */
export function createReporter(options: ReporterOptions): Reporter {
  if (options.json) return new JsonReporter(options);
  if (options.verbosity === "quiet" || !canRedraw(options)) return new LineReporter(options, undefined);
  const { screen } = options.stdout;
  // Whoever asks for details wants to read them, in order and later.
  if (screen !== undefined && options.verbosity === "normal") return new LiveReporter(options, screen);
  return new LineReporter(options, new StatusLine(options.stdout, options.clock));
}

/** True for a terminal that understands how to clear a line, with somebody in front of it. */
function canRedraw({ stdout, environment }: ReporterOptions): boolean {
  const isCi = environment["CI"] !== undefined && environment["CI"] !== "" && environment["CI"] !== "false";
  return stdout.isTerminal && environment["TERM"] !== "dumb" && !isCi;
}
