// What the cases sync. The same on every machine and in every run, but for the packages in `realTree`.

import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomFrom } from "../test/support/seeded.ts";
import { incompressible } from "../test/support/trees.ts";

export const MIB = 1024 * 1024;
/** Smaller than a chunk, so that no two chunks are alike. */
const STAMP_EVERY_BYTES = 4096;

/** Words at random: LZ4 halves it. */
export function textLike(bytes: number, seed: number): Buffer {
  const random = randomFrom(seed);
  const letter = (): string => String.fromCodePoint(97 + Math.floor(random() * 26));
  const word = (): string => Array.from({ length: 3 + Math.floor(random() * 8) }, letter).join("");
  const words = Array.from({ length: 1_500 }, word);
  const text = Buffer.alloc(bytes, " ");
  // Cubed, so that some words are frequent, as in every language.
  const next = (): string => words[Math.floor(random() ** 3 * words.length)] ?? "";
  for (let at = 0; at < bytes;) at += text.write(`${next()} `, at);
  return text;
}

/** Writes a file that repeats `block`, yet holds no two chunks that are alike. */
export function writeLarge(file: string, bytes: number, block: Buffer): void {
  const descriptor = fs.openSync(file, "w");
  for (let written = 0, index = 0; written < bytes; written += block.length, index++) {
    stamp(block, index);
    fs.writeSync(descriptor, block, 0, Math.min(block.length, bytes - written));
  }
  fs.closeSync(descriptor);
}

/** Makes the content unlike that of any other `index`. */
export function stamp(content: Buffer, index: number): void {
  for (let at = 0; at + 8 <= content.length; at += STAMP_EVERY_BYTES) {
    content.writeUInt32LE(index, at);
    content.writeUInt32LE(at, at + 4);
  }
}

export interface Shape {
  readonly directories: number;
  readonly filesEach: number;
  readonly bytes: number;
}

/** `dir0/file0` and so on, no two alike. */
export function writeMany(folder: string, { directories, filesEach, bytes }: Shape): void {
  const content = incompressible(bytes, 3);
  for (let directory = 0; directory < directories; directory++) {
    fs.mkdirSync(join(folder, `dir${directory}`), { recursive: true });
    for (let file = 0; file < filesEach; file++) {
      content.writeUInt32LE(directory * filesEach + file, 0);
      fs.writeFileSync(join(folder, `dir${directory}/file${file}`), content);
    }
  }
}

/** What C3 holds, all kinds together. */
const TREE = { entries: 45_000, bytes: 860e6, entriesInPackage: 45 };

/** This repository's own packages, and generated ones until there are as many entries and bytes as a large project has. */
export function realTree(folder: string): void {
  const packages = fileURLToPath(new URL("../../node_modules", import.meta.url));
  copyPackages(packages, join(folder, "packages"));
  const real = sizeOf(folder);
  writePackages(join(folder, "generated"), {
    entries: TREE.entries - real.entries - 1,
    bytes: TREE.bytes - real.bytes,
  });
}

/** Under other names: dsync leaves out what is called `node_modules`. */
function copyPackages(from: string, to: string): void {
  fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const nested = listing(to).filter(({ directory }) => basename(directory) === "node_modules");
  // The innermost first: the others' paths hold until then.
  for (const { directory } of nested.toReversed())
    fs.renameSync(join(to, directory), join(to, dirname(directory), "packages"));
}

interface Size {
  readonly entries: number;
  readonly bytes: number;
}

