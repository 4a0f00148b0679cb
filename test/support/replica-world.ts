// A few replicas that change, tell and hear entries in any order, without disks or networks: what the properties of the
// merge and of repairs are checked on. It keeps book of every version, to say afterwards whether one was lost.

import assert from "node:assert/strict";
import type { ContentHash, ReplicaId } from "../../src/core/ids.ts";
import { parsePath, type RelativePath } from "../../src/core/path.ts";
import { sameContent } from "../../src/index/content.ts";
import {
  EMPTY_ENTRY,
  type Content,
  type Dot,
  type Entry,
  type PathEntry,
  type Version,
} from "../../src/index/entry.ts";
import { observe, type Changer } from "../../src/index/local-change.ts";
import { conflictEntry, dotsEqual, entriesEqual, mergeEntries, mergeInto } from "../../src/index/merge.ts";
import { repairsOf } from "../../src/index/repairs.ts";
import { hasSeen } from "../../src/index/version-vector.ts";

export const STEP_KINDS = [
  "write",
  "touch",
  "link",
  "mkdir",
  "delete",
  "move",
  "apply",
  "deliver",
  "hear-all",
  "repair",
] as const;

/** One thing that happens. Numbers choose among what there is, by remainder, so every step fits every world. */
export interface Step {
  readonly kind: (typeof STEP_KINDS)[number];
  readonly replica: number;
  readonly path: number;
  /** Which content, which other replica, path or past announcement. */
  readonly choice: number;
  readonly elapsedMs: number;
  /** How much older than now a written file says it is. */
  readonly mtimeAgeMs: number;
}

interface Held {
  readonly known: Entry;
  readonly present: Entry;
}

interface Replica {
  readonly id: ReplicaId;
  readonly author: string;
  readonly skewMs: number;
  counter: number;
  readonly records: Map<RelativePath, Held>;
}

const START_MS = Date.UTC(2025, 0, 1);
const SETTLE_ROUNDS_MAX = 200;
const SHARED_CONTENTS = 2;

export function pathOf(text: string): RelativePath {
  const path = parsePath(text);
  assert(path !== undefined, `not a path: ${text}`);
  return path;
}

export function replicaIdOf(index: number): ReplicaId {
  return String(index + 1).padStart(16, "0") as ReplicaId;
}

/** A content ID whose first four digits tell it from the next 65,535. */
export function contentIdOf(index: number): ContentHash {
  return (index % 0x10000).toString(16).padStart(4, "0").padEnd(64, "e") as ContentHash;
}

export class ReplicaWorld {
  readonly replicas: readonly Replica[];
  /** Every known entry that any replica ever had: what may be delivered, however stale. */
  readonly announced: PathEntry[] = [];
  readonly versions: Version[] = [];
  readonly deleted = new Set<RelativePath>();
  readonly #basePaths: readonly RelativePath[];
  /** Dots of versions that somebody who had them on the disk replaced or deleted. */
  readonly #overwritten = new Set<string>();
  /** Dots of versions that gave way to another one with the same content. */
  readonly #gaveWay = new Map<string, string[]>();
  #nowMs = START_MS;
  #contents = SHARED_CONTENTS;

  constructor(options: { readonly skewsMs: readonly number[]; readonly paths: readonly string[] }) {
    this.replicas = options.skewsMs.map((skewMs, index) => ({
      id: replicaIdOf(index),
      author: `machine ${index}`,
      skewMs,
      counter: 0,
      records: new Map(),
    }));
    this.#basePaths = options.paths.map(pathOf);
  }

