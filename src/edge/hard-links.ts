// Hard links: whether a file has some, and what a file system says that has none, or has given a file as many as it can.

import { errnoOf } from "../core/errors.ts";
import type { Stat } from "./file-system.ts";

const NO_HARD_LINK: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** True if a link could not be made because there is no such thing here: something else has to do. */
export function lacksHardLinks(error: unknown): boolean {
  return NO_HARD_LINK.has(errnoOf(error) ?? "");
}

/** True if the file has another name as well. Some file systems do not count, and say 0. */
export function hasOtherName({ links }: Stat): boolean {
  return links > 1;
}
