// A command beside `dsync -d`: on the instance that runs on the folder, or else on the folder alone.

import { realpathSync } from "node:fs";
import { loadBlake3 } from "../content/blake3.ts";
import { DsyncError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { systemClock } from "../edge/clock.ts";
import { forgetFolder } from "../edge/folder-claim.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { trashAccess, type TrashAccess } from "../transfer/trash-access.ts";
import { folderHolder } from "../edge/folder-lock.ts";
import { readMarker } from "../edge/folder-marker.ts";
import { stateDirectory } from "../edge/folder-record.ts";
import { resolveRealFolder } from "../edge/real-folder.ts";
import { openLmdbStoreReadOnly } from "../index/lmdb-store.ts";
import { ConflictList } from "../sync/conflict-list.ts";
import { stoppedStatus } from "../sync/stopped-status.ts";
import { INDEX_DIRECTORY } from "../transfer/disk-layout.ts";
import type { FolderCommand } from "./command-line.ts";
import type { ExitCode } from "./exit-code.ts";
import type { FolderAccess } from "./folder-access.ts";
import { ignoreTarget } from "./ignore-target.ts";
import { instanceAccess } from "./instance-access.ts";
import { loadFolder } from "./load-options.ts";
import { folderAccess, type IndexAccess } from "./local-access.ts";
import type { Platform } from "./platform.ts";
import type { Output } from "./reporter.ts";
import { runCommand } from "./run-command.ts";

export interface CommandSurroundings {
  readonly platform: Platform;
  readonly stdout: Output;
  readonly portable: boolean;
}

/** Throws a DsyncError. */
export async function runFolderCommand(command: FolderCommand, around: CommandSurroundings): Promise<ExitCode> {
  const { platform, stdout } = around;
  const { folder, share } = loadFolder(command, platform);
  if (command.command === "forget") {
    stdout.write(forget(folder, platform, command.json));
    return 0;
  }
  const { path: root, exists } = resolveRealFolder(folder);
  if (!exists)
    throw new DsyncError("usage", `There is no folder ${escapeForTerminal(folder)}. Check the path after -d.`);
  if (command.command === "ignore-test") {
    // Plain files, and needs no index: also before the first run.
    const target = ignoreTarget(command.target, root, realpathSync(platform.cwd));
    const access = folderAccess(root, absentIndex(root), closedTrash(root, around.portable));
    const { output, exitCode } = await runCommand({ ...command, target }, access);
    stdout.write(output);
    return exitCode;
  }
  const { output, exitCode } = await runCommand(command, accessTo(root, share, around));
  stdout.write(output);
  return exitCode;
}

function accessTo(root: string, share: string | undefined, { platform, portable }: CommandSurroundings): FolderAccess {
  const holder = folderHolder(root);
  if (holder !== undefined) {
    if (holder.socketPath === null) throw noDoor(root);
    return instanceAccess({ socketPath: holder.socketPath, uid: platform.uid });
  }
  const index = readMarker(root) === undefined ? absentIndex(root) : closedIndex(root, share, portable);
  return folderAccess(root, index, closedTrash(root, portable));
}

/** The trash of a folder on which nothing runs: a command may take its time on its own thread. */
function closedTrash(root: string, portable: boolean): TrashAccess {
  const context = { fs: nodeFileSystem, blake3: loadBlake3({ portable }) };
  return trashAccess(createInProcessRunner({ context }), root);
}

/** The index of a folder on which nothing runs. */
function closedIndex(root: string, share: string | undefined, portable: boolean): IndexAccess {
  const blake3 = loadBlake3({ portable });
  const withStore = async <T>(use: (store: ReturnType<typeof openLmdbStoreReadOnly>) => Promise<T> | T): Promise<T> => {
    const store = openLmdbStoreReadOnly({
      directory: `${root}/${INDEX_DIRECTORY}`,
      clock: systemClock,
      hash: (bytes) => blake3.hash(bytes),
    });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
  return {
    status: () => withStore((store) => stoppedStatus(root, share ?? "default", store)),
    conflicts: () => withStore((store) => new ConflictList(store).list()),
  };
}

/** A folder that dsync never ran on. */
function absentIndex(root: string): IndexAccess {
  const fail = (): never => {
    const shown = escapeForTerminal(root);
    throw new DsyncError(
      "environment",
      `${shown} is not synced yet: there is no index in it. Start with: dsync -d ${shown}`,
    );
  };
  return { status: async () => fail(), conflicts: async () => fail() };
}

function forget(folder: string, platform: Platform, json: boolean): string {
  const state = stateDirectory(platform);
  const wasKnown = state !== undefined && forgetFolder({ folder, state });
  if (json) return `${JSON.stringify({ folder, forgotten: wasKnown })}\n`;
  const shown = escapeForTerminal(folder);
  return wasKnown
    ? `Forgot ${shown}. Nothing in it was touched; the next start takes it as new.\n`
    : `This machine remembers nothing of ${shown}.\n`;
}

function noDoor(root: string): DsyncError {
  const shown = escapeForTerminal(root);
  return new DsyncError(
    "environment",
    `The instance on ${shown} answers no commands: the path for its socket is too long. Set XDG_RUNTIME_DIR.`,
  );
}
