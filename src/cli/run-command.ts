// Runs one command beside an instance: asks for the data, and says what to print and how to exit.

import { assertNever } from "../core/assert.ts";
import type { FolderCommand } from "./command-line.ts";
import { conflictsText, emptyTrashText, ignoreText, restoreText, statusText, trashText } from "./command-text.ts";
import type { FolderAccess } from "./folder-access.ts";

export interface CommandResult {
  /** For stdout, with its last newline. */
  readonly output: string;
  /** 1 if a part of what was asked for failed. */
  readonly exitCode: 0 | 1;
}

/** Every folder command but `forget`, which needs no access to what is in the folder. */
export type AccessCommand = Exclude<FolderCommand, { command: "forget" }>;

export async function runCommand(command: AccessCommand, access: FolderAccess): Promise<CommandResult> {
  switch (command.command) {
    case "status":
      return shown(command, await access.status(), statusText);
    case "conflicts":
      return shown(command, await access.conflicts(), conflictsText);
    case "trash":
      return runTrash(command, access);
    case "ignore-test":
      return shown(command, await access.ignoreTest(command.target, command.exclude), ignoreText);
    default:
      return assertNever(command);
  }
}

async function runTrash(
  command: Extract<AccessCommand, { command: "trash" }>,
  access: FolderAccess,
): Promise<CommandResult> {
  switch (command.action) {
    case "list":
      return shown(command, await access.trashList(), trashText);
    case "empty": {
      const report = await access.trashEmpty();
      return { ...shown(command, report, emptyTrashText), exitCode: report.failed.length === 0 ? 0 : 1 };
    }
    case "restore": {
      const outcomes = await access.trashRestore(command.items);
      return { ...shown(command, outcomes, restoreText), exitCode: outcomes.every(({ restored }) => restored) ? 0 : 1 };
    }
    default:
      return assertNever(command);
  }
}

function shown<T>({ json }: AccessCommand, value: T, render: (value: T) => string): CommandResult {
  return { output: json ? `${JSON.stringify(value)}\n` : render(value), exitCode: 0 };
}
