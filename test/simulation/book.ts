// The book that is kept of what people did: which contents there were, which of them somebody saw and replaced or deleted,
// and which paths only one machine touched. It is what the outcome is held against.

import { contentIn } from "./person.ts";

export type Tree = ReadonlyMap<string, string>;

interface Left {
  readonly line: string | undefined;
  /** What dsync cannot have known to be there is not among it. */
  readonly earlier: readonly (string | undefined)[];
  /** The number of the note. */
  readonly at: number;
  /** What other names of its family held then: losing a conflict brings that here. */
  readonly beside: ReadonlySet<string>;
  /** Something in it was still to come. */
  readonly isAwaited: boolean;
  /** Something else was still to come there, such as what a disk that ignores case cannot hold beside another name. */
  readonly isContested: boolean;
  /**
   * Another name of its family lost the same while dsync stood still, before it came here: a copy of this may get that name,
   * and is deleted there when the loss is seen.
   */
  readonly isDeletedBeside: boolean;
}

/** What a machine's index made of its disk when a person did something. */
interface Surroundings {
  readonly unrecorded: ReadonlySet<string>;
  readonly awaited: ReadonlySet<string>;
  /** No dsync runs there. */
  readonly isStopped: boolean;
}

/** A path as it was when dsync stopped. */
interface AtStop {
  readonly line: string | undefined;
  readonly left: Left | undefined;
}

const NOTHING: Surroundings = { unrecorded: new Set(), awaited: new Set(), isStopped: false };

/** What a conflict path is more than the path of what lost. */
const CONFLICT_PART = /\.conflict-[^./]+-\d{8}-\d{6}-[0-9a-f]{4}(-\d+)?/;

export class Book {
  /** Contents that people wrote, and whether somebody who saw one of its files replaced or deleted it. */
  readonly #contents = new Map<string, { wasSeenOff: boolean; readonly origin: string }>();
  /**
   * Contents that may be in a trash alone: those that a power loss damaged under a name that dsync had not found yet,
   * those that a person gave another name that a copy of them may get as well, and those that a person put where they were
   * to be put anyway (docs/safety.md, Not covered).
   */
  readonly #mayBeTrashed = new Set<string>();
  /** Contents that took another one's place without a trace: same size, mode and time, as the disk shows them. */
  readonly #lookAlikes = new Map<string, string>();
  /** In this phase: the machines on which people touched a path. */
  #touched = new Map<string, Set<number>>();
  /** In this phase: the machines that lost power. */
  #powerless = new Set<number>();
  /** In this phase: how each machine's people left what they touched, and what they saw there before. */
  #left = new Map<number, Map<string, Left>>();
  /** In this phase: what people touched on each machine since dsync stopped there, as it was then. */
  #atStop = new Map<number, Map<string, AtStop>>();
  /** The first note that dsync does not see, on machines where it stands still. */
  #unseenSince = new Map<number, number>();
  /** In this phase: when which content was last put at a path or a conflict path of it, by anybody. */
  #put = new Map<string, number>();
  /** In this phase: all that anybody put at a path or a conflict path of it, as it is on a disk that keeps exact times. */
  #versions = new Map<string, Set<string>>();
  /** In this phase: when which content was last taken away from a path or a conflict path of it, by anybody. */
  #taken = new Map<string, number>();
  #notes = 0;

  /**
   * The machine lost power, and with it what its people did just before: only contents count there. `destroyed`: those that
   * no tree holds since. `damagedUnfound`: those that this machine does not hold since, and whose place its index did not
   * know before.
   */
  notePowerLoss(machine: number, destroyed: readonly string[], damagedUnfound: readonly string[] = []): void {
    this.#powerless.add(machine);
    for (const content of destroyed) this.#contents.delete(content);
    for (const content of damagedUnfound) this.#mayBeTrashed.add(content);
  }

  beginPhase(): void {
    this.#powerless = new Set();
    this.#touched = new Map();
    this.#left = new Map();
    this.#atStop = new Map();
    this.#put = new Map();
    this.#versions = new Map();
    this.#taken = new Map();
  }

