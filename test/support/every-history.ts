// Every history of a few replicas at one path, up to so many changes, with every delivery between any two of them: the
// states that come of it, each once. Entries are numbered and merges remembered, since the same ones come again and again.

import assert from "node:assert/strict";
import type { Dot, Entry } from "../../src/index/entry.ts";
import { EMPTY_ENTRY } from "../../src/index/entry.ts";
import { observe } from "../../src/index/local-change.ts";
import { dotsEqual, mergeEntries } from "../../src/index/merge.ts";
import { contentIdOf, pathOf, replicaIdOf } from "./replica-world.ts";

const PATH = pathOf("notes.txt");
const START_MS = Date.UTC(2025, 0, 1);

export interface HistoriesWanted {
  /** How far each replica's clock is off; as many as there are replicas. */
  readonly skewsMs: readonly number[];
  readonly changesMax: number;
  /** The replica whose file all have in the beginning; `undefined`: there is nothing. */
  readonly firstWriter: number | undefined;
  /** False: what is heard is on the disk at once. True: also histories in which it is only known for a while. */
  readonly waits: boolean;
  /** Called for each state once; throws if something is wrong with it. */
  readonly check: (state: State, history: string) => void;
}

interface Replica {
  readonly known: number;
  readonly present: number;
  readonly counter: number;
}

/** What a history leads to; histories that lead to the same are one. */
export interface State {
  readonly replicas: readonly Replica[];
  /** The entries that changes made, by number. */
  readonly changes: readonly number[];
  /** Dots of versions that a change was made on top of. */
  readonly overwritten: readonly string[];
  /** Dots of versions that got a conflict copy. */
  readonly copied: readonly string[];
}

export class EveryHistory {
  /** How many different states were reached. */
  states = 0;
  /** How many steps led to one, new or not. */
  steps = 0;
  readonly #wanted: HistoriesWanted;
  readonly #entries: Entry[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #merges = new Map<number, { readonly merged: number; readonly copied: string | undefined }>();
  readonly #reached = new Set<string>();

  constructor(wanted: HistoriesWanted) {
    this.#wanted = wanted;
    this.#numberOf(EMPTY_ENTRY);
  }

