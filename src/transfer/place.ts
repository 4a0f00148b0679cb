// Puts verified content under its name: the last steps of `apply` for files and symlinks.

import { decompress } from "../content/compression.ts";
import { hashFiles } from "../content/hash-job.ts";
import { errnoOf } from "../core/errors.ts";
import { contentHashFromBytes } from "../core/ids.ts";
import { ExactNames } from "../edge/exact-names.ts";
import type { FileSystem, Stat } from "../edge/file-system.ts";
import { hasOtherName, lacksHardLinks } from "../edge/hard-links.ts";
import type { StatSignature } from "../index/entry.ts";
import { mtimeUsOf, signatureOf, signaturesEqual } from "../index/signature.ts";
import { copyBeside, isAcross, symlinkBeside } from "./across.ts";
import type { ApplyOperation, ApplyOutcome, Expected, FileOperation, MoveOperation } from "./apply-operation.ts";
import {
  afterSetTimes,
  applied,
  givenMode,
  isExpected,
  isUntouched,
  keepExpected,
  oncePlaced,
  type Applied,
  type ApplyState,
  type Placed,
} from "./apply-state.ts";
import { discard } from "./discard.ts";
import { absolutePath, stagingPath } from "./disk-layout.ts";

interface Placement {
  readonly diskPath: string;
  readonly expected: Expected;
}

/** Why nothing was staged. */
type NotStaged = Extract<ApplyOutcome, { kind: "damaged" | "changed" | "problem" }>;

const DAMAGED: NotStaged = { kind: "damaged" };

/** Stages what is not staged yet, sets mode and time, and renames over the target. */
export function placeFile(state: ApplyState, operation: FileOperation & Placement): ApplyOutcome {
  const { fs } = state.context;
  const staged = stage(state, operation);
  if (typeof staged !== "string") return staged;
  return withoutLeftover(fs, operation.source.kind === "staged" ? undefined : staged, () =>
    renameIntoPlace(state, operation, staged),
  );
}

/** Renames a file of this folder whose content is wanted here and not there. */
export function moveFile(state: ApplyState, operation: MoveOperation & Placement): ApplyOutcome {
  const { fs } = state.context;
  const from = absolutePath(state.root, operation.from);
  const current = state.parents.hold(operation.from) ? fs.lstat(from) : undefined;
  if (current === undefined || !signaturesEqual(signatureOf(current), operation.fromSignature)) {
    return { kind: "damaged" };
  }
  if (!isExpected(state, operation) && !isOwnName(state, operation)) return { kind: "changed" };
  const kept = clearTarget(state, operation);
  if (kept.kind !== "cleared") return kept;
  const { trashed } = kept;
  const path = absolutePath(state.root, operation.diskPath);
  if (operation.expected !== "absent") {
    // Keeping the old content may have taken a while. The target is looked at last: what is replaced unseen is lost,
    // what is moved unseen is only somewhere else.
    const isMovable = isUntouched(fs.lstat(from), operation.fromSignature);
    const isCleared = isMovable && isStillCleared(fs.lstat(path), operation.expected);
    if (!isCleared) {
      state.trash.discard(trashed);
      return { kind: isMovable ? "changed" : "damaged" };
    }
  }
  try {
    fs.rename(from, path);
  } catch (error) {
    if (!isAcross(error)) throw error;
    const placed = moveAcross(state, operation);
    if (placed === undefined) return { kind: "changed" };
    return oncePlaced(trashed, () => applied(state, operation.diskPath, trashed, placed));
  }
  // Renaming a file over another name of itself does nothing (POSIX): then the old name is still there.
  if (operation.expected !== "absent" && operation.expected.inode === operation.fromSignature.inode) fs.unlink(from);
  return oncePlaced(trashed, () => settleMoved(state, operation, trashed));
}

/** Gives what was moved the mode and the time that it is to have. */
function settleMoved(state: ApplyState, operation: MoveOperation & Placement, trashed: string | undefined): Applied {
  const { fs } = state.context;
  const { diskPath, mode, mtimeUs, fromSignature } = operation;
  const path = absolutePath(state.root, diskPath);
  // Changed since the look at it: what is here now is for the scanner to find out, and keeps its time.
  if (!isUntouched(fs.lstat(path), fromSignature)) return applied(state, diskPath, trashed, undefined);
  if (fromSignature.mode !== mode) fs.setMode(path, mode);
  if (mtimeUsOf(fromSignature) === mtimeUs) return applied(state, diskPath, trashed, givenMode(fromSignature, mode));
  fs.setTimes(path, mtimeUs);
  const placed = afterSetTimes(fs.lstat(path), fromSignature, mtimeUs);
  return applied(state, diskPath, trashed, givenMode(placed, mode));
}

/** True if nobody touched what is kept in the trash by now, or took the place of the directory that was removed. */
function isStillCleared(current: Stat | undefined, expected: StatSignature): boolean {
  return expected.kind === "directory" ? current === undefined : isUntouched(current, expected);
}

