// The native watcher on Linux: one `fs.watch` per directory, straight on the kernel's inotify.
//
// Invariants:
// 1. Whoever looks at our hints tells us of directories (`directorySeen`). A directory's watch is set before its children
//    are read, and every child of a directory that appeared while we watch is hinted at after that: nothing that is made
//    in a young directory is missed.
// 2. A watch belongs to the path that its directory has now: when a directory is moved away, its watches are closed.
//
// Whether events may have been lost is told by how many come at once (event-queue.ts).

import fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { errnoOf } from "../core/errors.ts";
import { DSYNC_DIRECTORY } from "../core/path.ts";
import { EventQueue, queueLength } from "./event-queue.ts";
import { watchProblemOf } from "./watch-problem.ts";
import type { WatchHandler, Watcher } from "./watcher.ts";

export interface InotifyWatcherOptions {
  /** Absolute, without symlinks in it. */
  readonly root: string;
  /** Directories that are not watched; asked with their disk path relative to the root. */
  readonly isIgnoredDirectory: (diskPath: string) => boolean;
}

/** One watched directory. */
interface Node {
  readonly watcher: fs.FSWatcher;
  readonly children: Map<string, Node>;
}

/** Directories watched before other work gets its turn. */
const DIRECTORIES_AT_ONCE = 200;

export class InotifyWatcher implements Watcher {
  readonly isPrompt = true;
  readonly #options: InotifyWatcherOptions;
  #handler: WatchHandler | undefined;
  #top: Node | undefined;
  readonly #queue = new EventQueue(queueLength(), setImmediate);

  constructor(options: InotifyWatcherOptions) {
    this.#options = options;
  }

  async start(handler: WatchHandler): Promise<void> {
    this.#handler = handler;
    this.#top = this.#watch("");
    await this.#watchBelow([["", this.#top]], () => {});
  }

  async refresh(): Promise<void> {
    if (this.#top !== undefined) await this.#watchBelow([["", this.#top]], () => {});
  }

  directorySeen(diskPath: string): void {
    const slash = diskPath.lastIndexOf("/");
    const parent = this.#nodeAt(slash === -1 ? "" : diskPath.slice(0, slash));
    const name = diskPath.slice(slash + 1);
    // Below a directory that is not watched yet, everything is watched when that one is.
    if (parent === undefined || parent.children.has(name)) return;
    if (diskPath !== DSYNC_DIRECTORY && this.#isWatchable(diskPath)) this.#adopt(diskPath, name, parent);
  }

  stop(): Promise<void> {
    if (this.#top !== undefined) close(this.#top);
    this.#top = undefined;
    this.#handler = undefined;
    return Promise.resolve();
  }

  /** Throws Node's system errors: ENOSPC if the watch limit is reached. */
  #watch(directory: string): Node {
    const watcher = fs.watch(this.#absolute(directory), { persistent: false });
    const node: Node = { watcher, children: new Map() };
    watcher.on("change", (event, name) => this.#note(directory, node, event, String(name)));
    watcher.on("error", () => watcher.close());
    return node;
  }

  #note(directory: string, node: Node, event: string, name: string): void {
    if (directory === "" && name === DSYNC_DIRECTORY) return;
    const diskPath = directory === "" ? name : `${directory}/${name}`;
    this.#handler?.hint(diskPath);
    if (this.#queue.add()) this.#handler?.overflow();
    // Something was made, removed or moved under this name; a directory may be among them.
    if (event === "rename") this.#drop(name, node);
  }

  #nodeAt(diskPath: string): Node | undefined {
    let node = this.#top;
    if (diskPath === "") return node;
    for (const name of diskPath.split("/")) node = node?.children.get(name);
    return node;
  }

  /** What had this name may be another directory now, or have moved away; the look that is hinted at finds out. */
  #drop(name: string, parent: Node): void {
    const old = parent.children.get(name);
    if (old === undefined) return;
    parent.children.delete(name);
    close(old);
  }

  /** Watches a directory that appeared, and all that is below it. */
  #adopt(diskPath: string, name: string, parent: Node): void {
    try {
      const node = this.#tryWatch(diskPath);
      if (node === undefined) return;
      parent.children.set(name, node);
      const onChild = (child: string): void => this.#handler?.hint(child);
      this.#watchBelow([[diskPath, node]], onChild).catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Sets watches below those directories, breadth first; `onChild` hears of everything that is there by then. */
  async #watchBelow(start: readonly (readonly [string, Node])[], onChild: (diskPath: string) => void): Promise<void> {
    const waiting = [...start];
    let count = 0;
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [directory, node] = next;
      for (const item of readDirectory(this.#absolute(directory))) {
        const diskPath = directory === "" ? item.name : `${directory}/${item.name}`;
        onChild(diskPath);
        if (!item.isDirectory() || diskPath === DSYNC_DIRECTORY || this.#options.isIgnoredDirectory(diskPath)) continue;
        const child = node.children.get(item.name) ?? this.#tryWatch(diskPath);
        if (child === undefined) continue;
        node.children.set(item.name, child);
        waiting.push([diskPath, child]);
      }
      if (++count % DIRECTORIES_AT_ONCE === 0) await nextTurn();
      if (this.#handler === undefined) return;
    }
  }

  #isWatchable(diskPath: string): boolean {
    const stat = fs.lstatSync(this.#absolute(diskPath), { throwIfNoEntry: false });
    return stat?.isDirectory() === true && !this.#options.isIgnoredDirectory(diskPath);
  }

  /** `undefined` if the directory is gone again, or is none of ours to read. */
  #tryWatch(diskPath: string): Node | undefined {
    try {
      return this.#watch(diskPath);
    } catch (error) {
      const code = errnoOf(error) ?? "";
      if (!["ENOENT", "ENOTDIR", "EACCES", "EPERM"].includes(code)) throw error;
      return undefined;
    }
  }

  #fail(error: unknown): void {
    this.#handler?.problem(watchProblemOf(error));
  }

  #absolute(diskPath: string): string {
    return diskPath === "" ? this.#options.root : `${this.#options.root}/${diskPath}`;
  }
}

function close(node: Node): void {
  node.watcher.close();
  for (const child of node.children.values()) close(child);
}

/** What is in a directory; nothing if it cannot be read (any more). */
function readDirectory(path: string): readonly fs.Dirent[] {
  try {
    return fs.readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}
