// The real file system, failing at one call: to see what every possible failure leaves behind.

import type { FileSystem } from "../../src/edge/file-system.ts";
import { nodeFileSystem } from "../../src/edge/node-file-system.ts";

export interface FailingFileSystem {
  readonly fs: FileSystem;
  /** Calls so far, the failed ones included. */
  readonly calls: () => number;
}

/**
 * Call number `failAt` (from 0) fails with `code`, without having done anything. `crash`: so does every later one but
 * `close`, as if the process had ended there.
 */
export function failingFileSystem(options: {
  readonly failAt: number;
  readonly code: string;
  readonly crash: boolean;
}): FailingFileSystem {
  const { failAt, code, crash } = options;
  let calls = 0;
  const before = (name: string): void => {
    if (name === "close") return;
    const call = calls++;
    if (call === failAt || (crash && call > failAt)) throw Object.assign(new Error(`${code}: ${name}`), { code });
  };
  const wrapped = Object.fromEntries(
    Object.entries(nodeFileSystem).map(([name, action]: [string, (...args: never[]) => unknown]) => [
      name,
      (...args: never[]): unknown => {
        before(name);
        return action(...args);
      },
    ]),
  );
  return { fs: wrapped as unknown as FileSystem, calls: () => calls };
}