  run(step: Step): void {
    this.#nowMs += step.elapsedMs;
    const replica = pickFrom(this.replicas, step.replica);
    const paths = [...new Set([...this.#basePaths, ...replica.records.keys()])];
    const path = pickFrom(paths, step.path);
    const { present, known } = held(replica, path);
    switch (step.kind) {
      case "write":
        return this.#change(replica, path, this.#newFile(replica, step));
      case "touch":
        if (present.live?.content.kind !== "file") return;
        return this.#change(replica, path, { ...present.live.content, mtimeUs: this.#mtimeUs(replica, step) });
      case "link":
        return this.#change(replica, path, { kind: "symlink", target: `target-${step.choice % 3}` });
      case "mkdir":
        return this.#change(replica, path, { kind: "directory", mode: 0o700 + (step.choice % 8) });
      case "delete":
        return this.#change(replica, path, "absent");
      case "move": {
        const target = pickFrom(paths, step.choice);
        if (present.live === undefined) return;
        this.#change(replica, target, present.live.content);
        return this.#change(replica, path, "absent");
      }
      case "apply":
        replica.records.set(path, { known, present: known });
        return;
      case "deliver":
        if (this.announced.length > 0) this.receive(replica, pickFrom(this.announced, step.choice));
        return;
      case "hear-all":
        this.#hearAll(replica, pickFrom(this.replicas, step.choice));
        return;
      case "repair":
        this.#repair(replica);
        return;
    }
  }

  /** Merges one announcement, and what comes of it, into what `replica` knows. True if anything was new. */
  receive(replica: Replica, item: PathEntry): boolean {
    const expected = mergeInto((path) => replica.records.get(path)?.known, item);
    let isNews = false;
    for (let next: PathEntry | undefined = item; next !== undefined;) {
      const { path, entry }: PathEntry = next;
      const { known } = held(replica, path);
      this.#noteSameContent(known, entry);
      const { merged, conflict } = mergeEntries(known, entry, path);
      this.#noteCopies(path, [known, entry]);
      if (merged !== known) {
        this.#setKnown(replica, path, merged);
        isNews = true;
      }
      next = conflict;
    }
    for (const { path, entry } of expected) assert(entriesEqual(held(replica, path).known, entry));
    return isNews;
  }

  /** Lets everybody hear (and, if asked for, repair) everything until nothing is new. */
  settle(options: { readonly repair: boolean }): void {
    for (let round = 0; ; round++) {
      assert(round < SETTLE_ROUNDS_MAX, "replicas keep changing");
      // All repair before any hears of it, as they do at the same time.
      let isNews = false;
      if (options.repair) for (const replica of this.replicas) isNews = this.#repair(replica) || isNews;
      for (const to of this.replicas) for (const from of this.replicas) isNews = this.#hearAll(to, from) || isNews;
      if (!isNews) return;
    }
  }

  knownOf(replica: Replica): ReadonlyMap<RelativePath, Entry> {
    return new Map([...replica.records].map(([path, { known }]) => [path, known]));
  }

  /** After settling: all know the same. */
  assertAgreement(): void {
    const [first, ...others] = this.replicas;
    assert(first !== undefined);
    for (const other of others) {
      const paths = new Set([...first.records.keys(), ...other.records.keys()]);
      for (const path of paths) {
        const [a, b] = [held(first, path).known, held(other, path).known];
        assert(entriesEqual(a, b), `${path} differs: ${JSON.stringify(a)} and ${JSON.stringify(b)}`);
      }
    }
  }

  /** After settling: the content of every version is live, or was replaced by somebody who had it. */
  assertNothingLost(): void {
    const live = new Set(
      [...(this.replicas[0]?.records.values() ?? [])].flatMap(({ known }) =>
        known.live ? [keyOf(known.live.content)] : [],
      ),
    );
    const contents = new Map(this.versions.map((version) => [dotKey(version.dot), keyOf(version.content)]));
    const isKept = (dot: string, visited: Set<string>): boolean => {
      if (visited.has(dot)) return false;
      visited.add(dot);
      if (live.has(contents.get(dot) ?? "") || this.#overwritten.has(dot)) return true;
      return (this.#gaveWay.get(dot) ?? []).some((other) => isKept(other, visited));
    };
    for (const version of this.versions) {
      if (version.content.kind === "directory") continue;
      assert(isKept(dotKey(version.dot), new Set()), `lost: ${JSON.stringify(version)}`);
    }
  }

  /** After settling: a path is gone only if somebody deleted it there. */
  assertNothingVanished(): void {
    for (const [path, { known }] of this.replicas[0]?.records ?? []) {
      assert(known.live !== undefined || known.seen.length === 0 || this.deleted.has(path), `${path} vanished`);
    }
  }

  /**
   * After settling: what is live at a path was not replaced or deleted there by anybody who had it, and no entry of the
   * path has seen it and holds something else, or nothing. A conflict copy has a dot of its own, so it is no way back.
   */
  assertNothingCameBack(): void {
    const live = new Map([...(this.replicas[0]?.records ?? [])].map(([path, { known }]) => [path, known.live]));
    for (const [path, version] of live) {
      assert(version === undefined || !this.#overwritten.has(dotKey(version.dot)), `${path} is back`);
    }
    for (const { path, entry } of this.announced) {
      const dot = live.get(path)?.dot;
      if (dot === undefined || !hasSeen(entry.seen, dot)) continue;
      const isCarried = entry.live !== undefined && dotsEqual(entry.live.dot, dot);
      assert(isCarried, `${path} is back, though it was seen and is no more: ${dotKey(dot)}`);
    }
  }

  #change(replica: Replica, path: RelativePath, observed: Content | "absent"): void {
    const record = { path, ...held(replica, path) };
    const outcome = observe({ ...this.#changer(replica), record, observed });
    const before = record.present.live;
    if (outcome.kind === "unchanged") return;
    if (before !== undefined) this.#overwritten.add(dotKey(before.dot));
    if (outcome.kind === "adopted") {
      replica.records.set(path, { known: record.known, present: outcome.present });
      return;
    }
    if (observed === "absent") this.deleted.add(path);
    if (outcome.present.live !== undefined) {
      this.versions.push(outcome.present.live);
      this.#noteSameContent({ ...record.known, seen: [] }, { ...outcome.present, seen: [] });
    }
    replica.records.set(path, { known: outcome.known, present: outcome.present });
    this.announced.push({ path, entry: outcome.known });
    this.#noteCopies(path, [record.known, outcome.present]);
    if (outcome.conflict !== undefined) this.receive(replica, outcome.conflict);
  }

  #setKnown(replica: Replica, path: RelativePath, known: Entry): void {
    const { present } = held(replica, path);
    const isHeld =
      known.live && present.live ? dotsEqual(known.live.dot, present.live.dot) : known.live === present.live;
    replica.records.set(path, { known, present: isHeld ? known : present });
    this.announced.push({ path, entry: known });
  }

  #hearAll(to: Replica, from: Replica): boolean {
    let isNews = false;
    if (to === from) return false;
    for (const [path, { known }] of from.records) isNews = this.receive(to, { path, entry: known }) || isNews;
    return isNews;
  }

  #repair(replica: Replica): boolean {
    let isNews = false;
    const tree = {
      get: (path: RelativePath) => replica.records.get(path)?.known,
      hasLiveChildren: (directory: RelativePath) => hasLiveChildren(replica, directory),
    };
    for (const path of replica.records.keys()) {
      for (const item of repairsOf(path, tree, this.#changer(replica))) {
        assert(this.receive(replica, item) || item.entry.seen.length === 1, "a repair that changes nothing");
        isNews = true;
      }
    }
    return isNews;
  }

  #changer(replica: Replica): Changer {
    return {
      author: replica.author,
      nowMs: this.#nowMs + replica.skewMs,
      nextDot(nowMs): Dot {
        replica.counter = Math.max(replica.counter + 1, nowMs);
        return { replica: replica.id, counter: replica.counter };
      },
    };
  }

  #newFile(replica: Replica, step: Step): Content {
    const index = step.choice % 5 === 0 ? step.choice % SHARED_CONTENTS : this.#contents++;
    const mtimeUs = this.#mtimeUs(replica, step);
    return { kind: "file", contentId: contentIdOf(index), size: index, mode: 0o644, mtimeUs };
  }

  #mtimeUs(replica: Replica, step: Step): number {
    return (this.#nowMs + replica.skewMs - step.mtimeAgeMs) * 1000;
  }

  #noteSameContent(a: Entry, b: Entry): void {
    if (a.live === undefined || b.live === undefined || dotsEqual(a.live.dot, b.live.dot)) return;
    if (hasSeen(a.seen, b.live.dot) || hasSeen(b.seen, a.live.dot)) return;
    if (!sameContent(a.live.content, b.live.content)) return;
    this.#mayGiveWay(a.live, b.live);
    this.#mayGiveWay(b.live, a.live);
  }

  /** A version may live on as its conflict copy. */
  #noteCopies(path: RelativePath, entries: readonly Entry[]): void {
    for (const { live } of entries) {
      if (live === undefined) continue;
      const copy = conflictEntry(path, live).entry.live;
      if (copy !== undefined) this.#mayGiveWay(live, copy);
    }
  }

  #mayGiveWay(version: Version, other: Version): void {
    const key = dotKey(version.dot);
    this.#gaveWay.set(key, [...(this.#gaveWay.get(key) ?? []), dotKey(other.dot)]);
  }
}

/** The paths that are live below something that is no live directory. */
export function strayPaths(known: ReadonlyMap<RelativePath, Entry>): RelativePath[] {
  return [...known.keys()].filter((path) => {
    const slash = path.lastIndexOf("/");
    if (slash === -1 || known.get(path)?.live === undefined) return false;
    return known.get(pathOf(path.slice(0, slash)))?.live?.content.kind !== "directory";
  });
}

function hasLiveChildren(replica: Replica, directory: RelativePath): boolean {
  for (const [path, { known }] of replica.records) {
    if (known.live !== undefined && path.slice(0, Math.max(path.lastIndexOf("/"), 0)) === directory) return true;
  }
  return false;
}

function held(replica: Replica, path: RelativePath): Held {
  return replica.records.get(path) ?? { known: EMPTY_ENTRY, present: EMPTY_ENTRY };
}

function dotKey({ replica, counter }: Dot): string {
  return `${replica}:${counter}`;
}

function keyOf(content: Content): string {
  return content.kind === "file" ? content.contentId : content.kind === "symlink" ? content.target : "directory";
}

function pickFrom<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  assert(item !== undefined);
  return item;
}
