// What a person does to a folder: every way in which editors, shells and file managers change files, as functions of a few
// numbers that are read against what is on the disk at that moment.

import { createHash } from "node:crypto";
import type { FileSystem } from "../../src/edge/file-system.ts";

export const PERSON_ACTIONS = [
  "create",
  "create",
  "overwrite",
  "overwrite",
  "save-over",
  "save-with-backup",
  "append",
  "append-with-old-time",
  "truncate",
  "touch",
  "chmod",
  "rename",
  "rename-over",
  "move-into",
  "rename-directory",
  "swap",
  "delete",
  "delete-tree",
  "recreate",
  "file-to-directory",
  "directory-to-file",
  "symlink",
  "make-directory",
  "copy",
] as const satisfies readonly [string, ...string[]];

export type PersonAction = (typeof PERSON_ACTIONS)[number];

export interface PersonSurroundings {
  readonly fs: FileSystem;
  readonly root: string;
  readonly nowMs: number;
  /** Names of new files differ in case alone now and then. */
  readonly mixesCase: boolean;
  /** A content that nobody has written before, of so many bytes. */
  readonly freshContent: (size: number) => Uint8Array;
}

interface Found {
  readonly files: readonly string[];
  readonly directories: readonly string[];
  readonly links: readonly string[];
}

const NAMES: readonly string[] = ["a", "b.txt", "c", "-d", "\u00e9t\u00e9", "con", "x y.tar.gz", "\u{1f600}"];
const DIRECTORY_NAMES: readonly string[] = ["d0", "d1", "d2"];
const SIZES: readonly number[] = [0, 1, 10, 10, 100, 1_000, 5_000, 70_000, 131_072, 300_000];
const MODES: readonly number[] = [0o644, 0o600, 0o755, 0o444, 0o664];
const TARGETS: readonly string[] = ["a", "nowhere", "/outside", "../d0", "d1"];
/** What two people may well write independently of each other. */
const SHARED_TEXTS: readonly string[] = ["", "same\n", "the same text\n".repeat(50)];

/** Does it, or nothing if there is nothing to do it to. Throws what the disk throws. */
export function act(action: PersonAction, choices: readonly number[], around: PersonSurroundings): void {
  new Person(choices, around).do(action);
}

/** Every path that is there, with what it holds; dsync's own files are left out. */
export function readTree(fs: FileSystem, root: string): Map<string, string> {
  const lines = new Map<string, string>();
  const walk = (directory: string): void => {
    for (const { name, kind } of fs.readDirectory(directory === "" ? root : `${root}/${directory}`)) {
      if (directory === "" && name === ".dsync") continue;
      const path = directory === "" ? name : `${directory}/${name}`;
      lines.set(path.normalize("NFC"), describe(fs, `${root}/${path}`));
      if (kind === "directory") walk(path);
    }
  };
  walk("");
  return lines;
}

/** The hash in a line of `readTree`, for files that are not empty. */
export function contentIn(line: string | undefined): string | undefined {
  const [kind, size, hash] = line?.split(" ") ?? [];
  return kind === "file" && size !== "0" ? hash : undefined;
}

function describe(fs: FileSystem, path: string): string {
  const stat = fs.lstat(path);
  switch (stat?.kind) {
    case "file": {
      const hash = createHash("sha1").update(readWhole(fs, path)).digest("hex").slice(0, 12);
      return `file ${stat.size} ${hash} ${stat.mode.toString(8)} ${stat.mtimeNs / 1000n}`;
    }
    case "directory":
      return `directory ${stat.mode.toString(8)}`;
    case "symlink":
      return `symlink ${fs.readLink(path)}`;
    default:
      return "nothing";
  }
}

function readWhole(fs: FileSystem, path: string): Uint8Array {
  const descriptor = fs.openForReading(path);
  const bytes = new Uint8Array(fs.fstat(descriptor).size);
  fs.read(descriptor, bytes, 0);
  fs.close(descriptor);
  return bytes;
}

class Person {
  readonly #choices: number[];
  readonly #around: PersonSurroundings;
  readonly #found: Found;

  constructor(choices: readonly number[], around: PersonSurroundings) {
    this.#choices = [...choices];
    this.#around = around;
    this.#found = findAll(around.fs, around.root);
  }

