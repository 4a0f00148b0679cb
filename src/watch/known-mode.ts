// Which mode a look at the disk stands for. Pure. Where a disk cannot keep modes, lstat shows one that nobody chose: the
// mode that is known stays, and the disk's is never announced.

import type { Content, PathRecord, StatSignature } from "../index/entry.ts";

export interface Look {
  readonly content: Content;
  readonly signature: StatSignature;
  /** What the index says of the path. */
  readonly record: PathRecord | undefined;
  /** Where the content was before, if it was moved here. */
  readonly from: PathRecord | undefined;
  /** False if the disk shows the same mode whatever is set. */
  readonly keepsModes: boolean;
}

/** Of what appears on a disk without modes, when nobody knows better. */
const USUAL_MODES = { file: 0o644, directory: 0o755 };

/** The content with the mode that somebody chose. */
export function withKnownMode(look: Look): Content {
  const { content, signature, record, from, keepsModes } = look;
  if (content.kind === "symlink") return content;
  // Shown as before: whatever was asked for then and could not be kept (also on a stick mounted inside the folder).
  for (const before of [record, from]) {
    const mode = modeOf(before?.present, content);
    if (mode !== undefined && (!keepsModes || before?.signature?.mode === signature.mode)) return { ...content, mode };
  }
  if (keepsModes) return content;
  return { ...content, mode: modeOf(record?.known, content) ?? USUAL_MODES[content.kind] };
}

function modeOf(entry: PathRecord["known"] | undefined, { kind }: Content): number | undefined {
  const live = entry?.live?.content;
  return live !== undefined && live.kind === kind && live.kind !== "symlink" ? live.mode : undefined;
}
