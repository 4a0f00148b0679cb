// Real trees on the real disk: made, read and compared byte for byte.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { RootIdentity } from "../../src/edge/root-identity.ts";
import { DEADLINE_MS, waitFor } from "./wait.ts";

/** One line per path: everything that must be equal on two sides. */
export type Snapshot = ReadonlyMap<string, string>;

/** dsync's own names at the top of a folder. */
const OWN = new Set([".dsync", ".dsyncignore"]);

/** A fresh temporary directory, on tmpfs where there is one. */
export function temporaryDirectory(): string {
  const base = fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  return fs.realpathSync(fs.mkdtempSync(join(base, "dsync-test-")));
}

export function removeDirectory(path: string): void {
  fs.rmSync(path, { recursive: true, force: true });
}

/** Writes files by relative path; missing directories are made. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(folder, path);
    fs.mkdirSync(dirname(full), { recursive: true });
    fs.writeFileSync(full, content);
  }
}

/** Reads everything that syncs: kinds, modes, contents, symlink targets, and modification times of files in µs. */
export function snapshot(folder: string): Snapshot {
  return describeTree(folder, hashOf);
}

function describeTree(folder: string, describeContent: (file: string) => string): Snapshot {
  const lines = new Map<string, string>();
  const walk = (relative: string): void => {
    for (const name of fs.readdirSync(join(folder, relative))) {
      if (relative === "" && OWN.has(name)) continue;
      const path = relative === "" ? name : `${relative}/${name}`;
      lines.set(path.normalize("NFC"), describe(join(folder, path), describeContent));
      if (fs.lstatSync(join(folder, path)).isDirectory()) walk(path);
    }
  };
  walk("");
  return lines;
}

function describe(full: string, describeContent: (file: string) => string): string {
  const stat = fs.lstatSync(full, { bigint: true });
  const mode = (Number(stat.mode) & 0o7777).toString(8);
  if (stat.isDirectory()) return `directory ${mode}`;
  if (stat.isSymbolicLink()) return `symlink ${fs.readlinkSync(full)}`;
  const rest = ((stat.mtimeNs % 1000n) + 1000n) % 1000n;
  return `file ${mode} ${stat.size} ${(stat.mtimeNs - rest) / 1000n} ${describeContent(full)}`;
}

/** SHA-256 of a file, in hex. */
export function hashOf(file: string): string {
  const hash = createHash("sha256");
  const descriptor = fs.openSync(file, "r");
  const buffer = Buffer.alloc(1024 * 1024);
  for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer)) {
    hash.update(buffer.subarray(0, read));
  }
  fs.closeSync(descriptor);
  return hash.digest("hex");
}

/** The paths in which two snapshots differ, with what each side says. */
export function differences(a: Snapshot, b: Snapshot): string[] {
  const paths = new Set([...a.keys(), ...b.keys()]);
  return [...paths]
    .filter((path) => a.get(path) !== b.get(path))
    .map((path) => `${JSON.stringify(path)}: ${a.get(path) ?? "nothing"} | ${b.get(path) ?? "nothing"}`);
}

export function assertTreesEqual(...folders: readonly string[]): void {
  const [first, ...others] = folders.map(snapshot);
  assert.ok(first);
  for (const other of others) assert.deepEqual(differences(first, other), []);
}

/** Waits until all folders hold the same. */
export async function waitForEqualTrees(folders: readonly string[], deadlineMs = DEADLINE_MS): Promise<void> {
  await waitFor(
    () => {
      // Contents only once all else is equal: reading a large tree again and again would hold up what is waited for.
      for (const describeContent of [() => "", hashOf]) {
        const [first, ...others] = folders.map((folder) => describeTree(folder, describeContent));
        assert.ok(first);
        const found = others.flatMap((other) => differences(first, other));
        if (found.length > 0) throw new Error(`${found.length} differences:\n${found.slice(0, 10).join("\n")}`);
      }
      return true;
    },
    { until: "equal trees", deadlineMs, intervalMs: 100, isCostly: true },
  );
}

/** `bytes` that do not compress, the same for the same seed. */
export function incompressible(bytes: number, seed: number): Buffer {
  const content = Buffer.alloc(bytes);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let at = 0; at + 4 <= bytes; at += 4) {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    content.writeUInt32LE(state, at);
  }
  return content;
}

/** Waits until all folders hold the same files, directories and contents, whatever their modes and times. */
export async function waitForEqualContents(folders: readonly string[], deadlineMs = DEADLINE_MS): Promise<void> {
  await waitFor(
    () => {
      const [first, ...others] = folders.map((folder) => withoutMetadata(snapshot(folder)));
      assert.ok(first);
      const found = others.flatMap((other) => differences(first, other));
      if (found.length > 0) throw new Error(`${found.length} differences:\n${found.slice(0, 10).join("\n")}`);
      return true;
    },
    { until: "equal contents", deadlineMs, intervalMs: 100, isCostly: true },
  );
}

function withoutMetadata(tree: Snapshot): Snapshot {
  return new Map(
    [...tree].map(([path, line]) => {
      const [kind = "", , ...rest] = line.split(" ");
      return [path, kind === "file" ? `file ${rest.at(-1)}` : kind];
    }),
  );
}

/** What a folder, with its `.dsync/`, is known by. */
export function rootIdentity(root: string): RootIdentity {
  const { dev: device, ino: inode } = fs.lstatSync(root, { bigint: true });
  return { root, device, inode, markerInode: fs.lstatSync(join(root, ".dsync"), { bigint: true }).ino };
}
