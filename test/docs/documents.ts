// The repository's own documents and package file, as tests read them.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Absolute path of a file of the repository. */
export function inRepository(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

export function readDocument(path: string): string {
  return readFileSync(inRepository(path), "utf8");
}
