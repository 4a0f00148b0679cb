// What every job gets to work with, wherever it runs.

import type { Blake3 } from "../content/blake3.ts";
import type { FileSystem } from "./file-system.ts";

export interface JobContext {
  readonly fs: FileSystem;
  readonly blake3: Blake3;
}
