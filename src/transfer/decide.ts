// What one path needs next to become what is known of it. A pure function: the puller carries it out.

import type { ContentHash } from "../core/ids.ts";
import { parentOf, type RelativePath } from "../core/path.ts";
import type { Content, PathRecord } from "../index/entry.ts";
import type { ContentLocation } from "../index/index-store.ts";
import { conflictEntry, sameLive } from "../index/merge.ts";
import { isSettled } from "../index/settle.ts";
import type { ApplyOperation, FileSource } from "./apply-operation.ts";

type FileContent = Extract<Content, { kind: "file" }>;

export type Decision =
  /** The disk holds what is known. */
  | { readonly kind: "settled" }
  /** Ignored on this machine: known, never put on this disk. */
  | { readonly kind: "ignored" }
  /** The tree around it does not allow it (docs/protocol.md, Repairs). */
  | { readonly kind: "repair" }
  /** Something at another path has to happen first. */
  | { readonly kind: "after"; readonly path: RelativePath }
  /** Work on this disk alone. `movedFrom`: that path is gone afterwards. */
  | { readonly kind: "operate"; readonly operation: ApplyOperation; readonly movedFrom: RelativePath | undefined }
  /** Removals come last. */
  | { readonly kind: "remove"; readonly operation: ApplyOperation }
  /** The content has to come from a peer. */
  | { readonly kind: "fetch"; readonly content: FileContent };

/** What a decision may look at. */
export interface Surroundings {
  get(path: RelativePath): PathRecord | undefined;
  toDisk(path: RelativePath): string;
  isIgnored(path: RelativePath, isDirectory: boolean): boolean;
  /** True if anything directly inside is known and live. */
  hasLiveChildren(directory: RelativePath): boolean;
  locationsOf(contentId: ContentHash): Iterable<ContentLocation>;
  /** True while an operation on that path is under way. */
  isBusy(path: RelativePath): boolean;
  /** False after what was taken from there (disk path) for this path turned out to be something else. */
  mayReuse(path: RelativePath, diskPath: string): boolean;
}

export function decide(record: PathRecord, around: Surroundings): Decision {
  if (isSettled(record)) return { kind: "settled" };
  const wanted = record.known.live?.content;
  const present = record.present.live?.content;
  if (around.isIgnored(record.path, (wanted ?? present)?.kind === "directory")) return { kind: "ignored" };
  if (present?.kind === "directory" && wanted?.kind !== "directory" && around.hasLiveChildren(record.path)) {
    return { kind: "repair" };
  }
  const obstacle = parentObstacle(record, around) ?? conflictCopyFirst(record, around);
  if (obstacle !== undefined) return obstacle;
  return decideContent(record, wanted, around);
}

function decideContent(record: PathRecord, wanted: Content | undefined, around: Surroundings): Decision {
  const place = { diskPath: around.toDisk(record.path), expected: record.signature ?? "absent" } as const;
  const present = record.present.live?.content;
  switch (wanted?.kind) {
    case undefined:
      return { kind: "remove", operation: { ...place, kind: "remove" } };
    case "directory":
      return operate(
        present?.kind === "directory"
          ? { ...place, kind: "metadata", mode: wanted.mode, mtimeUs: undefined }
          : { ...place, kind: "directory", mode: wanted.mode },
      );
    case "symlink":
      return operate({ ...place, kind: "symlink", target: wanted.target });
    case "file": {
      const { mode, mtimeUs } = wanted;
      if (present?.kind === "file" && present.contentId === wanted.contentId) {
        return operate({ ...place, kind: "metadata", mode, mtimeUs });
      }
      return reuseLocally(record, wanted, around) ?? { kind: "fetch", content: wanted };
    }
  }
}

function operate(operation: ApplyOperation, movedFrom?: RelativePath): Decision {
  return { kind: "operate", operation, movedFrom };
}

/** The directory that has to be made before anything else can be said of a path where nothing is, if there is such a one. */
export function directoryToCome(record: PathRecord, around: Surroundings): RelativePath | undefined {
  const obstacle = record.present.live === undefined ? parentObstacle(record, around) : undefined;
  return obstacle?.kind === "after" ? obstacle.path : undefined;
}

/** A live path needs a directory above it on this disk: one that is to go will do as long as it is there. */
function parentObstacle(record: PathRecord, around: Surroundings): Decision | undefined {
  const parent = parentOf(record.path);
  if (parent === undefined || record.known.live === undefined) return undefined;
  const parentRecord = around.get(parent);
  if (parentRecord?.present.live?.content.kind === "directory") {
    return around.isBusy(parent) ? { kind: "after", path: parent } : undefined;
  }
  return parentRecord?.known.live?.content.kind === "directory" ? { kind: "after", path: parent } : { kind: "repair" };
}

/** Content that lost a conflict is put at its conflict path before it is replaced here. */
function conflictCopyFirst(record: PathRecord, around: Surroundings): Decision | undefined {
  const copy = copyToCome(record, around);
  return copy === undefined || around.isIgnored(copy, false) ? undefined : { kind: "after", path: copy };
}

/** The conflict path of what is here, if that is wanted there and is not there yet. */
export function copyToCome(record: PathRecord, around: Pick<Surroundings, "get">): RelativePath | undefined {
  const loser = record.present.live;
  if (loser === undefined || loser.content.kind === "directory") return undefined;
  const { path, entry } = conflictEntry(record.path, loser);
  const copy = around.get(path);
  return copy !== undefined && !isSettled(copy) && sameLive(copy.known, entry) ? path : undefined;
}

/** The same content somewhere on this disk: renamed if it is wanted nowhere else, copied otherwise. */
function reuseLocally(record: PathRecord, wanted: FileContent, around: Surroundings): Decision | undefined {
  for (const location of around.locationsOf(wanted.contentId)) {
    const from = location.kind === "trash" ? location.diskPath : around.toDisk(location.path);
    if (!around.mayReuse(record.path, from)) continue;
    if (location.kind === "trash") return copyFrom(record, wanted, from, around);
    const source = around.get(location.path);
    const held = source?.present.live?.content;
    if (source?.signature === undefined || held?.kind !== "file" || held.contentId !== wanted.contentId) continue;
    if (source.path === record.path) continue;
    if (around.isBusy(source.path)) return { kind: "after", path: source.path };
    if (source.known.live !== undefined || around.isIgnored(source.path, false)) {
      return copyFrom(record, wanted, from, around);
    }
    const { mode, mtimeUs } = wanted;
    return operate(
      {
        kind: "move",
        diskPath: around.toDisk(record.path),
        expected: record.signature ?? "absent",
        from,
        fromSignature: source.signature,
        mode,
        mtimeUs,
      },
      source.path,
    );
  }
  return undefined;
}

function copyFrom(record: PathRecord, wanted: FileContent, diskPath: string, around: Surroundings): Decision {
  return operate(fileOperation(record, wanted, { kind: "copy", diskPath }, around));
}

/** The operation that puts `wanted` at the record's path. */
export function fileOperation(
  record: PathRecord,
  wanted: FileContent,
  source: FileSource,
  around: Pick<Surroundings, "toDisk">,
): ApplyOperation {
  const { contentId, size, mode, mtimeUs } = wanted;
  const diskPath = around.toDisk(record.path);
  return { kind: "file", diskPath, expected: record.signature ?? "absent", contentId, size, mode, mtimeUs, source };
}
