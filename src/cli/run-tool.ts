// One run of a system tool, to its end.

import { execFile } from "node:child_process";
import { errnoOf } from "../core/errors.ts";
import type { Environment } from "./platform.ts";

/** Starting a service may take a while on a busy machine. */
const TOOL_MS_MAX = 30_000;

export type ToolOutcome =
  /** There is no such program. */
  | { readonly kind: "missing" }
  /** `complaint`: what it said on stderr, else on stdout; one line, no full stop. */
  | { readonly kind: "failed"; readonly complaint: string; readonly stdout: string }
  | { readonly kind: "done"; readonly stdout: string };

export type RunTool = (tool: string, args: readonly string[]) => Promise<ToolOutcome>;

/** Runs tools that are found on the PATH of `environment`. Never rejects. */
export function toolRunner(environment: Environment): RunTool {
  return (tool, args) =>
    new Promise((resolve) => {
      execFile(tool, args, { timeout: TOOL_MS_MAX, env: { ...environment } }, (error, stdout, stderr) => {
        if (error === null) return resolve({ kind: "done", stdout });
        if (errnoOf(error) === "ENOENT") return resolve({ kind: "missing" });
        const said = `${stderr}\n${stdout}`.trim();
        const complaint =
          said === "" ? `exit code ${String(error.code)}` : (said.split("\n", 1)[0] ?? "").replace(/\.$/, "");
        resolve({ kind: "failed", complaint, stdout });
      });
    });
}
