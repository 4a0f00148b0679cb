// One simulation: machines that live through a plan, and the oracles that their end is held against (ARCHITECTURE.md's
// invariants, seen from outside).

import type { ContentHash } from "../../src/core/ids.ts";
import type { RelativePath } from "../../src/core/path.ts";
import type { RecordStore } from "../../src/index/record-store.ts";
import { isTimeAsKept } from "../../src/index/signature.ts";
import { counterOf } from "../../src/index/version-vector.ts";
import type { DiskQuirks } from "../support/memory-disk.ts";
import { Prng } from "../support/seeded.ts";
import { systemError } from "../support/system-error.ts";
import { Book, type Tree } from "./book.ts";
import { Machine, ROOT } from "./machine.ts";
import { SimulatedNetwork } from "./network.ts";
import { act, contentIn, readTree } from "./person.ts";
import type { Happening, Plan } from "./plan.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";

export interface Outcome {
  /** What went wrong; empty if nothing did. */
  readonly failures: readonly string[];
  readonly digest: string;
  readonly events: number;
  readonly simulatedMs: number;
  readonly lines: readonly string[];
}

/** Lost events are found by the next full scan, ten minutes later; problems are tried again within minutes. */
const QUIET_MS_MAX = 45 * 60_000;
const CHECK_INTERVAL_MS = 500;
/** Equal for so long counts as done. */
const STABLE_CHECKS = 6;
const TIDY_MS = 10_000;
const IDLE_MS = 120_000;
/** A look at the folder every 2 s, one at the room on a disk that was full a moment ago, and a few for a full scan. */
const IDLE_JOBS_MAX = 110;
/** The same, where something is tried again now and then. */
const TRYING_JOBS_MAX = 240;
/** Keep-alives, on every session. */
const IDLE_BYTES_MAX = 20_000;
/** A strike in the middle of work that finds no work happens anyway. */
const STRIKE_MS_MAX = 700;
const DISCOVERY_MS = 300;
/** A machine that lost power is up again after this, at the earliest. */
const BOOT_MS = 5_000;
/** The last part of a file's line, in microseconds. */
const FILE_TIME = /(?<=^file .* )-?\d+$/;
const TRASH = `${ROOT}/.dsync/trash`;

/** Runs a plan from beginning to end, or to the first thing that must not be. */
export async function simulate(plan: Plan, { keepsLines = false } = {}): Promise<Outcome> {
  const simulation = new Simulation(plan, keepsLines);
  const escaped = (error: unknown): void => simulation.fail(`an error nobody caught: ${describeError(error)}`);
  process.on("unhandledRejection", escaped);
  process.on("uncaughtException", escaped);
  try {
    await simulation.run();
  } catch (error) {
    escaped(error);
  } finally {
    process.off("unhandledRejection", escaped);
    process.off("uncaughtException", escaped);
  }
  return simulation.outcome();
}

class Simulation {
  readonly #plan: Plan;
  readonly #scheduler = new Scheduler();
  readonly #trace: Trace;
  readonly #network: SimulatedNetwork;
  readonly #machines: readonly Machine[];
  readonly #book = new Book();
  readonly #failures: string[] = [];
  #hasLostPower = false;
  /** What people replaced of what dsync had put in place right before a kill, and its index does not know to be there. */
  readonly #replacedUnrecorded = new Set<ContentHash>();
  /** Machines that lost power: nobody can do anything there before they are up again. */
  readonly #offUntilMs = new Map<Machine, number>();
  #contents = 0;
  #upcoming = 0;

