// Removes what was only staged, if it can be removed: what stays is swept at the next start.

import type { FileSystem } from "../edge/file-system.ts";

/** Never throws. A second try, since the first may have been interrupted. */
export function discard(fs: FileSystem, path: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      if (fs.lstat(path) !== undefined) fs.unlink(path);
      return;
    } catch {
      // Said by what failed before, or of no consequence.
    }
  }
}