  /** From now on dsync does not see there what people do. */
  noteStop(machine: number): void {
    if (!this.#unseenSince.has(machine)) this.#unseenSince.set(machine, this.#notes);
  }

  /** From now on dsync runs there, and sees what people do. */
  noteStart(machine: number): void {
    this.#atStop.delete(machine);
    this.#unseenSince.delete(machine);
  }

  /**
   * A person on `machine` turned `before` into `after`. `unrecorded`: paths that held what dsync had put there right before
   * it was killed. Its index does not know that it did: to it, what is gone there is still to be put in place. `awaited`:
   * paths of which the machine knew, and had not got them: they outlive the end of the directory that they are in, and bring
   * it back, perhaps for a moment alone; what took its place becomes a conflict copy. `isStopped`: what is put back before dsync starts again is to it as if nobody had
   * touched it.
   */
  note(machine: number, before: Tree, after: Tree, surroundings: Surroundings = NOTHING): void {
    const { unrecorded, awaited, isStopped } = surroundings;
    if (isStopped) this.noteStop(machine);
    const at = this.#notes++;
    const unseenSince = this.#unseenSince.get(machine) ?? Infinity;
    const takenBefore = new Map(this.#taken);
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
      this.#noteMovedInFamily(path, before, after);
      this.#noteLookAlike(before.get(path), after.get(path));
      this.noteTouched(machine, path);
      const left = this.#left.get(machine) ?? new Map<string, Left>();
      if (isStopped) {
        const atStop = this.#noteStopped(machine, path, { line: before.get(path), left: left.get(path) });
        if (atStop.line === after.get(path)) {
          if (atStop.left === undefined) left.delete(path);
          else left.set(path, atStop.left);
          continue;
        }
      }
      if (awaited.has(path)) this.#noteArrivedOtherwise(path, after.get(path));
      this.#put.set(inFamily(path, after.get(path)), at);
      this.#noteVersion(path, after.get(path));
      this.#taken.set(inFamily(path, before.get(path)), at);
      const earlier = [...(left.get(path)?.earlier ?? []), ...(unrecorded.has(path) ? [] : [before.get(path)])];
      const beside = new Set(familyIn(after, path).map(([, line]) => whatIs(line)));
      const isAwaited = [...awaited].some((below) => below.startsWith(`${path}/`));
      const isDeletedBeside = (takenBefore.get(inFamily(path, after.get(path))) ?? -1) >= unseenSince;
      this.#left.set(
        machine,
        left.set(path, {
          line: after.get(path),
          earlier,
          at,
          beside,
          isAwaited,
          isContested: awaited.has(path),
          isDeletedBeside,
        }),
      );
    }
  }

  /** A person on `machine` did something to the path. */
  noteTouched(machine: number, path: string): void {
    this.#touched.set(path, (this.#touched.get(path) ?? new Set()).add(machine));
  }

  /**
   * Contents that nobody saw off and that are in none of `trees`. Who moves a file, and of whose move only the end of the
   * old name is found before a power loss damages the file, has deleted it for all others: that may be in one of
   * `trashes`. So may what is moved from one conflict path to another of the same file: where it loses there, its copy
   * gets the name that it had, and goes with that.
   */
  lostFrom(trees: readonly Tree[], trashes: readonly Tree[]): string[] {
    const [held, kept] = [contentsOf(trees), contentsOf(trashes)];
    const isKept = (content: string): boolean => this.#mayBeTrashed.has(content) && kept.has(content);
    return [...this.#contents]
      .filter(([content, { wasSeenOff }]) => !wasSeenOff && !held.has(content) && !isKept(content))
      .map(([content, { origin }]) => `${content} of ${origin}`);
  }

  /**
   * Paths that only one machine's people touched, with what differs from how they left it. `seenOn`: a line of the
   * tree as that machine's disk shows it.
   */
  strayingFrom(tree: Tree, seenOn: (machine: number, line: string) => string): string[] {
    const straying: string[] = [];
    for (const [machine, left] of this.#left) {
      if (this.#powerless.has(machine)) continue;
      const seen = new Map([...tree].map(([path, line]) => [path, seenOn(machine, line)]));
      for (const [path, { line, earlier, at, beside, isAwaited, isContested, isDeletedBeside }] of left) {
        const found = seen.get(path);
        if (found === line || this.#isShared(path, machine)) continue;
        if (this.#looksLike(line, found)) continue;
        if (isContested && line !== undefined && isKeptAsCopy(path, line, seen)) continue;
        if (isAwaited && found?.startsWith("directory ") === true && isKeptAsCopy(path, line, seen)) continue;
        if (isKeptAsCopy(path, line, seen) && this.#isBackForCopy(path, seen)) continue;
        const isNew =
          !earlier.includes(found) ||
          beside.has(whatIs(found)) ||
          this.#isPutSince(at, path, found) ||
          this.#isAmbiguous(path, found, (version) => seenOn(machine, version));
        // The same content under two times is no conflict: one of them stays. A copy may have been changed since.
        const isOther = whatIs(line) !== whatIs(found) && !this.#isPutSince(at + 1, path, line);
        // Who takes such a copy away knows of it. One that was there before is not the one that was made of this.
        const isTaken = !beside.has(whatIs(line)) && this.#isTakenSince(at + 1, path, line);
        const isKept = isKeptAsCopy(path, line, seen) || !isOther || isTaken || isDeletedBeside;
        if (isNew && this.#isTakenByCopy(path, machine) && isKept) continue;
        straying.push(`${path}: left as ${line ?? "nothing"} on machine ${machine + 1}, is ${found ?? "nothing"}`);
      }
    }
    return straying;
  }

  /** `path` held something that is under another conflict path of the same file now. */
  #noteMovedInFamily(path: string, before: Tree, after: Tree): void {
    const content = contentIn(before.get(path));
    if (content === undefined || familyOf(path) === path) return;
    if (familyIn(after, path).some(([, line]) => contentIn(line) === content)) this.#mayBeTrashed.add(content);
  }

  /**
   * A person put there what the machine had been told to put there, it seems: to it, that is one version. If whoever made
   * the other one has taken it away by then, it goes here as well (docs/safety.md, Not covered).
   */
  #noteArrivedOtherwise(path: string, line: string | undefined): void {
    const content = contentIn(line);
    if (content !== undefined && this.#put.has(inFamily(path, line))) this.#mayBeTrashed.add(content);
  }

  /** How the path was when dsync stopped there: as it is `now`, if nobody has touched it since. */
  #noteStopped(machine: number, path: string, now: AtStop): AtStop {
    const paths = this.#atStop.get(machine) ?? new Map<string, AtStop>();
    const atStop = paths.get(path) ?? now;
    this.#atStop.set(machine, paths.set(path, atStop));
    return atStop;
  }

  #noteLookAlike(before: string | undefined, after: string | undefined): void {
    const [old, now] = [contentIn(before), contentIn(after)];
    if (old === undefined || now === undefined || before?.replace(old, now) !== after) return;
    this.#lookAlikes.set(now, old);
  }

  /**
   * True if `found` holds what a disk with a coarse clock shows as what `left` holds: until that is read once more, it
   * goes where the other one goes.
   */
  #looksLike(left: string | undefined, found: string | undefined): boolean {
    const wanted = contentIn(left);
    const passed = new Set<string>();
    let content = this.#lookAlikes.get(contentIn(found) ?? "");
    while (content !== undefined && content !== wanted && !passed.has(content)) {
      passed.add(content);
      content = this.#lookAlikes.get(content);
    }
    return content !== undefined && content === wanted;
  }

  /**
   * True if the directory holds a conflict copy: a power loss may have left one there, of what was to be deleted. A file
   * that has the directory's name since makes way for it.
   */
  #isBackForCopy(directory: string, tree: Tree): boolean {
    if (this.#powerless.size === 0) return false;
    return [...tree.keys()].some((path) => path.startsWith(`${directory}/`) && familyOf(path) !== path);
  }

  /**
   * True if a conflict copy of what somebody else touched, or put something into, may have come to the path: which name a
   * copy gets depends on what lost alone, and an older copy that has been changed since may have that name.
   */
  #isTakenByCopy(path: string, machine: number): boolean {
    const family = familyOf(path);
    if (family === path) return false;
    return [...this.#touched].some(([other, machines]) => {
      const isRelated = familyOf(other) === family || other.startsWith(`${family}/`);
      return isRelated && [...machines].some((number) => number !== machine);
    });
  }