/** True where only the case of a name changes, and the file system does not tell the two apart. */
function isOwnName(state: ApplyState, { diskPath, expected, from, fromSignature }: MoveOperation & Placement): boolean {
  if (expected !== "absent" || diskPath.toLowerCase() !== from.toLowerCase()) return false;
  const { fs } = state.context;
  const { inode } = fromSignature;
  return (
    fs.lstat(absolutePath(state.root, diskPath))?.inode === inode && !new ExactNames(fs, state.root).isExact(diskPath)
  );
}

/** Copies to the target's file system, then removes the source; `undefined` if either changed meanwhile. */
function moveAcross(state: ApplyState, operation: MoveOperation & Placement): Placed | undefined {
  const { fs } = state.context;
  const from = absolutePath(state.root, operation.from);
  const path = absolutePath(state.root, operation.diskPath);
  const beside = copyBeside(state, from, path, operation);
  try {
    const current = fs.lstat(from);
    const isSame = current !== undefined && signaturesEqual(signatureOf(current), operation.fromSignature);
    if (!isSame || !isExpected(state, operation)) return undefined;
    const placed = fs.lstat(beside);
    fs.rename(beside, path);
    fs.unlink(from);
    return placed;
  } finally {
    discard(fs, beside);
  }
}

/** Makes the symlink in staging and renames it over the target. */
export function placeSymlink(state: ApplyState, operation: Extract<ApplyOperation, { kind: "symlink" }>): ApplyOutcome {
  const { fs } = state.context;
  if (!isExpected(state, operation)) return { kind: "changed" };
  const staged = state.temporaryPath();
  fs.symlink(operation.target, staged);
  return withoutLeftover(fs, staged, () => {
    const cleared = clearTarget(state, operation);
    if (cleared.kind !== "cleared") return cleared;
    const path = absolutePath(state.root, operation.diskPath);
    const placed = renameOver(state, operation, staged, () => symlinkBeside(state, operation.target, path));
    if (placed === undefined) return { kind: "changed" };
    const { trashed } = cleared;
    return oncePlaced(trashed, () => applied(state, operation.diskPath, trashed, placed));
  });
}

/** What was staged for this operation alone goes unless it got its place. */
function withoutLeftover(fs: FileSystem, staged: string | undefined, place: () => ApplyOutcome): ApplyOutcome {
  try {
    const outcome = place();
    if (outcome.kind !== "applied" && staged !== undefined) discard(fs, staged);
    return outcome;
  } catch (error) {
    if (staged !== undefined) discard(fs, staged);
    throw error;
  }
}

/** Returns the absolute path of the verified content in staging, or why it is not there. */
function stage(state: ApplyState, operation: FileOperation): string | NotStaged {
  const { source } = operation;
  switch (source.kind) {
    case "bytes":
      return stageBytes(state, operation, source);
    case "copy":
      return stageCopy(state, operation, source.diskPath);
    case "staged": {
      const path = stagingPath(state.root, operation.contentId);
      const { fs } = state.context;
      // With another name as well it is a file in its place (stage-job.ts).
      const stat = fs.lstat(path);
      if (stat === undefined || hasOtherName(stat)) return DAMAGED;
      const descriptor = fs.openForWriting(path);
      try {
        fs.truncate(descriptor, operation.size);
        fs.setModeOf(descriptor, operation.mode);
        fs.setTimesOf(descriptor, operation.mtimeUs);
      } finally {
        fs.close(descriptor);
      }
      return path;
    }
  }
}

function stageBytes(
  state: ApplyState,
  operation: FileOperation,
  source: Extract<FileOperation["source"], { kind: "bytes" }>,
): string | NotStaged {
  const { fs, blake3 } = state.context;
  const bytes = source.encoding === "raw" ? source.payload : decompress(source.payload, operation.size);
  if (bytes?.length !== operation.size) return DAMAGED;
  if (contentHashFromBytes(blake3.hash(bytes)) !== operation.contentId) return DAMAGED;
  const path = state.temporaryPath();
  const descriptor = fs.createFile(path, operation.mode);
  try {
    if (bytes.length > 0) fs.write(descriptor, bytes, 0);
    fs.setTimesOf(descriptor, operation.mtimeUs);
  } catch (error) {
    discard(fs, path);
    throw error;
  } finally {
    fs.close(descriptor);
  }
  return path;
}

function stageCopy(state: ApplyState, operation: FileOperation, from: string): string | NotStaged {
  const { fs, blake3 } = state.context;
  if (!state.parents.hold(from)) return DAMAGED;
  const source = absolutePath(state.root, from);
  if (fs.lstat(source)?.kind !== "file") return DAMAGED;
  const path = state.temporaryPath();
  fs.copyFile(source, path);
  const name = path.slice(state.root.length + 1);
  const [outcome] = hashFiles(fs, blake3, { root: state.root, files: [name], inlineBytesMax: 0 }).outcomes;
  if (outcome?.kind !== "hashed" || outcome.contentId !== operation.contentId) {
    discard(fs, path);
    // What cannot be read just now says nothing about the content: nobody else may have it.
    if (outcome?.kind === "problem") return outcome;
    return outcome?.kind === "hashed" ? DAMAGED : { kind: "changed" };
  }
  try {
    fs.setMode(path, operation.mode);
    fs.setTimes(path, operation.mtimeUs);
  } catch (error) {
    discard(fs, path);
    throw error;
  }
  return path;
}

