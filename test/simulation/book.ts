// The book that is kept of what people did: which contents there were, which of them somebody saw and replaced or deleted,
// and which paths only one machine touched. It is what the outcome is held against.

import { contentIn } from "./person.ts";

export type Tree = ReadonlyMap<string, string>;

export class Book {
  /** Contents that people wrote, and whether somebody who saw one of its files replaced or deleted it. */
  readonly #contents = new Map<string, { wasSeenOff: boolean; readonly origin: string }>();
  /** In this phase: the machines on which people touched a path. */
  #touched = new Map<string, Set<number>>();
  /** In this phase: the machines that lost power. */
  #powerless = new Set<number>();
  /** In this phase: how each machine's people left what they touched. */
  #left = new Map<number, Map<string, string | undefined>>();

  /** The machine lost power, and with it what its people did just before: only contents count there. */
  notePowerLoss(machine: number): void {
    this.#powerless.add(machine);
  }

  beginPhase(): void {
    this.#powerless = new Set();
    this.#touched = new Map();
    this.#left = new Map();
  }

  /** A person on `machine` turned `before` into `after`. */
  note(machine: number, before: Tree, after: Tree): void {
    const counts = new Map<string, number>();
    for (const line of after.values()) count(counts, contentIn(line), 1);
    for (const line of before.values()) count(counts, contentIn(line), -1);
    for (const [content, change] of counts) {
      const known = this.#contents.get(content);
      // What was there before and nobody wrote is damage.
      if (known === undefined && change > 0) {
        this.#contents.set(content, { wasSeenOff: false, origin: `machine ${machine + 1}` });
      }
      if (known !== undefined && change < 0) this.#contents.set(content, { ...known, wasSeenOff: true });
    }
    for (const path of new Set([...before.keys(), ...after.keys()])) {
      if (before.get(path) === after.get(path)) continue;
      const machines = this.#touched.get(path) ?? new Set();
      this.#touched.set(path, machines.add(machine));
      const left = this.#left.get(machine) ?? new Map<string, string | undefined>();
      this.#left.set(machine, left.set(path, after.get(path)));
    }
  }

  /** Contents that nobody saw off and that are in none of `trees`. */
  lostFrom(trees: readonly Tree[]): string[] {
    const held = new Set(trees.flatMap((tree) => [...tree.values()].map(contentIn)));
    return [...this.#contents]
      .filter(([content, { wasSeenOff }]) => !wasSeenOff && !held.has(content))
      .map(([content, { origin }]) => `${content} of ${origin}`);
  }

  /**
   * Paths that only one machine's people touched, with what differs from how they left it. `seenOn`: a line of the tree
   * as that machine's disk shows it.
   */
  strayingFrom(tree: Tree, seenOn: (machine: number, line: string) => string): string[] {
    const straying: string[] = [];
    for (const [machine, left] of this.#left) {
      if (this.#powerless.has(machine)) continue;
      for (const [path, line] of left) {
        const found = tree.get(path);
        if ((found === undefined ? found : seenOn(machine, found)) === line || this.#isShared(path, machine)) continue;
        straying.push(`${path}: left as ${line ?? "nothing"} on machine ${machine + 1}, is ${found ?? "nothing"}`);
      }
    }
    return straying;
  }

  /** True if anybody else touched the path, or something above or below it, however it is spelled. */
  #isShared(spelled: string, machine: number): boolean {
    const path = spelled.toLowerCase();
    for (const [otherSpelled, machines] of this.#touched) {
      const other = otherSpelled.toLowerCase();
      const isRelated = other === path || other.startsWith(`${path}/`) || path.startsWith(`${other}/`);
      if (isRelated && (machines.size > 1 || !machines.has(machine))) return true;
    }
    return false;
  }
}

function count(counts: Map<string, number>, content: string | undefined, by: number): void {
  if (content === undefined) return;
  counts.set(content, (counts.get(content) ?? 0) + by);
}
