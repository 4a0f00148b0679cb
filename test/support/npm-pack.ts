// The package as `npm pack` makes it.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { inRepository } from "../docs/documents.ts";

/** Why nothing can be packed here; `false` if it can. */
export const whyNoNpm = spawnSync("npm", ["--version"]).status === 0 ? false : "npm is not installed";

export interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Without `prepack`, which would build anew below the other tests' feet. */
export function pack(...args: readonly string[]): Packed {
  const text = execFileSync("npm", ["pack", "--json", "--ignore-scripts", ...args], {
    cwd: inRepository("."),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [packed] = JSON.parse(text) as Packed[];
  return packed ?? assert.fail(text);
}
