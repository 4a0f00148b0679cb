// Which path `dsync ignore test` means: one inside the folder, given relative to where the person is, or to the folder.

import { isAbsolute, relative, resolve, sep } from "node:path";
import { escapeForTerminal } from "../core/escape.ts";
import { usageError } from "./settings.ts";

/**
 * `target` relative to `realFolder`, `/`-separated, with a trailing `/` if it had one. A path that is inside the folder as
 * seen from `realCwd` means that; else it is taken from the folder. Throws a DsyncError `usage` for paths outside. Pure.
 */
export function ignoreTarget(target: string, realFolder: string, realCwd: string): string {
  const inside = insideOf(realFolder, resolve(realCwd, target)) ?? insideOf(realFolder, resolve(realFolder, target));
  if (inside === undefined) {
    throw usageError(
      `${escapeForTerminal(target)} is not inside ${escapeForTerminal(realFolder)}. Name a path in the folder.`,
    );
  }
  return target.endsWith("/") || target.endsWith(sep) ? `${inside}/` : inside;
}

function insideOf(folder: string, path: string): string | undefined {
  const inside = relative(folder, path);
  if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return undefined;
  return inside.split(sep).join("/");
}
