import assert from "node:assert/strict";
import { test } from "node:test";
import { runRandomHistories } from "../../test/support/random-histories.ts";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import type { Prng } from "../../test/support/seeded.ts";
import type { RelativePath } from "../core/path.ts";
import { EMPTY_ENTRY, type Content, type Dot, type Entry, type PathEntry } from "./entry.ts";
import { observe } from "./local-change.ts";
import { entriesEqual, mergeEntries } from "./merge.ts";
import { OwnDots } from "./own-dots.ts";

const PATHS = ["one", "two"].map(pathOf);
const HISTORIES = 3_000;
const START_MS = 1_000_000;

function fileOf(number: number): Content {
  return { kind: "file", contentId: contentIdOf(number), size: 1, mode: 0o644, mtimeUs: (START_MS + number) * 1000 };
}

/** One replica whose disk holds what it knows at once. */
class Node {
  readonly entries = new Map<RelativePath, Entry>();
  readonly #replica: number;
  readonly #own = new OwnDots();
  readonly #skewMs: number;
  #counter = START_MS;

  constructor(replica: number, skewMs: number, from?: ReadonlyMap<RelativePath, Entry>) {
    this.#replica = replica;
    this.#skewMs = skewMs;
    for (const [path, entry] of from ?? []) this.entries.set(path, entry);
  }

  contentAt(path: RelativePath): string | undefined {
    const content = this.entries.get(path)?.live?.content;
    return content?.kind === "file" ? content.contentId : undefined;
  }

  change(path: RelativePath, observed: Content | "absent", clockMs: number): void {
    const nowMs = clockMs + this.#skewMs;
    const nextDot = (atLeast: number): Dot => {
      this.#counter = Math.max(this.#counter + 1, atLeast);
      const dot = { replica: replicaIdOf(this.#replica), counter: this.#counter };
      this.#own.note(dot);
      return dot;
    };
    const entry = this.entries.get(path) ?? EMPTY_ENTRY;
    const record = { path, known: entry, present: entry };
    const outcome = observe({ record, observed, nextDot, nowMs, author: "me" });
    if (outcome.kind === "changed") this.entries.set(path, outcome.known);
  }

  /** Returns true if it brought something new. */
  hear({ path, entry }: PathEntry): boolean {
    const known = this.entries.get(path) ?? EMPTY_ENTRY;
    const { merged, conflict } = mergeEntries(known, entry, path);
    if (merged === known) return false;
    this.entries.set(path, merged);
    const copy = conflict ?? this.#own.defend({ path, known, heard: entry, merged });
    if (copy !== undefined) this.hear(copy);
    return true;
  }

  hearAll(from: Node): boolean {
    return [...from.entries].filter(([path, entry]) => this.hear({ path, entry })).length > 0;
  }
}

/** Changes at random, some deliveries between; then everybody hears everybody. Returns what nobody knowingly removed. */
function liveTogether(prng: Prng, nodes: readonly [Node, ...Node[]], steps: number, seed: number): Set<string> {
  const made = new Set<string>();
  for (let step = 0; step < steps; step++) {
    const node = prng.pick(nodes);
    const path = PATHS[prng.below(PATHS.length)] ?? pathOf("one");
    const clockMs = START_MS + 10 * (seed + step);
    if (prng.below(3) === 0) {
      const entry = prng.pick(nodes).entries.get(path);
      if (entry !== undefined) node.hear({ path, entry });
      continue;
    }
    made.delete(node.contentAt(path) ?? "");
    const isDelete = prng.below(4) === 0;
    node.change(path, isDelete ? "absent" : fileOf(seed + step), clockMs);
    if (!isDelete) made.add(contentIdOf(seed + step));
  }
  while (nodes.map((node) => nodes.map((other) => node.hearAll(other)).includes(true)).includes(true));
  return made;
}

test("twins with one replica ID: what either made is kept, unless somebody who saw it changed it; and all agree", (t) => {
  runRandomHistories(t, HISTORIES, (prng) => {
    const original = new Node(0, 0);
    const other = new Node(1, prng.pick([0, 5, -5]));
    liveTogether(prng, [original, other], prng.below(6), 100);
    const twin = new Node(0, prng.pick([0, 1, 3, -3, 200]), original.entries);
    const again = new Node(0, 0, original.entries);
    const nodes = [again, twin, other] as const;
    const before = new Set(PATHS.map((path) => again.contentAt(path)));
    const made = liveTogether(prng, nodes, 1 + prng.below(12), 1000);
    for (const node of nodes) {
      assert.equal(node.entries.size, again.entries.size);
      for (const [path, entry] of node.entries) assert.ok(entriesEqual(entry, again.entries.get(path) ?? EMPTY_ENTRY));
      const held = new Set([...node.entries.keys()].map((path) => node.contentAt(path)));
      for (const content of made) assert.ok(before.has(content) || held.has(content), `${content} is lost`);
    }
  });
});
