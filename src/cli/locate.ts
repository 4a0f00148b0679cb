// Paths as people write them, made absolute. Pure.

import { dirname, isAbsolute, resolve } from "node:path";
import type { Config } from "./config-file.ts";
import type { Platform } from "./platform.ts";

/** An absolute path; `~` is expanded where no shell did. */
export function absolute(path: string, base: string, { home }: Platform): string {
  if (home !== "" && (path === "~" || path.startsWith("~/"))) return resolve(home, path.slice(2));
  return isAbsolute(path) ? resolve(path) : resolve(base, path);
}

/** What relative paths in the config file start from. */
export function directoryOf(config: Config, { cwd }: Platform): string {
  return config.file === undefined ? cwd : dirname(resolve(cwd, config.file));
}