/** Packages of a few directories, a few links, and files of all sizes: many small, few large. */
function writePackages(folder: string, { entries, bytes }: Size): void {
  const random = randomFrom(11);
  const kinds = Array.from({ length: entries }, (_, index) => kindOf(index % TREE.entriesInPackage));
  // Exponent of a normal variable, as the sizes of files in the wild are.
  const weights = kinds.map((kind) => (kind === "file" ? Math.exp(1.6 * normal(random)) : 0));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const [text, binary] = [textLike(4 * MIB, 12), incompressible(4 * MIB, 13)];
  let directory = folder;
  fs.mkdirSync(folder);
  for (const [index, kind] of kinds.entries()) {
    const packageFolder = join(folder, `package-${Math.floor(index / TREE.entriesInPackage)}`);
    switch (kind) {
      case "package":
        directory = packageFolder;
        fs.mkdirSync(directory);
        break;
      case "directory":
        directory = join(random() < 0.5 ? directory : packageFolder, `part-${index}`);
        fs.mkdirSync(directory);
        break;
      case "link":
        fs.symlinkSync(`../package-${index % 7}`, join(packageFolder, `link-${index}`));
        break;
      case "file": {
        const length = Math.min(Math.round(((weights[index] ?? 0) / all) * bytes), 4 * MIB);
        const source = random() < 0.8 ? text : binary;
        const start = Math.floor(random() * (source.length - length));
        const content = Buffer.from(source.subarray(start, start + length));
        stamp(content, index);
        fs.writeFileSync(join(directory, `file-${index}.js`), content);
        break;
      }
    }
  }
}

function kindOf(place: number): "package" | "directory" | "link" | "file" {
  if (place === 0) return "package";
  if (place === 44) return "link";
  return place % 9 === 1 ? "directory" : "file";
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Everything below a folder; bytes of files only. */
export function sizeOf(folder: string): Size {
  let [entries, bytes] = [0, 0];
  for (const { directory, names } of listing(folder)) {
    entries += names.length;
    for (const name of names) {
      const stat = fs.lstatSync(join(folder, directory, name));
      if (stat.isFile()) bytes += stat.size;
    }
  }
  return { entries, bytes };
}

/** For copies of `source`: asks a folder whether every entry is there. Each directory is counted until it is full, once. */
export function completenessOf(source: string): (folder: string) => () => boolean {
  const expected = listing(source);
  return (folder) => {
    let full = 0;
    return () => {
      for (let next = expected[full]; next !== undefined; next = expected[++full])
        if (namesIn(join(folder, next.directory)).length < next.names.length) return false;
      return true;
    };
  };
}

interface Listed {
  /** Relative to the folder. */
  readonly directory: string;
  readonly names: readonly string[];
}

function listing(folder: string, directory = ""): readonly Listed[] {
  const names = namesIn(join(folder, directory));
  const below = names
    .map((name) => join(directory, name))
    .filter((path) => fs.lstatSync(join(folder, path)).isDirectory())
    .flatMap((path) => listing(folder, path));
  return [{ directory, names }, ...below];
}

/** Without what a tool has there for itself; a directory that does not exist holds nothing. */
export function namesIn(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory).filter((name) => !/^\.(dsync|stfolder|syncthing\.|unison\.)/.test(name));
  } catch {
    return [];
  }
}

/** What the folder of each case holds. */
export const fill = {
  /** 1 GiB that does not compress. */
  C1: (folder: string): void => writeLarge(join(folder, "big.bin"), 1024 * MIB, incompressible(16 * MIB, 1)),
  /** The same size of text. */
  C1z: (folder: string): void => writeLarge(join(folder, "big.txt"), 1024 * MIB, textLike(16 * MIB, 1)),
  C2: (folder: string): void => writeMany(folder, { directories: 100, filesEach: 100, bytes: 4096 }),
  C2x: (folder: string): void => writeMany(folder, { directories: 1000, filesEach: 100, bytes: 1024 }),
  C3: realTree,
  /** The file itself. */
  C5: (file: string): void => writeLarge(file, 1024 * MIB, incompressible(64 * MIB, 4)),
  C6: (folder: string): void => writeMany(folder, { directories: 1000, filesEach: 100, bytes: 64 }),
} as const;

/** C5a: other 1 MiB in the middle of the file, in each run. */
export function overwriteInside(file: string, run: number): void {
  const descriptor = fs.openSync(file, "r+");
  fs.writeSync(descriptor, incompressible(MIB, 100 + run), 0, MIB, 512 * MIB);
  fs.closeSync(descriptor);
}

/** C6: ten of the files change. */
export function changeTen(folder: string): void {
  for (let index = 0; index < 10; index++) fs.writeFileSync(join(folder, `dir${index}/file0`), `changed ${index}`);
}