  run(): void {
    const replicas = this.#wanted.skewsMs.map(() => ({ known: 0, present: 0, counter: 0 }));
    const { firstWriter } = this.#wanted;
    const nothing: State = { replicas, changes: [], overwritten: [], copied: [] };
    const start = firstWriter === undefined ? nothing : this.settled(this.#change(nothing, firstWriter, true));
    const changesMax = start.changes.length + this.#wanted.changesMax;
    const open: { readonly state: State; readonly history: string }[] = [{ state: start, history: "" }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { state, history } = next;
      this.states++;
      this.#wanted.check(state, history);
      for (const [step, reached] of this.#after(state, changesMax)) {
        this.steps++;
        const key = keyOf(reached);
        if (this.#reached.has(key)) continue;
        this.#reached.add(key);
        open.push({ state: reached, history: `${history} ${step}` });
      }
    }
  }

  entry(number: number): Entry {
    const entry = this.#entries[number];
    assert.ok(entry !== undefined);
    return entry;
  }

  /** All hear all until nothing is new. */
  settled(state: State): State {
    let settled = state;
    for (let before: State | undefined; before !== settled;) {
      before = settled;
      for (const to of state.replicas.keys())
        for (const from of state.replicas.keys()) settled = this.#hear(settled, from, to, true);
    }
    return settled;
  }

  *#after(state: State, changesMax: number): Iterable<readonly [step: string, state: State]> {
    const { waits } = this.#wanted;
    for (const [index, { known, present }] of state.replicas.entries()) {
      if (state.changes.length < changesMax) {
        yield [`${index}:write`, this.#change(state, index, true)];
        if (this.entry(present).live !== undefined) yield [`${index}:delete`, this.#change(state, index, false)];
      }
      if (waits && known !== present) yield [`${index}:apply`, withReplica(state, index, { present: known })];
      for (const from of state.replicas.keys()) {
        const heard = this.#hear(state, from, index, !waits);
        if (heard !== state) yield [`${from}->${index}`, heard];
      }
    }
  }

  #hear(state: State, from: number, to: number, isApplied: boolean): State {
    const [source, target] = [state.replicas[from], state.replicas[to]];
    assert.ok(source !== undefined && target !== undefined);
    const { merged, copied } = this.#merge(target.known, source.known);
    if (merged === target.known && (!isApplied || target.present === merged)) return state;
    const present = isApplied || this.#isSameLive(merged, target.present) ? merged : target.present;
    const next = withReplica(state, to, { known: merged, present });
    return copied === undefined ? next : { ...next, copied: withItem(state.copied, copied) };
  }

  #change(state: State, index: number, isWrite: boolean): State {
    const replica = state.replicas[index];
    assert.ok(replica !== undefined);
    let { counter } = replica;
    const id = replicaIdOf(index);
    const nowMs = START_MS + (this.#wanted.skewsMs[index] ?? 0);
    const nextDot = (atMs: number): Dot => ({ replica: id, counter: (counter = Math.max(counter + 1, atMs)) });
    // Everything happens in one moment, which is where ties are.
    const content = { kind: "file", size: 1, mode: 0o644, mtimeUs: nowMs * 1000 } as const;
    const contentId = contentIdOf(1 + index * 16 + state.changes.length);
    const [known, present] = [this.entry(replica.known), this.entry(replica.present)];
    const outcome = observe({
      record: { path: PATH, known, present },
      observed: isWrite ? { ...content, contentId } : "absent",
      author: `machine ${index}`,
      nowMs,
      nextDot,
    });
    assert.notEqual(outcome.kind, "unchanged");
    if (outcome.kind === "unchanged") return state;
    const overwritten =
      present.live === undefined ? state.overwritten : withItem(state.overwritten, nameOf(present.live.dot));
    if (outcome.kind === "adopted") return { ...withReplica(state, index, { present: replica.known }), overwritten };
    const next = withReplica(state, index, {
      known: this.#numberOf(outcome.known),
      present: this.#numberOf(outcome.present),
      counter,
    });
    // What lost to it, or to what it lost to.
    const loser = outcome.conflict === undefined ? undefined : loserOf(known, outcome.known, outcome.present);
    return {
      ...next,
      changes: [...state.changes, next.replicas[index]?.present ?? 0].toSorted((a, b) => a - b),
      overwritten,
      copied: loser === undefined ? state.copied : withItem(state.copied, loser),
    };
  }

  #merge(a: number, b: number): { readonly merged: number; readonly copied: string | undefined } {
    const key = a * 2 ** 24 + b;
    const remembered = this.#merges.get(key);
    if (remembered !== undefined) return remembered;
    const [left, right] = [this.entry(a), this.entry(b)];
    const { merged, conflict } = mergeEntries(left, right, PATH);
    const copied = conflict === undefined ? undefined : loserOf(left, merged, right);
    const result = { merged: this.#numberOf(merged), copied };
    this.#merges.set(key, result);
    return result;
  }

  #isSameLive(a: number, b: number): boolean {
    const [left, right] = [this.entry(a).live, this.entry(b).live];
    return left === undefined || right === undefined ? left === right : dotsEqual(left.dot, right.dot);
  }

  #numberOf(entry: Entry): number {
    const key = JSON.stringify(entry);
    const number = this.#numbers.get(key) ?? this.#entries.push(entry) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

export function nameOf({ replica, counter }: Dot): string {
  return `${replica}:${counter}`;
}

function keyOf({ replicas, changes, overwritten, copied }: State): string {
  const held = replicas.map(({ known, present, counter }) => `${known},${present},${counter}`);
  return `${held.join(" ")}|${changes.join()}|${overwritten.join()}|${copied.join()}`;
}

/** Which of the two live versions is not the one that is live after merging. */
function loserOf(a: Entry, merged: Entry, b: Entry): string | undefined {
  const winner = merged.live === undefined ? undefined : nameOf(merged.live.dot);
  return [a, b].flatMap(({ live }) => (live === undefined ? [] : [nameOf(live.dot)])).find((dot) => dot !== winner);
}

function withReplica(state: State, index: number, change: Partial<Replica>): State {
  const replicas = state.replicas.map((replica, at) => (at === index ? { ...replica, ...change } : replica));
  return { ...state, replicas };
}

function withItem(items: readonly string[], item: string): readonly string[] {
  return items.includes(item) ? items : [...items, item].toSorted();
}
