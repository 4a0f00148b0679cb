// What a file system says that has no hard links, or has given this file as many as it can.

import { errnoOf } from "../core/errors.ts";

const NO_HARD_LINK: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** True if a link could not be made because there is no such thing here: something else has to do. */
export function lacksHardLinks(error: unknown): boolean {
  return NO_HARD_LINK.has(errnoOf(error) ?? "");
}
