// Putting things in place in a part of the folder that is on another file system than staging: neither renames nor
// links reach it, so a copy is made beside the target, under a name that never syncs, and renamed there.

import { errnoOf } from "../core/errors.ts";
import type { ApplyState } from "./apply-state.ts";
import { discard } from "./discard.ts";

export interface FileFacts {
  readonly mode: number;
  readonly mtimeUs: number;
}

/** True for the error of a rename or link that would leave its file system (or mount). */
export function isAcross(error: unknown): boolean {
  return errnoOf(error) === "EXDEV";
}

/** Copies a file into the directory of `path`. Returns where; whoever called renames or discards it. */
export function copyBeside(state: ApplyState, from: string, path: string, { mode, mtimeUs }: FileFacts): string {
  const { fs } = state.context;
  const beside = nameBeside(state, path);
  try {
    fs.copyFile(from, beside);
    fs.setMode(beside, mode);
    fs.setTimes(beside, mtimeUs);
    return beside;
  } catch (error) {
    discard(fs, beside);
    throw error;
  }
}

/** Makes a symlink in the directory of `path`. Returns where. */
export function symlinkBeside(state: ApplyState, target: string, path: string): string {
  const beside = nameBeside(state, path);
  state.context.fs.symlink(target, beside);
  return beside;
}

/** `*.part` is ignored whatever the ignore file says. */
function nameBeside(state: ApplyState, path: string): string {
  const directory = path.slice(0, path.lastIndexOf("/"));
  for (;;) {
    const beside = `${directory}/${state.besideName()}`;
    if (state.context.fs.lstat(beside) === undefined) return beside;
  }
}
