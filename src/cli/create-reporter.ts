// Chooses how events are shown: as JSON, as log lines, or as log lines above a status line.

import { JsonReporter } from "./json-reporter.ts";
import { LineReporter } from "./line-reporter.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";
import { StatusLine } from "./status-line.ts";

/** One reporter per instance. */
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
