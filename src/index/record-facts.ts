// What the index derives from one record: pure functions.

import type { ContentHash } from "../core/ids.ts";
import type { PathRecord } from "./entry.ts";

/** True if the known entry is live. */
export function isLive(record: PathRecord | undefined): boolean {
  return record?.known.live !== undefined;
}

/** True if the disk does not hold the known version (or should hold none). What was merely seen makes no difference. */
export function isPending(record: PathRecord | undefined): boolean {
  const known = record?.known.live?.dot;
  const present = record?.present.live?.dot;
  return known?.replica !== present?.replica || known?.counter !== present?.counter;
}

/** The content of the file that is on disk, if there is one. */
export function contentOnDisk(record: PathRecord | undefined): ContentHash | undefined {
  const content = record?.present.live?.content;
  return content?.kind === "file" && record?.signature !== undefined ? content.contentId : undefined;
}
