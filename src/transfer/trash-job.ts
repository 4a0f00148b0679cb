// The `trash` job: what a person asks of the trash. It may hold 100,000 items, so none of it runs on the main thread.

import { TRASH_PAGE_ITEMS } from "../core/limits.ts";
import type { EmptyTrashReport, RestoreOutcome } from "../core/reports.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { restoreFromTrash } from "./restore-trash.ts";
import { emptyTrash, listTrash, selectTrashItems } from "./trash.ts";

export type TrashRequest = {
  /** Absolute disk path of the folder. */
  readonly root: string;
} & (
  | { readonly ask: "list" | "empty" }
  /** Items as the list names them, or paths. */
  | { readonly ask: "restore"; readonly wanted: readonly string[] }
);

export type TrashResult =
  /** Each page is a JSON array of some TrashItems: text crosses to the main thread far cheaper than objects. */
  | { readonly kind: "listed"; readonly pages: readonly string[] }
  | { readonly kind: "restored"; readonly restored: readonly RestoreOutcome[] }
  | { readonly kind: "emptied"; readonly report: EmptyTrashReport };

/** Throws Node's system errors if the trash cannot be read. */
export function useTrash({ fs }: JobContext, request: TrashRequest): TrashResult {
  const { root } = request;
  switch (request.ask) {
    case "list":
      return { kind: "listed", pages: listPages(fs, root) };
    case "empty":
      return { kind: "emptied", report: emptyTrash(fs, root) };
    case "restore":
      return { kind: "restored", restored: restore(fs, root, request.wanted) };
  }
}

function listPages(fs: FileSystem, root: string): readonly string[] {
  const items = listTrash(fs, root);
  const pages: string[] = [];
  for (let start = 0; start < items.length; start += TRASH_PAGE_ITEMS) {
    pages.push(JSON.stringify(items.slice(start, start + TRASH_PAGE_ITEMS)));
  }
  return pages;
}

function restore(fs: FileSystem, root: string, wanted: readonly string[]): readonly RestoreOutcome[] {
  const { selected, missing } = selectTrashItems(listTrash(fs, root), wanted);
  return [
    ...selected.map((item) => restoreFromTrash(fs, root, item)),
    ...missing.map((item) => ({ item, restored: false, reason: "It is not in the trash." }) as const),
  ];
}