function renameIntoPlace(state: ApplyState, operation: FileOperation & Placement, staged: string): ApplyOutcome {
  const path = absolutePath(state.root, operation.diskPath);
  let placed: Stat | undefined;
  let trashed: string | undefined;
  if (operation.expected === "absent") placed = putNew(state, operation, staged);
  else {
    if (!isExpected(state, operation)) return { kind: "changed" };
    const cleared = clearTarget(state, operation);
    if (cleared.kind !== "cleared") return cleared;
    trashed = cleared.trashed;
    placed = renameOver(state, operation, staged, () => copyBeside(state, staged, path, operation));
  }
  if (placed === undefined) return { kind: "changed" };
  const file = placed;
  return oncePlaced(trashed, () => settleMode(state, operation, trashed, file));
}

/** Gives what was put in place the mode that it is to have. */
function settleMode(
  state: ApplyState,
  { diskPath, mode }: FileOperation & Placement,
  trashed: string | undefined,
  placed: Stat,
): Applied {
  const outcome = applied(state, diskPath, trashed, placed);
  if (outcome.signature === undefined || outcome.signature.mode === mode) return outcome;
  // A person's chmod of a moment ago is for the scanner to find.
  if (outcome.signature.mode !== placed.mode) return { ...outcome, signature: undefined, touched: true };
  // The umask kept bits away from a file that was created with this mode.
  state.context.fs.setMode(absolutePath(state.root, diskPath), mode);
  return applied(state, diskPath, trashed, givenMode(placed, mode));
}

/** Gives the staged file its name, and returns what it is; `undefined` if something is there by now. */
function putNew(state: ApplyState, operation: FileOperation & Placement, staged: string): Stat | undefined {
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  const placed = fs.lstat(staged);
  try {
    fs.link(staged, path);
  } catch (error) {
    if (isAcross(error)) return putNewAcross(state, operation, staged);
    if (errnoOf(error) === "EEXIST") return undefined;
    if (!lacksHardLinks(error)) throw error;
    if (fs.lstat(path) !== undefined) return undefined;
    fs.rename(staged, path);
    return placed;
  }
  // It is in its place, whatever becomes of its other name.
  discard(fs, staged);
  return placed;
}

function putNewAcross(state: ApplyState, operation: FileOperation & Placement, staged: string): Stat | undefined {
  const { fs } = state.context;
  const beside = copyBeside(state, staged, absolutePath(state.root, operation.diskPath), operation);
  try {
    const placed = putNew(state, operation, beside);
    if (placed !== undefined) discard(fs, staged);
    return placed;
  } finally {
    discard(fs, beside);
  }
}

/**
 * Renames what is staged over the target, and returns what it is; from another file system by way of `bringBeside`,
 * which takes time: then `undefined` if the target changed meanwhile.
 */
function renameOver(
  state: ApplyState,
  placement: Placement,
  staged: string,
  bringBeside: () => string,
): Stat | undefined {
  const { fs } = state.context;
  const path = absolutePath(state.root, placement.diskPath);
  const placed = fs.lstat(staged);
  try {
    fs.rename(staged, path);
    return placed;
  } catch (error) {
    if (!isAcross(error)) throw error;
  }
  const beside = bringBeside();
  try {
    if (placement.expected !== "absent" && placement.expected.kind !== "directory" && !isExpected(state, placement)) {
      return undefined;
    }
    const brought = fs.lstat(beside);
    fs.rename(beside, path);
    discard(fs, staged);
    return brought;
  } finally {
    discard(fs, beside);
  }
}

type Cleared =
  /** What was there is in the trash, if one is kept. */
  | { readonly kind: "cleared"; readonly trashed: string | undefined }
  | { readonly kind: "not-empty" }
  | { readonly kind: "changed" };

/** Keeps what is at the target in the trash; a directory there is removed, if it is empty. */
function clearTarget(state: ApplyState, { expected, diskPath }: Placement): Cleared {
  if (expected === "absent") return { kind: "cleared", trashed: undefined };
  if (expected.kind !== "directory") {
    const kept = keepExpected(state, diskPath, expected);
    return kept.kind === "changed" ? kept : { kind: "cleared", trashed: kept.trashed };
  }
  const path = absolutePath(state.root, diskPath);
  if (state.context.fs.readDirectory(path).length > 0) return { kind: "not-empty" };
  state.context.fs.removeDirectory(path);
  state.parents.forget(diskPath);
  return { kind: "cleared", trashed: undefined };
}