  constructor(plan: Plan, keepsLines: boolean) {
    this.#plan = plan;
    const scheduler = this.#scheduler;
    this.#trace = new Trace(() => scheduler.nowMs, keepsLines);
    const random = new Prng(plan.seed ^ 0x5bd1e995);
    const trace = this.#trace;
    this.#network = new SimulatedNetwork({ scheduler, random, trace, latencyMsMax: plan.latencyMsMax });
    this.#machines = plan.machines.map(
      (machine, index) =>
        new Machine({
          number: index + 1,
          seed: plan.seed + 7919 * (index + 1),
          scheduler,
          network: this.#network,
          trace,
          ...machine,
          commitsSlowly: plan.commitsSlowly,
          onViolation: (what) => this.fail(what),
        }),
    );
  }

  fail(what: string): void {
    this.#trace.add("FAILURE", what);
    if (this.#failures.length < 20) this.#failures.push(what);
  }

  outcome(): Outcome {
    return {
      failures: this.#failures,
      digest: this.#trace.digest(),
      events: this.#trace.count,
      simulatedMs: Math.round(this.#scheduler.nowMs),
      lines: this.#trace.lines,
    };
  }

  async run(): Promise<void> {
    for (const a of this.#machines) {
      for (const b of this.#machines) if (this.#isApart(a, b)) this.#network.block(a.address, b.address);
    }
    for (const machine of this.#machines) this.#start(machine);
    for (const [index, phase] of this.#plan.phases.entries()) {
      this.#book.beginPhase();
      for (const happening of phase) this.#schedule(happening);
      const tree = await this.#runUntilQuiet(index);
      if (tree === undefined || this.#failures.length > 0) return;
      this.#checkTree(tree);
      await this.#checkIdle();
      if (this.#failures.length > 0) return;
    }
    for (const machine of this.#machines) void machine.stop();
    await this.#scheduler.runUntil(this.#scheduler.nowMs + 10_000);
    for (const machine of this.#machines) if (machine.isRunning) this.fail(`${machine.name} does not stop`);
  }

  #schedule(happening: Happening): void {
    this.#upcoming++;
    this.#scheduler.after(happening.atMs, () => {
      this.#upcoming--;
      this.#happen(happening);
    });
  }

  #happen(happening: Happening): void {
    const machine = this.#machines[happening.machine];
    if (machine === undefined) return;
    switch (happening.kind) {
      case "person":
        if (happening.afterCalls === undefined) return this.#act(machine, happening);
        return this.#strike(machine, happening.afterCalls, () => this.#act(machine, happening), mayInterrupt);
      case "crash":
        return this.#strike(machine, happening.afterCalls, () => {
          if (!happening.losesPower) machine.crash();
          else if (machine.isRunning) this.#losePower(machine);
          this.#checkTold(machine);
          const downMs = happening.losesPower ? Math.max(happening.downMs, BOOT_MS) : happening.downMs;
          this.#later(downMs, () => this.#start(machine));
        });
      case "restart":
        return this.#restart(machine, happening.downMs);
      case "call-fails":
        machine.strikes.push({
          callsLeft: happening.afterCalls,
          mayStrike: mayFail,
          action: () => {
            this.#trace.add(machine.name, `meets ${happening.code}`);
            throw systemError(happening.code, "struck");
          },
        });
        return;
      case "disk-full": {
        const { disk } = machine;
        disk.capacityBytes = disk.usedBytes + happening.freeBytes;
        return this.#later(happening.forMs, () => (disk.capacityBytes = Infinity));
      }
      case "read-only": {
        const { disk } = machine;
        this.#trace.add(machine.name, "has a read-only disk");
        disk.isReadOnly = true;
        return this.#later(happening.forMs, () => (disk.isReadOnly = false));
      }
      case "partition":
      case "cut": {
        const other = this.#machines[happening.other];
        if (other === undefined) return;
        this.#trace.add(machine.name, `${happening.kind} ${other.name}`);
        if (happening.kind === "cut") return this.#network.cut(machine.address, other.address);
        this.#network.block(machine.address, other.address);
        return this.#later(happening.forMs, () => {
          if (!this.#isApart(machine, other)) this.#network.unblock(machine.address, other.address);
        });
      }
    }
  }

  /** Nothing is told before it is committed: what others have heard of its own changes a machine knows after a crash. */
  #checkTold(machine: Machine): void {
    const { replicaId } = machine;
    if (replicaId === undefined) return;
    const known = machine.knownEntries();
    for (const other of this.#machines) {
      for (const [path, { seen }] of other.knownEntries()) {
        const told = counterOf(seen, replicaId);
        if (told > counterOf(known.get(path)?.seen ?? [], replicaId)) {
          this.fail(`${machine.name} has told ${other.name} what it did to ${path}, and knows of it no more`);
        }
      }
    }
  }

  #losePower(machine: Machine): void {
    this.#hasLostPower = true;
    const held = this.#contentsOn(machine);
    const unfound = this.#unfoundContentsOn(machine);
    machine.losePower();
    this.#offUntilMs.set(machine, this.#scheduler.nowMs + BOOT_MS);
    const left = new Set(this.#machines.flatMap((other) => [...this.#contentsOn(other)]));
    const destroyed = [...held].filter((content) => !left.has(content));
    const leftHere = this.#contentsOn(machine);
    const damagedUnfound = unfound.filter((content) => !leftHere.has(content));
    this.#book.notePowerLoss(this.#machines.indexOf(machine), destroyed, damagedUnfound);
  }

  /**
   * A power loss damaged it, or kept dsync from seeing that a person deleted it, or a kill kept it from knowing what that
   * person saw; and what other copies there were people replaced: nobody can wait for it in earnest.
   */
  #isGone(contentId: ContentHash): boolean {
    if (!this.#hasLostPower && !this.#replacedUnrecorded.has(contentId)) return false;
    return this.#machines.every((machine) => ![...machine.contentIds().values()].includes(contentId));
  }

  #later(delayMs: number, action: () => void): void {
    this.#upcoming++;
    this.#scheduler.after(delayMs, () => {
      this.#upcoming--;
      action();
    });
  }

  /** Does `action` in the middle of the machine's work, or a little later if there is none. */
  #strike(
    machine: Machine,
    callsLeft: number,
    action: () => void,
    mayStrike: Parameters<typeof machine.strikes.push>[0]["mayStrike"] = () => true,
  ): void {
    let isDone = false;
    const strike = {
      callsLeft,
      mayStrike,
      action: () => {
        isDone = true;
        action();
      },
    };
    machine.strikes.push(strike);
    this.#later(STRIKE_MS_MAX, () => {
      if (isDone) return;
      const at = machine.strikes.indexOf(strike);
      if (at !== -1) machine.strikes.splice(at, 1);
      action();
    });
  }

  #act(machine: Machine, { action, choices }: Extract<Happening, { kind: "person" }>): void {
    if (this.#scheduler.nowMs < (this.#offUntilMs.get(machine) ?? 0)) return;
    const index = this.#machines.indexOf(machine);
    const before = readTree(machine.person, ROOT);
    const inodes = machine.inodesOf(before.keys());
    const unrecorded = machine.unrecordedPaths();
    const contentIds = unrecorded.size > 0 ? machine.contentIds() : undefined;
    const awaited = machine.awaitedPaths();
    const isStopped = !machine.isRunning;
    try {
      act(action, choices, {
        fs: machine.person,
        root: ROOT,
        nowMs: machine.wallMs,
        mixesCase: this.#machines.some(({ disk }) => disk.quirks.ignoresCase),
        freshContent: (size) => this.#freshContent(size),
      });
    } catch (error) {
      // As in life: the editor says that it cannot save.
      this.#trace.add(machine.name, `${action} fails: ${String(error)}`);
    }
    const after = readTree(machine.person, ROOT);
    this.#trace.add(machine.name, `${action}: ${changesBetween(before, after).join(", ")}`);
    this.#book.note(index, before, after, { unrecorded, awaited, isStopped });
    for (const path of unrecorded) {
      const contentId = contentIds?.get(path);
      if (contentId !== undefined && after.get(path) !== before.get(path)) this.#replacedUnrecorded.add(contentId);
    }
    for (const [path, inode] of machine.inodesOf(after.keys())) {
      // Another file that looks the same, to a coarse clock.
      if (after.get(path) === before.get(path) && inode !== inodes.get(path)) this.#book.noteTouched(index, path);
    }
  }

  #freshContent(size: number): Uint8Array {
    const number = this.#contents++;
    const bytes = Buffer.alloc(size);
    const random = new Prng(number * 31 + 17);
    // Chunks differ from each other, and half of every block does not compress.
    for (let at = 0; at < size; at++) bytes[at] = at % 64 < 32 ? random.below(256) : 97;
    bytes.write(`<${number}>`, 0, "latin1");
    return bytes;
  }

  #start(machine: Machine): void {
    if (machine.isRunning) return;
    this.#book.noteStart(this.#machines.indexOf(machine));
    machine.start().catch((error: unknown) => this.fail(`${machine.name} does not start: ${describeError(error)}`));
    const { peerId } = machine;
    // Discovery tells both sides, after a while.
    this.#later(DISCOVERY_MS, () => {
      if (peerId === undefined || machine.peerId !== peerId) return;
      for (const other of this.#machines) {
        if (other === machine || !other.isRunning || this.#isApart(machine, other)) continue;
        machine.meet(other);
        other.meet(machine);
      }
    });
  }

  /** In a chain, the first and the last never hear of each other. */
  #isApart(a: Machine, b: Machine): boolean {
    const ends = new Set([this.#machines[0], this.#machines.at(-1)]);
    return this.#plan.isChain && a !== b && ends.has(a) && ends.has(b);
  }

  #restart(machine: Machine, downMs: number): void {
    if (!machine.isRunning) return;
    this.#book.noteStop(this.#machines.indexOf(machine));
    // It may crash while it stops: then whoever crashed it starts it again.
    void machine.stop().then(() => this.#later(downMs, () => this.#start(machine)));
  }

  /** Runs until all trees and indexes are equal, and stay so; returns the tree. */
  async #runUntilQuiet(phase: number): Promise<Tree | undefined> {
    const endMs = this.#scheduler.nowMs + QUIET_MS_MAX;
    let stable = 0;
    let reasons: readonly string[] = [];
    while (this.#scheduler.nowMs < endMs) {
      await this.#scheduler.runUntil(this.#scheduler.nowMs + CHECK_INTERVAL_MS, () => this.#failures.length > 0);
      if (this.#failures.length > 0) return undefined;
      reasons = this.#upcoming > 0 ? ["things are still to happen"] : this.#unsettled();
      stable = reasons.length === 0 ? stable + 1 : 0;
      if (stable < STABLE_CHECKS) continue;
      this.#trace.add("simulation", `phase ${phase} is quiet`);
      return this.#treeOf(this.#machines[0]);
    }
    this.fail(`phase ${phase} never gets quiet: ${reasons.slice(0, 8).join("; ")}`);
    return undefined;
  }

  /** Why the machines are not in sync. */
  #unsettled(): string[] {
    const [first, ...others] = this.#machines;
    if (first === undefined) return [];
    const reasons: string[] = [];
    const tree = this.#treeOf(first);
    const clashing = clashingPaths(tree.keys());
    for (const machine of this.#machines) {
      const { store, name, problems, disk } = machine;
      if (store === undefined) {
        reasons.push(`${name} is down`);
        continue;
      }
      // Of what is below a directory that clashes, only the directory is told of.
      const isToldOf = (path: string): boolean =>
        disk.quirks.ignoresCase && clashing.has(path) && withParents(path).some((above) => problems.has(above));
      const pending = [...store.pending()].filter((path) => !isToldOf(path) && !this.#isWantedInVain(store, path));
      const [path] = pending;
      if (path !== undefined) {
        reasons.push(`${name} waits for ${pending.length} paths, ${path} first (${problems.get(path) ?? ""})`);
      }
    }
    // A change of a file's time may not show on the others' disks, and what clashes there is compared with nothing.
    const unseen = first.unseenChange(tree.keys());
    if (unseen !== undefined) reasons.push(`${first.name} has not seen a change of ${unseen}`);
    // People may have deleted the same on all machines, and none of them has noticed yet.
    const { store } = first;
    if (store?.pendingCount === 0 && store.liveCount !== tree.size) {
      reasons.push(`${first.name} has ${tree.size} paths, and its index ${store.liveCount}`);
    }
    if (reasons.length > 0) return reasons;
    const root = rootOf(first);
    // What is at such a path stays there for ever: what was there before, or nothing where that was damaged.
    const vain = new Set(this.#machines.flatMap((machine) => this.#wantedInVain(machine)));
    const withoutVain = (one: Tree): Tree => new Map([...one].filter(([path]) => !vain.has(path)));
    for (const machine of others) {
      if (rootOf(machine) !== root) reasons.push(`${machine.name} has another Merkle root than ${first.name}`);
      const [here, there] = asFarAsKept(machine, tree, this.#treeOf(machine), clashing);
      const found = changesBetween(withoutVain(here), withRoundedTimes(here, withoutVain(there)));
      if (found.length > 0) reasons.push(`${machine.name} has another tree than ${first.name}: ${found.join(", ")}`);
    }
    return reasons;
  }

  #checkTree(tree: Tree): void {
    const counting = this.#machines.map((machine) => trashOf(machine));
    const trashes = this.#machines.map(({ person }) => readTree(person, TRASH));
    for (const content of this.#book.lostFrom([tree, ...counting], trashes)) this.fail(`lost: ${content}`);
    const seenOn = (machine: number, line: string): string => {
      const quirks = this.#machines[machine]?.disk.quirks;
      return quirks === undefined ? line : asKept(quirks, line);
    };
    for (const how of this.#book.strayingFrom(tree, seenOn)) this.fail(`not as it was left: ${how}`);
    for (const machine of this.#machines) {
      const outside = [...readTree(machine.person, "/outside")];
      if (outside.length !== 1 || outside[0]?.[0] !== "file") this.fail(`${machine.name} was changed outside`);
    }
  }

  #wantedInVain({ store }: Machine): readonly string[] {
    return [...(store?.pending() ?? [])].filter((path) => this.#isWantedInVain(store, path));
  }

  #isWantedInVain(store: RecordStore | undefined, path: RelativePath): boolean {
    const content = store?.get(path)?.known.live?.content;
    return content?.kind === "file" && this.#isGone(content.contentId);
  }

  /** Nothing but keep-alives and looks at the folder, when there is nothing to do. */
  async #checkIdle(): Promise<void> {
    // What is tidied up a few seconds later is no noise.
    await this.#scheduler.runUntil(this.#scheduler.nowMs + TIDY_MS);
    const before = this.#machines.map(({ changes, diskWrites, jobsDone }) => ({ changes, diskWrites, jobsDone }));
    const bytesBefore = this.#network.deliveredBytes;
    await this.#scheduler.runUntil(this.#scheduler.nowMs + IDLE_MS);
    // What a disk takes for another name is tried again now and then, with its content fetched anew.
    const isTrying = this.#machines.some(({ store }) => store !== undefined && store.pendingCount > 0);
    // A directory may be brought back for such a file.
    const waitsInVain = this.#machines.some((machine) => this.#wantedInVain(machine).length > 0);
    for (const [index, machine] of this.#machines.entries()) {
      const hasChanged = machine.changes !== before[index]?.changes;
      if (hasChanged && !waitsInVain) this.fail(`${machine.name} tells of changes when idle`);
      if (machine.diskWrites !== before[index]?.diskWrites && !isTrying)
        this.fail(`${machine.name} writes to its disk when idle`);
      const jobs = machine.jobsDone - (before[index]?.jobsDone ?? 0);
      if (jobs > (isTrying ? TRYING_JOBS_MAX : IDLE_JOBS_MAX)) this.fail(`${machine.name} does ${jobs} jobs when idle`);
    }
    const bytes = this.#network.deliveredBytes - bytesBefore;
    if (bytes > IDLE_BYTES_MAX && !isTrying) this.fail(`${bytes} bytes were sent when idle`);
    for (const reason of this.#unsettled()) this.fail(`after being quiet: ${reason}`);
  }

  #contentsOn(machine: Machine): ReadonlySet<string> {
    const lines = [...this.#treeOf(machine).values(), ...trashOf(machine).values()];
    return new Set(lines.flatMap((line) => contentIn(line) ?? []));
  }

  /** Contents in the tree that the index holds nowhere: new, or moved, and not found yet. Damage of them it cannot tell. */
  #unfoundContentsOn(machine: Machine): readonly string[] {
    const entries = [...(machine.store?.inSubtree([]) ?? [])].flatMap(({ known, present }) => [known, present]);
    const indexed = new Set(
      entries.flatMap(({ live }) => (live?.content.kind === "file" ? live.content.contentId : [])),
    );
    const ids = machine.contentIds();
    return [...this.#treeOf(machine)].flatMap(([path, line]) => {
      const id = ids.get(path);
      return id === undefined || indexed.has(id) ? [] : (contentIn(line) ?? []);
    });
  }

  #treeOf(machine: Machine | undefined): Tree {
    return machine === undefined ? new Map() : readTree(machine.person, ROOT);
  }
}

