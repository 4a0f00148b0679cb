// File systems of a test's own: small ones, read-only ones, strange ones. They need root, and Linux.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { removeDirectory, temporaryDirectory } from "./trees.ts";

/** What a test mounts; all of it is unmounted when the test ends. */
export interface Mounts {
  /** An empty file system in memory, over `directory`. */
  tmpfs(directory: string, sizeMib: number): void;
  /** Gives a file system in memory another size. */
  resize(directory: string, sizeMib: number): void;
  /** Makes an image with `mkfs` (a command that takes the image's path last) and returns its path. */
  image(sizeMib: number, mkfs: readonly string[]): string;
  /** `mount` with these arguments, the mount point last. */
  mount(args: readonly string[]): void;
  /** `isLazy`: also if something uses it, like a disk that is pulled out. */
  unmount(directory: string, options?: { readonly isLazy?: boolean }): void;
}

let reason: string | false | undefined;

/** For `skip`: why nothing can be mounted here, or `false`. */
export function whyNoMounts(): string | false {
  reason ??= findReason();
  return reason;
}

/** To be called before `machines`, so that their folders are free when they are removed. */
export function mounts(test: TestContext): Mounts {
  const directories: string[] = [];
  const images: string[] = [];
  test.after(() => {
    for (const directory of directories.toReversed()) tryToUnmount(directory);
    for (const image of images) removeDirectory(image);
  });
  const mount = (args: readonly string[]): void => {
    run("mount", ...args);
    directories.push(args.at(-1) ?? "");
  };
  return {
    mount,
    tmpfs: (directory, sizeMib) => mount(["-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", directory]),
    resize: (directory, sizeMib) => run("mount", "-o", `remount,size=${sizeMib}m`, directory),
    image: (sizeMib, [command = "", ...args]) => {
      const directory = temporaryDirectory();
      images.push(directory);
      const file = join(directory, "image");
      fs.writeFileSync(file, "");
      fs.truncateSync(file, sizeMib * 1024 * 1024);
      run(command, ...args, file);
      return file;
    },
    unmount: (directory, { isLazy = false } = {}) => run("umount", ...(isLazy ? ["-l"] : []), directory),
  };
}

function findReason(): string | false {
  if (process.platform !== "linux") return "needs Linux, to mount file systems";
  if (process.getuid?.() !== 0) return "needs root, to mount file systems";
  const directory = temporaryDirectory();
  try {
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory);
    run("umount", directory);
    return false;
  } catch (error) {
    return `cannot mount file systems here: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    removeDirectory(directory);
  }
}

function tryToUnmount(directory: string): void {
  try {
    run("umount", "-l", directory);
  } catch {
    // The test did it already.
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "pipe", "pipe"] });
}
