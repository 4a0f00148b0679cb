// Where results are kept; git leaves them out.

import { mkdirSync, writeFileSync } from "node:fs";

/** Writes `bench/results/NAME`, with the time. */
export function writeResults(name: string, content: object): void {
  const results = new URL("../../bench/results/", import.meta.url);
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL(name, results), `${JSON.stringify({ at: new Date(), ...content }, undefined, 2)}\n`);
}