/**
 * The trash, where it counts: two edits within the steps of a coarse clock may look like one, and then the second may be
 * found there only.
 */
function trashOf({ disk, person }: Machine): Tree {
  return disk.quirks.timeStepNs > 1n ? readTree(person, TRASH) : new Map();
}

/**
 * Where a person can strike: wherever dsync looks or reads, but not between its last looks (two for a move, at either
 * end) and its rename.
 */
function mayInterrupt(call: string, path: string, isNextLook: boolean): boolean {
  if (["read", "openForReading", "createFile", "fstat"].includes(call)) return true;
  return !isNextLook && call === "lstat" && path.startsWith(`${ROOT}/`) && !path.startsWith(`${ROOT}/.dsync`);
}

/** Errors come from calls that can fail on a sound disk; closing what is open is none of them. */
function mayFail(call: string, path: string): boolean {
  return call !== "close" && call !== "fstat" && !(call === "lstat" && (path === ROOT || path === `${ROOT}/.dsync`));
}

/** Paths that a disk cannot hold all of if it does not tell cases apart, and what is below them. */
function clashingPaths(paths: Iterable<string>): ReadonlySet<string> {
  const spellings = new Map<string, Set<string>>();
  const all = [...paths];
  for (const path of all) {
    const key = path.toLowerCase();
    spellings.set(key, (spellings.get(key) ?? new Set()).add(path));
  }
  const isAmbiguous = (path: string): boolean => (spellings.get(path.toLowerCase())?.size ?? 0) > 1;
  return new Set(all.filter((path) => withParents(path).some(isAmbiguous)));
}

