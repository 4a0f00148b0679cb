// Where the instance of a folder answers commands: a socket that only this user can reach.

import { lstatSync, mkdirSync } from "node:fs";
import { dirname, isAbsolute, posix } from "node:path";
import { DsyncError, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { SOCKET_PATH_BYTES_MAX } from "../core/limits.ts";
import { folderKey } from "../edge/folder-record.ts";
import type { Platform } from "./platform.ts";

/**
 * The socket (on Windows the named pipe) of the folder with that real path. `null` if every place for it is too long a
 * path for a socket. Pure.
 */
export function socketPathFor(
  realFolder: string,
  { environment, system, temporary, uid }: Pick<Platform, "environment" | "system" | "temporary" | "uid">,
): string | null {
  const key = folderKey(realFolder);
  if (system === "win32") return `\\\\.\\pipe\\dsync-${key}`;
  const runtime = environment["XDG_RUNTIME_DIR"];
  const directories = [`dsync-${uid ?? 0}`].map((name) => posix.join(temporary, name));
  if (runtime !== undefined && isAbsolute(runtime)) directories.unshift(posix.join(runtime, "dsync"));
  const fitting = directories
    .map((directory) => posix.join(directory, `${key}.sock`))
    .find((path) => Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX);
  return fitting ?? null;
}

/** Makes the socket's directory, and checks that nobody else can put a socket there. Throws a DsyncError `environment`. */
export function prepareSocketDirectory(socketPath: string, uid: number | undefined): void {
  // Named pipes have no directory, and no user IDs.
  if (uid === undefined) return;
  const directory = dirname(socketPath);
  const shown = escapeForTerminal(directory);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DsyncError(
      "environment",
      `Cannot create ${shown}: ${messageOf(error)}. Set XDG_RUNTIME_DIR to a directory of your own.`,
      { cause: error },
    );
  }
  expectPrivate(directory, uid);
}

/** Throws a DsyncError `environment` unless the directory is this user's alone. */
export function expectPrivate(directory: string, uid: number | undefined): void {
  if (uid === undefined) return;
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true && stat.uid === uid && (stat.mode & 0o077) === 0) return;
  const shown = escapeForTerminal(directory);
  throw new DsyncError(
    "environment",
    `${shown} is not a directory that only this user can reach, so commands cannot safely talk to an instance there. ` +
      "Remove it, or set XDG_RUNTIME_DIR to a directory of your own.",
  );
}
