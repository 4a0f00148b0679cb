// A folder's FolderAccess by way of the instance that runs on it.

import type { FolderAccess } from "./folder-access.ts";
import { askInstance, type LocalDoor } from "./local-api.ts";
import * as messages from "./local-messages.ts";

/** Each call throws a DsyncError `environment` if the instance cannot be asked. */
export function instanceAccess(door: LocalDoor): FolderAccess {
  return {
    status: () => askInstance(door, { ask: "status" }, messages.parseStatus),
    conflicts: () => askInstance(door, { ask: "conflicts" }, messages.parseConflicts),
    trashList: () => askInstance(door, { ask: "trash-list" }, messages.parseTrashItems),
    trashRestore: (wanted) => askInstance(door, { ask: "trash-restore", wanted }, messages.parseRestoreOutcomes),
    trashEmpty: () => askInstance(door, { ask: "trash-empty" }, messages.parseEmptyTrash),
    ignoreTest: (target, exclude) =>
      askInstance(door, { ask: "ignore-test", target, exclude }, messages.parseIgnoreReport),
  };
}
