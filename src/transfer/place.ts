// Puts verified content under its name: the last steps of `apply` for files and symlinks.

import { decompress } from "../content/compression.ts";
import { hashFiles } from "../content/hash-job.ts";
import { errnoOf } from "../core/errors.ts";
import { contentHashFromBytes } from "../core/ids.ts";
import { ExactNames } from "../edge/exact-names.ts";
import { mtimeUsOf, signatureOf, signaturesEqual } from "../index/signature.ts";
import type { ApplyOperation, ApplyOutcome, Expected, FileOperation, MoveOperation } from "./apply-operation.ts";
import { copyBeside, discard, isAcross, symlinkBeside } from "./across.ts";
import { applied, isExpected, type ApplyState } from "./apply-state.ts";
import { absolutePath, stagingPath } from "./disk-layout.ts";

interface Placement {
  readonly diskPath: string;
  readonly expected: Expected;
}

/** File systems that keep times less exactly than asked round by up to this much (vfat: 2 s). */
const COARSE_MTIME_US_MAX = 2_000_000;

/** Stages what is not staged yet, sets mode and time, and renames over the target. */
export function placeFile(state: ApplyState, operation: FileOperation & Placement): ApplyOutcome {
  const { fs } = state.context;
  const staged = stage(state, operation);
  if (staged === undefined) return { kind: "damaged" };
  let isPlaced = false;
  try {
    const outcome = renameIntoPlace(state, operation, staged);
    isPlaced = outcome.kind === "applied";
    return outcome;
  } finally {
    // What was staged for this attempt alone would pile up, attempt by attempt.
    if (!isPlaced && operation.source.kind !== "staged") discard(fs, staged);
  }
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
  const trashed = operation.expected === "absent" ? undefined : state.trash.keep(operation.diskPath);
  const path = absolutePath(state.root, operation.diskPath);
  try {
    fs.rename(from, path);
  } catch (error) {
    if (!isAcross(error)) throw error;
    if (!moveAcross(state, operation)) return { kind: "changed" };
    return applied(state, operation.diskPath, trashed);
  }
  // Renaming a file over another name of itself does nothing (POSIX): then the old name is still there.
  if (operation.expected !== "absent" && operation.expected.inode === operation.fromSignature.inode) fs.unlink(from);
  if (operation.fromSignature.mode !== operation.mode) fs.setMode(path, operation.mode);
  if (mtimeUsOf(operation.fromSignature) !== operation.mtimeUs) fs.setTimes(path, operation.mtimeUs);
  return applied(state, operation.diskPath, trashed);
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

/** Copies to the target's file system, then removes the source; false if either changed meanwhile. */
function moveAcross(state: ApplyState, operation: MoveOperation & Placement): boolean {
  const { fs } = state.context;
  const from = absolutePath(state.root, operation.from);
  const path = absolutePath(state.root, operation.diskPath);
  const beside = copyBeside(state, from, path, operation);
  try {
    const current = fs.lstat(from);
    const isSame = current !== undefined && signaturesEqual(signatureOf(current), operation.fromSignature);
    if (!isSame || !isExpected(state, operation)) return false;
    fs.rename(beside, path);
  } finally {
    discard(fs, beside);
  }
  fs.unlink(from);
  return true;
}

/** Makes the symlink in staging and renames it over the target. */
export function placeSymlink(state: ApplyState, operation: Extract<ApplyOperation, { kind: "symlink" }>): ApplyOutcome {
  const { fs } = state.context;
  if (!isExpected(state, operation)) return { kind: "changed" };
  const staged = state.temporaryPath();
  fs.symlink(operation.target, staged);
  let isPlaced = false;
  try {
    const cleared = clearTarget(state, operation);
    if (cleared.kind === "not-empty") return cleared;
    const path = absolutePath(state.root, operation.diskPath);
    isPlaced = renameOver(state, operation, staged, () => symlinkBeside(state, operation.target, path));
    return isPlaced ? applied(state, operation.diskPath, cleared.trashed) : { kind: "changed" };
  } finally {
    if (!isPlaced) discard(fs, staged);
  }
}

/** Returns the absolute path of the verified content in staging, or `undefined` if it is not what it should be. */
function stage(state: ApplyState, operation: FileOperation): string | undefined {
  const { source } = operation;
  switch (source.kind) {
    case "bytes":
      return stageBytes(state, operation, source);
    case "copy":
      return stageCopy(state, operation, source.diskPath);
    case "staged": {
      const path = stagingPath(state.root, operation.contentId);
      const { fs } = state.context;
      if (fs.lstat(path) === undefined) return undefined;
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
): string | undefined {
  const { fs, blake3 } = state.context;
  const bytes = source.encoding === "raw" ? source.payload : decompress(source.payload, operation.size);
  if (bytes?.length !== operation.size) return undefined;
  if (contentHashFromBytes(blake3.hash(bytes)) !== operation.contentId) return undefined;
  const path = state.temporaryPath();
  const descriptor = fs.createFile(path, operation.mode);
  try {
    if (bytes.length > 0) fs.write(descriptor, bytes, 0);
    fs.setTimesOf(descriptor, operation.mtimeUs);
  } catch (error) {
    fs.unlink(path);
    throw error;
  } finally {
    fs.close(descriptor);
  }
  return path;
}

function stageCopy(state: ApplyState, operation: FileOperation, from: string): string | undefined {
  const { fs, blake3 } = state.context;
  if (!state.parents.hold(from)) return undefined;
  const source = absolutePath(state.root, from);
  if (fs.lstat(source)?.kind !== "file") return undefined;
  const path = state.temporaryPath();
  fs.copyFile(source, path);
  const name = path.slice(state.root.length + 1);
  const [outcome] = hashFiles(fs, blake3, { root: state.root, files: [name], inlineBytesMax: 0 }).outcomes;
  if (outcome?.kind !== "hashed" || outcome.contentId !== operation.contentId) {
    fs.unlink(path);
    return undefined;
  }
  fs.setMode(path, operation.mode);
  fs.setTimes(path, operation.mtimeUs);
  return path;
}

function renameIntoPlace(state: ApplyState, operation: FileOperation & Placement, staged: string): ApplyOutcome {
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  let trashed: string | undefined;
  if (operation.expected === "absent") {
    if (!putNew(state, operation, staged)) return { kind: "changed" };
  } else {
    if (!isExpected(state, operation)) return { kind: "changed" };
    const cleared = clearTarget(state, operation);
    if (cleared.kind === "not-empty") return cleared;
    trashed = cleared.trashed;
    const isThere = renameOver(state, operation, staged, () => copyBeside(state, staged, path, operation));
    if (!isThere) return { kind: "changed" };
  }
  const outcome = applied(state, operation.diskPath, trashed);
  if (outcome.kind !== "applied" || outcome.signature === undefined) return outcome;
  if (outcome.signature.mode !== operation.mode) {
    // The umask kept bits away from a file that was created with this mode.
    fs.setMode(path, operation.mode);
    return withTouched(operation, applied(state, operation.diskPath, trashed));
  }
  return withTouched(operation, outcome);
}

/** Gives the staged file its name unless something is there by now: then false. */
function putNew(state: ApplyState, operation: FileOperation & Placement, staged: string): boolean {
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  try {
    fs.link(staged, path);
  } catch (error) {
    if (isAcross(error)) return putNewAcross(state, operation, staged);
    const code = errnoOf(error);
    if (code === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code ?? "")) throw error;
    if (fs.lstat(path) !== undefined) return false;
    fs.rename(staged, path);
    return true;
  }
  fs.unlink(staged);
  return true;
}

function putNewAcross(state: ApplyState, operation: FileOperation & Placement, staged: string): boolean {
  const { fs } = state.context;
  const beside = copyBeside(state, staged, absolutePath(state.root, operation.diskPath), operation);
  try {
    if (!putNew(state, operation, beside)) return false;
  } finally {
    discard(fs, beside);
  }
  discard(fs, staged);
  return true;
}

/**
 * Renames what is staged over the target; from another file system by way of `bringBeside`, which takes time: then false
 * if the target changed meanwhile.
 */
function renameOver(state: ApplyState, placement: Placement, staged: string, bringBeside: () => string): boolean {
  const { fs } = state.context;
  const path = absolutePath(state.root, placement.diskPath);
  try {
    fs.rename(staged, path);
    return true;
  } catch (error) {
    if (!isAcross(error)) throw error;
  }
  const beside = bringBeside();
  try {
    if (placement.expected !== "absent" && placement.expected.kind !== "directory" && !isExpected(state, placement)) {
      return false;
    }
    fs.rename(beside, path);
  } finally {
    discard(fs, beside);
  }
  discard(fs, staged);
  return true;
}

/** Notices when a person wrote to the file right after it was put in place. */
function withTouched(operation: FileOperation, outcome: ApplyOutcome): ApplyOutcome {
  if (outcome.kind !== "applied" || outcome.signature === undefined) return outcome;
  const { size } = outcome.signature;
  const drift = Math.abs(mtimeUsOf(outcome.signature) - operation.mtimeUs);
  return { ...outcome, touched: size !== operation.size || drift > COARSE_MTIME_US_MAX };
}

type Cleared =
  /** What was there is in the trash, if one is kept. */
  { readonly kind: "cleared"; readonly trashed: string | undefined } | { readonly kind: "not-empty" };

/** Keeps what is at the target in the trash; a directory there is removed, if it is empty. */
function clearTarget(state: ApplyState, { expected, diskPath }: Placement): Cleared {
  if (expected === "absent") return { kind: "cleared", trashed: undefined };
  if (expected.kind !== "directory") return { kind: "cleared", trashed: state.trash.keep(diskPath) };
  const path = absolutePath(state.root, diskPath);
  if (state.context.fs.readDirectory(path).length > 0) return { kind: "not-empty" };
  state.context.fs.removeDirectory(path);
  state.parents.forget(diskPath);
  return { kind: "cleared", trashed: undefined };
}
