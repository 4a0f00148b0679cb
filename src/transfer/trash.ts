// The trash as a person sees it: what is in it, and emptying it. Batches are directories below `.dsync/trash/`, named by
// their time, that hold plain files under their old paths. trash-batch.ts fills them, restore-trash.ts brings content back.

import { errnoOf } from "../core/errors.ts";
import { TRASH_ITEMS_MAX } from "../core/limits.ts";
import { problemOf } from "../core/problem-of.ts";
import type { EmptyTrashReport, FailedPath, TrashItem } from "../core/reports.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { absolutePath, TRASH_DIRECTORY } from "./disk-layout.ts";

export interface TrashBatchName {
  readonly timeMs: number;
  /** 0, or a number that tells batches of one millisecond apart. */
  readonly serial: number;
}

/** `2024-05-01T10-03-44.120Z`, with `-<serial>` behind it unless that is 0. */
export function trashBatchName(nowMs: number, serial = 0): string {
  const time = new Date(nowMs).toISOString().replaceAll(":", "-");
  return serial === 0 ? time : `${time}-${serial}`;
}

/** `undefined` if `name` is no batch's. */
export function parseTrashBatchName(name: string): TrashBatchName | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})Z(?:-(\d{1,9}))?$/.exec(name);
  if (parts === null) return undefined;
  const [, date, hours, minutes, seconds, serial] = parts;
  const timeMs = Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(timeMs) ? undefined : { timeMs, serial: Number(serial ?? 0) };
}

/** What is in the trash, the newest first and each batch by name; bounded. Throws Node's system errors. */
export function listTrash(fs: FileSystem, root: string): readonly TrashItem[] {
  const items: TrashItem[] = [];
  for (const { name, timeMs } of trashBatches(fs, root).toReversed()) {
    const time = new Date(timeMs).toISOString();
    const files = [...filesBelow(fs, root, `${TRASH_DIRECTORY}/${name}`)].slice(0, TRASH_ITEMS_MAX - items.length);
    for (const { diskPath, kind, size } of files) {
      const item = diskPath.slice(TRASH_DIRECTORY.length + 1);
      items.push({ item, path: item.slice(name.length + 1), time, kind, size });
    }
  }
  return items;
}

/** The items that were asked for: by their own name, or the newest of a path, or of every path below a directory. Pure. */
export function selectTrashItems(items: readonly TrashItem[], wanted: readonly string[]): SelectedItems {
  const byName = new Map(items.map((item) => [item.item, item]));
  const selected = new Map<string, TrashItem>();
  const missing: string[] = [];
  for (const asked of wanted) {
    const name = asked.replace(/^\.\//, "").replace(/\/+$/, "");
    const exact = byName.get(name);
    const found =
      exact !== undefined
        ? [exact]
        : newestOfEach(items.filter(({ path }) => path === name || path.startsWith(`${name}/`)));
    if (found.length === 0) missing.push(asked);
    for (const item of found) selected.set(item.item, item);
  }
  return { selected: [...selected.values()], missing };
}

export interface SelectedItems {
  readonly selected: readonly TrashItem[];
  /** What is not in the trash. */
  readonly missing: readonly string[];
}

function newestOfEach(items: readonly TrashItem[]): readonly TrashItem[] {
  const newest = new Map<string, TrashItem>();
  for (const item of items) if (!newest.has(item.path)) newest.set(item.path, item);
  return [...newest.values()];
}

/** Removes whole batches: all, or those from before `beforeMs` (since 1970). Directories below `.dsync/trash/` that are no batches are not dsync's, and stay. */
export function emptyTrash(
  fs: FileSystem,
  root: string,
  { beforeMs = Number.POSITIVE_INFINITY }: { readonly beforeMs?: number } = {},
): EmptyTrashReport {
  const total = { files: 0, bytes: 0, failed: [] as FailedPath[] };
  for (const { name, timeMs } of trashBatches(fs, root)) {
    if (timeMs < beforeMs) removeTree(fs, root, `${TRASH_DIRECTORY}/${name}`, total);
  }
  return total;
}

/** Removes one batch. */
export function removeTrashBatch(fs: FileSystem, root: string, name: string): EmptyTrashReport {
  const total = { files: 0, bytes: 0, failed: [] as FailedPath[] };
  removeTree(fs, root, `${TRASH_DIRECTORY}/${name}`, total);
  return total;
}

/** Bytes of all files in one batch. */
export function trashBatchBytes(fs: FileSystem, root: string, name: string): number {
  let bytes = 0;
  for (const { size } of filesBelow(fs, root, `${TRASH_DIRECTORY}/${name}`)) bytes += size;
  return bytes;
}

/** In order of time. */
export function trashBatches(fs: FileSystem, root: string): readonly { name: string; timeMs: number }[] {
  // A link in its place would lead out of the folder.
  if (fs.lstat(absolutePath(root, TRASH_DIRECTORY))?.kind !== "directory") return [];
  return fs
    .readDirectory(absolutePath(root, TRASH_DIRECTORY))
    .filter(({ kind }) => kind === "directory")
    .map(({ name }) => ({ name, parsed: parseTrashBatchName(name) }))
    .flatMap(({ name, parsed }) => (parsed === undefined ? [] : [{ name, ...parsed }]))
    .toSorted((a, b) => a.timeMs - b.timeMs || a.serial - b.serial);
}

interface TrashedFile {
  readonly diskPath: string;
  readonly kind: "file" | "symlink";
  readonly size: number;
}

function* filesBelow(fs: FileSystem, root: string, directory: string): Iterable<TrashedFile> {
  const children = fs.readDirectory(absolutePath(root, directory)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name } of children) {
    const diskPath = `${directory}/${name}`;
    const stat = fs.lstat(absolutePath(root, diskPath));
    if (stat?.kind === "directory") yield* filesBelow(fs, root, diskPath);
    if (stat?.kind === "file" || stat?.kind === "symlink") yield { diskPath, kind: stat.kind, size: stat.size };
  }
}

function removeTree(
  fs: FileSystem,
  root: string,
  diskPath: string,
  total: { files: number; bytes: number; readonly failed: FailedPath[] },
): void {
  const path = absolutePath(root, diskPath);
  try {
    const stat = fs.lstat(path);
    if (stat?.kind === "directory") {
      for (const { name } of fs.readDirectory(path)) removeTree(fs, root, `${diskPath}/${name}`, total);
      fs.removeDirectory(path);
    } else if (stat !== undefined) {
      fs.unlink(path);
      total.files++;
      total.bytes += stat.size;
    }
  } catch (error) {
    // What could not be removed keeps the directories above it; it alone is told.
    if (errnoOf(error) !== "ENOTEMPTY")
      total.failed.push({ path: diskPath, reason: problemOf("remove", error).message });
  }
}
