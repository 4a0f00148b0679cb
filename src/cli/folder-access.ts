// What the commands beside a running instance need of a folder. Two implementations: the running instance, asked over
// its socket (instance-access.ts), and the folder alone.

import type {
  ConflictReport,
  EmptyTrashReport,
  IgnoreReport,
  RestoreOutcome,
  StatusReport,
  TrashItem,
} from "../core/reports.ts";

export interface FolderAccess {
  status(): Promise<StatusReport>;
  conflicts(): Promise<readonly ConflictReport[]>;
  /** The newest first. */
  trashList(): Promise<readonly TrashItem[]>;
  /** `wanted`: items as the list names them, or paths, which mean the newest item of that path (or below it). */
  trashRestore(wanted: readonly string[]): Promise<readonly RestoreOutcome[]>;
  trashEmpty(): Promise<EmptyTrashReport>;
  /** `target`: disk path relative to the folder; a trailing `/` says that it is a directory. `exclude`: further patterns. */
  ignoreTest(target: string, exclude: readonly string[]): Promise<IgnoreReport>;
}
