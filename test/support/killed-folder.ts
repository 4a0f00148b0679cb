// A folder with its index, as an instance that was killed leaves them, and what the next one starts with.

import fs from "node:fs";
import { join } from "node:path";
import { contentHash, loadBlake3 } from "../../src/content/blake3.ts";
import { systemClock } from "../../src/edge/clock.ts";
import { createInProcessRunner } from "../../src/edge/in-process-runner.ts";
import { nodeFileSystem } from "../../src/edge/node-file-system.ts";
import { EMPTY_ENTRY, type Content, type Entry, type StatSignature } from "../../src/index/entry.ts";
import { createMemoryStore } from "../../src/index/memory-store.ts";
import { MemoryTables } from "../../src/index/memory-tables.ts";
import type { RecordStore } from "../../src/index/record-store.ts";
import type { LookOptions } from "../../src/sync/look-patiently.ts";
import { pathOf, replicaIdOf } from "./replica-world.ts";
import { signatureAt } from "./signature-at.ts";
import { removeDirectory, rootIdentity, temporaryDirectory, writeFiles } from "./trees.ts";

const MTIME_S = 1_000;
const blake3 = loadBlake3({ portable: false });

export class KilledFolder {
  readonly root = temporaryDirectory();
  readonly #tables = new MemoryTables();
  store: RecordStore;
  #counter = 0;

  constructor() {
    fs.mkdirSync(join(this.root, ".dsync"));
    this.store = this.#open("clean");
  }

  /** The index wants `content` there, and holds `present` for what is there. */
  want(text: string, content: Content, present = EMPTY_ENTRY): Entry {
    const known = this.versionOf(content);
    const signature = present.live === undefined ? undefined : this.#signatureAt(text);
    this.store.put({ path: pathOf(text), known, present, signature, residue: false });
    return known;
  }

  putFile(text: string, content: string, { mode = 0o644, mtimeS = MTIME_S } = {}): void {
    writeFiles(this.root, { [text]: content });
    fs.chmodSync(join(this.root, text), mode);
    fs.utimesSync(join(this.root, text), mtimeS, mtimeS);
  }

  versionOf(content: Content): Entry {
    const dot = { replica: replicaIdOf(1), counter: ++this.#counter };
    return { seen: [[dot.replica, dot.counter]], live: { dot, stamp: dot.counter, author: "desk", content } };
  }

  /** The next start, with what looks at the folder then. */
  async restart({ disk = nodeFileSystem, isKilled = true } = {}): Promise<
    LookOptions & { readonly store: RecordStore }
  > {
    await this.store.close();
    this.store = this.#open(isKilled ? "crash" : "clean");
    const jobs = createInProcessRunner({ context: { fs: disk, blake3 } });
    return { store: this.store, jobs, clock: systemClock, identity: rootIdentity(this.root) };
  }

  async dispose(): Promise<void> {
    await this.store.close();
    removeDirectory(this.root);
  }

  #open(previousStop: "clean" | "crash"): RecordStore {
    const hash = (bytes: Uint8Array): Uint8Array => blake3.hash(bytes);
    return createMemoryStore({ replicaId: replicaIdOf(0), hash, tables: this.#tables, bootId: "boot", previousStop });
  }

  #signatureAt(text: string): StatSignature | undefined {
    return signatureAt(nodeFileSystem, join(this.root, text));
  }
}

/** A file with that content. */
export function fileOf(text: string, { mode = 0o644, mtimeS = MTIME_S } = {}): Content {
  const contentId = contentHash(Buffer.from(text), blake3);
  return { kind: "file", contentId, size: text.length, mode, mtimeUs: mtimeS * 1e6 };
}

/** A disk on which the first `times` calls of that kind for that file fail. */
export function failingAtFirst(call: "lstat" | "openForReading", file: string, times: number): typeof nodeFileSystem {
  let failsLeft = times;
  const real = nodeFileSystem[call] as (path: string) => never;
  const failing = (path: string): never => {
    if (!path.endsWith(`/${file}`) || failsLeft-- <= 0) return real(path);
    throw Object.assign(new Error("disk is full"), { code: "ENOSPC" });
  };
  return { ...nodeFileSystem, [call]: failing };
}
