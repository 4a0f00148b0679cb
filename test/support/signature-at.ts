// What the index keeps of a file, as a look at it tells.

import type { FileSystem } from "../../src/edge/file-system.ts";
import type { StatSignature } from "../../src/index/entry.ts";
import { signatureOf } from "../../src/index/signature.ts";

/** `path`: absolute. `undefined` if nothing is there. */
export function signatureAt(fs: Pick<FileSystem, "lstat">, path: string): StatSignature | undefined {
  const stat = fs.lstat(path);
  return stat === undefined ? undefined : signatureOf(stat);
}