  do(action: PersonAction): void {
    const { fs } = this.#around;
    const file = this.#pick(this.#found.files);
    const directory = this.#pick(this.#found.directories);
    switch (action) {
      case "create":
        return this.#put(this.#newPath(NAMES), this.#content());
      case "make-directory":
        return this.#makeDirectory(this.#newPath(DIRECTORY_NAMES));
      case "symlink":
        return this.#make(this.#newPath(NAMES), (path) => fs.symlink(this.#from(TARGETS), path));
      case "rename-directory":
        if (directory !== undefined) this.#rename(directory, this.#newPath(DIRECTORY_NAMES));
        return;
      case "delete-tree":
        if (directory !== undefined) removeTree(fs, this.#disk(directory));
        return;
      case "directory-to-file":
        if (directory === undefined) return;
        removeTree(fs, this.#disk(directory));
        return this.#put(directory, this.#content());
      default:
        if (file !== undefined) this.#doToFile(action, file);
    }
  }

  #doToFile(action: PersonAction, file: string): void {
    const { fs, nowMs } = this.#around;
    const path = this.#disk(file);
    switch (action) {
      case "overwrite":
        return this.#overwrite(path, this.#content());
      case "save-over":
        this.#put(`${file}.tmp~`, this.#content());
        return fs.rename(`${path}.tmp~`, path);
      case "save-with-backup":
        fs.rename(path, `${path}~`);
        this.#put(file, this.#content());
        return fs.unlink(`${path}~`);
      case "append":
        return this.#append(path);
      case "append-with-old-time": {
        const mtimeNs = fs.lstat(path)?.mtimeNs ?? 0n;
        this.#append(path);
        return fs.setTimes(path, Number(mtimeNs / 1000n));
      }
      case "truncate":
        return this.#edit(path, (descriptor) => {
          fs.truncate(descriptor, Math.floor(fs.fstat(descriptor).size / 2));
        });
      case "touch":
        return fs.setTimes(path, this.#from([nowMs * 1000, 0, -5_000_000, (nowMs + 90_000_000) * 1000, 1_234_567_890]));
      case "chmod":
        return fs.setMode(path, this.#from(MODES));
      case "rename":
        return this.#rename(file, this.#newPath(NAMES));
      case "rename-over":
        return fs.rename(path, this.#disk(this.#pick(this.#found.files) ?? file));
      case "move-into": {
        const directory = this.#pick(this.#found.directories) ?? "";
        return this.#rename(file, join(directory, file.slice(file.lastIndexOf("/") + 1)));
      }
      case "swap": {
        const other = this.#disk(this.#pick(this.#found.files) ?? file);
        if (other === path) return;
        fs.rename(path, `${path}.swap~`);
        fs.rename(other, path);
        fs.rename(`${path}.swap~`, other);
        // What is moved on before the first move was seen is not marked (docs/decisions/0010).
        for (const swapped of [path, other]) this.#flush(swapped);
        return;
      }
      case "delete":
        return fs.unlink(path);
      case "recreate":
        fs.unlink(path);
        return this.#put(file, this.#content());
      case "file-to-directory":
        fs.unlink(path);
        fs.makeDirectory(path, 0o755);
        return this.#put(`${file}/a`, this.#content());
      case "copy":
        return this.#make(this.#newPath(NAMES), (to) => fs.copyFile(path, to));
      default:
    }
  }

  #disk(path: string): string {
    return `${this.#around.root}/${path}`;
  }

  #choice(): number {
    return this.#choices.shift() ?? 0;
  }

  #pick(items: readonly string[]): string | undefined {
    return items[this.#choice() % Math.max(items.length, 1)];
  }

  #from<T>(items: readonly T[]): T {
    const item = items[this.#choice() % items.length];
    if (item === undefined) throw new RangeError("nothing to choose from");
    return item;
  }

  #content(): Uint8Array {
    const choice = this.#choice();
    if (choice % 6 === 0) return Buffer.from(SHARED_TEXTS[(choice >> 4) % SHARED_TEXTS.length] ?? "");
    return this.#around.freshContent(SIZES[(choice >> 4) % SIZES.length] ?? 1);
  }

  #newPath(names: readonly string[]): string {
    const choice = this.#choice();
    const directories = ["", "", ...this.#found.directories];
    const directory = directories[choice % directories.length] ?? "";
    const name = names[(choice >> 8) % names.length] ?? "a";
    const isUpper = this.#around.mixesCase && (choice >> 20) % 2 === 0;
    return join(directory, isUpper ? name.toUpperCase() : name);
  }

  /** Replaces a file's content in place; a directory or a symlink there is left alone. */
  #put(path: string, content: Uint8Array): void {
    const { fs } = this.#around;
    const full = this.#disk(path);
    const kind = fs.lstat(full)?.kind;
    if (kind === "file") return this.#overwrite(full, content);
    if (kind !== undefined) return;
    const descriptor = fs.createFile(full, 0o644);
    fs.write(descriptor, content, 0);
    fs.sync(descriptor);
    fs.close(descriptor);
  }

  #make(path: string, make: (full: string) => void): void {
    if (this.#around.fs.lstat(this.#disk(path)) === undefined) make(this.#disk(path));
  }

  #makeDirectory(path: string): void {
    this.#make(path, (full) => this.#around.fs.makeDirectory(full, 0o755));
  }

  #rename(from: string, to: string): void {
    if (`${to}/`.startsWith(`${from}/`)) return;
    this.#make(to, (full) => this.#around.fs.rename(this.#disk(from), full));
  }

  #overwrite(full: string, content: Uint8Array): void {
    this.#edit(full, (descriptor) => {
      this.#around.fs.truncate(descriptor, 0);
      this.#around.fs.write(descriptor, content, 0);
    });
  }

  #append(full: string): void {
    const more = this.#around.freshContent(20);
    this.#edit(full, (descriptor) => {
      this.#around.fs.write(descriptor, more, this.#around.fs.fstat(descriptor).size);
    });
  }

  #flush(full: string): void {
    const descriptor = this.#around.fs.openForReading(full);
    this.#around.fs.sync(descriptor);
    this.#around.fs.close(descriptor);
  }

  #edit(full: string, edit: (descriptor: number) => void): void {
    const descriptor = this.#around.fs.openForWriting(full);
    edit(descriptor);
    this.#around.fs.sync(descriptor);
    this.#around.fs.close(descriptor);
  }
}

function findAll(fs: FileSystem, root: string): Found {
  const found = { files: [] as string[], directories: [] as string[], links: [] as string[] };
  for (const [path, line] of [...readTree(fs, root)].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (line.startsWith("file")) found.files.push(path);
    else if (line.startsWith("directory")) found.directories.push(path);
    else found.links.push(path);
  }
  return found;
}

function removeTree(fs: FileSystem, full: string): void {
  for (const { name, kind } of fs.readDirectory(full)) {
    if (kind === "directory") removeTree(fs, `${full}/${name}`);
    else fs.unlink(`${full}/${name}`);
  }
  fs.removeDirectory(full);
}

function join(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