  /**
   * True if somebody put what `found` holds at a path of this one's family, by the note `at` or later: it may have lost a
   * conflict there since.
   */
  #isPutSince(at: number, path: string, found: string | undefined): boolean {
    return found !== undefined && (this.#put.get(inFamily(path, found)) ?? -1) >= at;
  }

  #noteVersion(path: string, line: string | undefined): void {
    if (line === undefined) return;
    const family = familyOf(path);
    this.#versions.set(family, (this.#versions.get(family) ?? new Set()).add(line));
  }

  /** True if several versions look like `found` where times are coarse: whoever saw one of them may not have seen the other. */
  #isAmbiguous(path: string, found: string | undefined, seen: (version: string) => string): boolean {
    return [...(this.#versions.get(familyOf(path)) ?? [])].filter((version) => seen(version) === found).length > 1;
  }

  /** True if somebody took what `line` holds away from a path of this one's family, by the note `at` or later. */
  #isTakenSince(at: number, path: string, line: string | undefined): boolean {
    return line !== undefined && (this.#taken.get(inFamily(path, line)) ?? -1) >= at;
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

function contentsOf(trees: readonly Tree[]): ReadonlySet<string | undefined> {
  return new Set(trees.flatMap((tree) => [...tree.values()].map(contentIn)));
}

/** The path that this one is a conflict copy of; itself, if it is none. */
function familyOf(path: string): string {
  return path.replace(CONFLICT_PART, "");
}

/** What a line of a tree says but for mode and time, and of which path and its conflict paths that is said. */
function inFamily(path: string, line: string | undefined): string {
  return `${familyOf(path)} ${whatIs(line)}`;
}

/** What a line of a tree says but for mode and time. */
function whatIs(line: string | undefined): string {
  return line?.startsWith("file ") === true ? line.split(" ", 3).join(" ") : (line ?? "nothing");
}

/** True if `line` is at another conflict path of the same path, or is nothing. */
function isKeptAsCopy(path: string, line: string | undefined, tree: Tree): boolean {
  if (line === undefined) return true;
  return familyIn(tree, path).some(([, there]) => there === line);
}

/** The other names in `tree` that are copies of the same path as `path`, or that path. */
function familyIn(tree: Tree, path: string): readonly (readonly [path: string, line: string])[] {
  return [...tree].filter(([other]) => other !== path && familyOf(other) === familyOf(path));
}

function count(counts: Map<string, number>, content: string | undefined, by: number): void {
  if (content === undefined) return;
  counts.set(content, (counts.get(content) ?? 0) + by);
}
