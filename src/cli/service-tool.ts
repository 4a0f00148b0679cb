// The tools of service managers, whose refusals are errors that name the command.

import { DsyncError } from "../core/errors.ts";
import { escapeForTerminal as escape } from "../core/escape.ts";
import { shellWord } from "../core/shell-word.ts";
import type { RunTool } from "./run-tool.ts";

/** Returns what the tool printed. Throws a DsyncError `environment`. */
export async function runServiceTool(run: RunTool, tool: string, args: readonly string[]): Promise<string> {
  const outcome = await run(tool, args);
  if (outcome.kind === "done") return outcome.stdout;
  const complaint = outcome.kind === "missing" ? "there is no such program" : escape(outcome.complaint);
  const command = [tool, ...args].map(shellWord).join(" ");
  throw new DsyncError("environment", `The service manager refused: ${command}: ${complaint}. Try it by hand.`);
}
