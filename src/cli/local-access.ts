// A folder's FolderAccess on this disk. What only a running instance or the index knows comes in as an argument, and so
// does the trash, which wants worker threads beside a running instance; the ignore file is a plain file for both.

import { escapeForTerminal } from "../core/escape.ts";
import type { ConflictReport, IgnoreReport, StatusReport } from "../core/reports.ts";
import { parsePath } from "../core/path.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import type { TrashAccess } from "../transfer/trash-access.ts";
import { IgnoreFile } from "../watch/ignore-file.ts";
import type { FolderAccess } from "./folder-access.ts";
import { usageError } from "./settings.ts";

/** What has to be asked of whoever holds the index. */
export interface IndexAccess {
  status(): Promise<StatusReport>;
  conflicts(): Promise<readonly ConflictReport[]>;
}

/** `root`: the folder's real path. */
export function folderAccess(root: string, index: IndexAccess, trash: TrashAccess): FolderAccess {
  return {
    status: () => index.status(),
    conflicts: () => index.conflicts(),
    trashList: () => trash.list(),
    trashRestore: (wanted) => trash.restore(wanted),
    trashEmpty: () => trash.empty(),
    ignoreTest: async (target, exclude) => testIgnored(root, target, exclude),
  };
}

function testIgnored(root: string, target: string, exclude: readonly string[]): IgnoreReport {
  const path = parsePath(target.replace(/\/+$/, "").normalize("NFC"));
  if (path === undefined)
    throw usageError(`${escapeForTerminal(target)} is no path that can be synced. Name one inside the folder.`);
  const { rules } = new IgnoreFile({ root, exclude });
  const isDirectory = target.endsWith("/") || nodeFileSystem.lstat(`${root}/${path}`)?.kind === "directory";
  const verdict = rules.explain(path, isDirectory);
  if (verdict === undefined) return { path, ignored: false, rule: null };
  const { ignored, pattern, source, line } = verdict;
  return { path, ignored, rule: { pattern, source, line: line === 0 ? null : line } };
}