function withParents(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** A line of a tree as a disk of these quirks shows it: its steps of time may be longer. */
function asKept({ timeStepNs }: DiskQuirks, line: string): string {
  const stepUs = Number(timeStepNs / 1000n);
  return stepUs < 1 ? line : line.replace(FILE_TIME, (timeUs) => String(Math.floor(Number(timeUs) / stepUs) * stepUs));
}

/** Both trees without what the disk of `machine`, that of `b`, does not keep: of names that clash it has one. */
function asFarAsKept(machine: Machine, a: Tree, b: Tree, clashing: ReadonlySet<string>): [Tree, Tree] {
  const { quirks } = machine.disk;
  const isKept = (path: string): boolean =>
    !quirks.ignoresCase || !clashing.has(path) || b.has(path) || machine.believesInPresent(path);
  const kept = (tree: Tree): Tree =>
    new Map([...tree].filter(([path]) => isKept(path)).map(([path, line]) => [path, asKept(quirks, line)]));
  return [kept(a), kept(b)];
}

/**
 * `there`, with times as they are `here` where one passes for what a disk makes of the other: two people wrote the same
 * within two seconds, one of them at a whole second (docs/safety.md, Not covered).
 */
function withRoundedTimes(here: Tree, there: Tree): Tree {
  return new Map(
    [...there].map(([path, line]) => {
      const other = here.get(path);
      return [path, other !== undefined && isRounded(line, other) ? other : line];
    }),
  );
}

function isRounded(a: string, b: string): boolean {
  const [aUs, bUs] = [a, b].map((line) => FILE_TIME.exec(line)?.[0]);
  if (aUs === undefined || bUs === undefined || a.replace(FILE_TIME, "") !== b.replace(FILE_TIME, "")) return false;
  return isTimeAsKept(Number(aUs), Number(bUs)) || isTimeAsKept(Number(bUs), Number(aUs));
}

function rootOf({ store }: Machine): string {
  return Buffer.from(store?.merkle.root() ?? []).toString("hex");
}

function changesBetween(before: Tree, after: Tree): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${JSON.stringify(path)} ${before.get(path) ?? "nothing"} | ${after.get(path) ?? "nothing"}`);
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
