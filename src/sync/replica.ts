// One replica's knowledge: what is seen on the disk and what is heard from peers is merged, stored and passed on.
//
// Invariants:
// 1. A local change starts from what is present; what is heard is merged into what is known (docs/protocol.md, Versions).
// 2. Nothing is announced before it is committed: a dot that anybody has seen is never handed out again.
// 3. A conflict copy is stored in the same turn as what it lost against, and announced before it.
// 4. What is heard of a path that is being changed on the disk is merged after the outcome of that.

import type { ContentHash } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import type { Clock } from "../edge/clock.ts";
import { sameContent } from "../index/content.ts";
import type { Content, Dot, Entry, PathEntry, PathRecord, Version } from "../index/entry.ts";
import type { Fingerprinter } from "../index/fingerprint.ts";
import type { Ledger } from "../index/ledger.ts";
import { hasLiveChildren } from "../index/live-children.ts";
import { observe, type Changer } from "../index/local-change.ts";
import { conflictEntry, dotsEqual, entriesEqual, mergeEntries, sameLive } from "../index/merge.ts";
import { OwnDots } from "../index/own-dots.ts";
import { repairsOf } from "../index/repairs.ts";
import { emptyRecord, isSettled, withKnown } from "../index/settle.ts";
import type { Announcement } from "../pool/messages.ts";
import type { Session } from "../pool/session.ts";
import type { InlineFile } from "../transfer/inline-content.ts";
import type { Puller } from "../transfer/puller.ts";
import type { Observation } from "../watch/observation.ts";
import { Conversation } from "./conversation.ts";
import { PatientRepairs } from "./patient-repairs.ts";

export interface ReplicaOptions {
  readonly ledger: Ledger;
  readonly fingerprinter: Fingerprinter;
  readonly clock: Clock;
  /** Friendly name of this instance. */
  readonly author: string;
  /** A path's known state changed. `isLocal`: by what was seen on this disk. */
  readonly onChanged: (previous: PathRecord, next: PathRecord, isLocal: boolean) => void;
  readonly onConflict: (path: RelativePath, copy: PathEntry) => void;
  /** Where we or a peer stand may have changed. */
  readonly onStand: () => void;
  /** The index cannot be written: nothing is announced until it can. */
  readonly onCommitFailed: (error: unknown) => void;
  /** It can be written (again). */
  readonly onCommitted: () => void;
}

/** Where an entry came from, and the content that came with it. */
interface Origin {
  readonly from: Conversation;
  readonly inline: Uint8Array | undefined;
}

/** What a look found at a path. */
interface Seen {
  readonly content: Content | "absent";
  readonly inline?: Uint8Array | undefined;
  readonly movedFrom?: RelativePath | undefined;
}

/** The index could not be written: tried again after this. */
const COMMIT_RETRY_MS = 2_000;
/** Quiet, and still something is missing: peers are asked again for what they could not deliver. */
const ASK_AGAIN_MS = 15_000;
/** Equal roots are checked again when nothing has happened for this long. */
const QUIET_MS = 1_500;

export class Replica {
  readonly #options: ReplicaOptions;
  readonly #conversations = new Map<Session, Conversation>();
  readonly #ownDots = new OwnDots();
  #puller: Puller | undefined;
  #isPublishing = false;
  #hasNews = false;
  #isStopped = false;
  #lastNewsMs = 0;
  #isQuietCheckDue = false;
  #isAskAgainDue = false;
  #wasComparing = false;
  readonly #repairs: PatientRepairs;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#repairs = new PatientRepairs({ clock: options.clock, onDue: (path) => this.#puller?.add(path) });
  }

  /** The puller that brings the disk up to what is known. Set once, before anything happens. */
  set puller(puller: Puller) {
    this.#puller = puller;
  }

  get conversations(): readonly Conversation[] {
    return [...this.#conversations.values()];
  }

  /** True while a comparison with any peer is under way. */
  get isComparing(): boolean {
    return this.conversations.some((conversation) => conversation.isComparing);
  }

  /** A peer connected. */
  join(session: Session): void {
    const conversation = new Conversation({
      session,
      clock: this.#options.clock,
      ledger: this.#options.ledger,
      fingerprinter: this.#options.fingerprinter,
      onEntries: (from, entries) => this.#receive(from, entries),
      onSharing: (message) => this.#puller?.noteSharing(session, message),
      onStand: () => this.#noteStand(),
    });
    this.#conversations.set(session, conversation);
    this.#puller?.addSource(conversation);
    session.onDataChannel((channel) => this.#puller?.addDataChannel(session, channel));
    void session.ended.then(() => this.#leave(session));
  }

  /** What was seen on the disk and differs from the index. */
  observe(observations: readonly Observation[]): void {
    // Before the paths that they moved from are forgotten.
    for (const observation of observations) this.#keepMark(observation);
    for (const observation of observations) this.#observeOne(observation);
    this.publish();
  }

  /** These paths hold on this disk what is known: peers that wait for them hear it. */
  noteSettled(records: readonly PathRecord[]): void {
    for (const { path } of records) {
      for (const conversation of this.#conversations.values()) {
        if (conversation.waitsFor(path)) conversation.announce(path);
      }
    }
    this.publish();
  }

  /** Brings back a directory that something live is in, when what is still to arrive has had its time. */
  repair(path: RelativePath): void {
    const { store } = this.#options.ledger;
    if (!this.#repairs.mayRepair(path, store.get(path))) return;
    const tree = {
      get: (at: RelativePath) => store.get(at)?.known,
      hasLiveChildren: (directory: RelativePath) => hasLiveChildren(store, directory),
    };
    for (const change of repairsOf(path, tree, this.#changer())) this.#mergeKnown(change, undefined, true);
    this.#puller?.add(path);
    this.publish();
  }

  /** What was to be repaired at `path` is as it should be. */
  noteRepaired(path: RelativePath): void {
    this.#repairs.forget(path);
  }

  /** Commits what is new, then tells every peer. */
  publish(): void {
    this.#hasNews = true;
    this.#lastNewsMs = this.#options.clock.monotonic();
    if (!this.#isPublishing) void this.#publishAll();
  }

  stop(): void {
    this.#isStopped = true;
    this.#repairs.stop();
  }

  #observeOne(observation: Observation): void {
    const { store } = this.#options.ledger;
    const { path } = observation;
    const record = store.get(path) ?? emptyRecord(path);
    switch (observation.kind) {
      case "touched":
        return this.#put(record, { ...record, signature: observation.signature });
      case "residue-gone":
        return this.#put(record, { ...record, residue: false });
      case "absent":
        return this.#noteSeen({ ...record, signature: undefined, residue: false }, record, { content: "absent" });
      case "present": {
        const { content, signature, manifest } = observation;
        if (manifest !== undefined && content.kind === "file") {
          store.putManifest(content.contentId, manifest);
          store.putChunkLocations(content.contentId);
        }
        return this.#noteSeen({ ...record, signature, residue: false }, record, observation);
      }
    }
  }

  /** `seen`: the record with what is on the disk now; `observed`: what that is. */
  #noteSeen(seen: PathRecord, record: PathRecord, observed: Seen): void {
    const outcome = observe({ record, observed: observed.content, ...this.#changer() });
    switch (outcome.kind) {
      case "unchanged":
        return this.#put(record, seen);
      case "adopted": {
        this.#put(record, { ...seen, present: outcome.present });
        const { live } = record.present;
        const isGone =
          live !== undefined && (observed.content === "absent" || !sameContent(live.content, observed.content));
        if (isGone) this.#noteReplaced(record.path, live);
        return;
      }
      case "changed": {
        const next = { ...seen, known: outcome.known, present: outcome.present };
        // A person's content now: what we wrote before says nothing about it.
        if (!isOurContent(record, observed)) this.#options.ledger.store.unmark(record.path);
        this.#put(record, next);
        this.#noteSame(outcome.known, [record.known, outcome.present]);
        if (record.present.live !== undefined) this.#noteReplaced(record.path, record.present.live);
        if (outcome.conflict !== undefined) {
          if (record.known.live !== undefined) this.#options.ledger.store.superseded.noteCopyOf(record.known.live);
          this.#noteConflict(record.path, outcome.conflict);
        }
        this.#announce(record.path, observed.inline);
        this.#options.onChanged(record, next, true);
      }
    }
  }

  /** What we wrote may still be damaged by a power loss after a person moved it. */
  #keepMark(observation: Observation): void {
    if (observation.kind !== "present" || observation.movedFrom === undefined) return;
    const { store } = this.#options.ledger;
    const { path, movedFrom } = observation;
    if (store.isMarked(movedFrom)) store.mark(path, (store.get(path) ?? emptyRecord(path)).present);
  }

  /**
   * What was here is gone, or about to be: a copy of it that nobody has put in place here is not to be waited for, nor
   * the copy that this made when it lost in turn.
   */
  #noteReplaced(path: RelativePath, version: Version): void {
    if (version.content.kind !== "file") return;
    const { store } = this.#options.ledger;
    const left = store.get(path);
    // A copy that was not waited for as long as this had its content.
    if (left !== undefined) this.#withdraw(left);
    store.superseded.note(version);
    for (const same of store.superseded.takeSame(version)) this.#noteReplaced(path, same);
    const copy = conflictEntry(path, version);
    const record = store.get(copy.path);
    if (record === undefined || copy.entry.live === undefined) return;
    this.#withdraw(record);
    const isHere = sameLive(record.known, copy.entry) || sameLive(record.present, copy.entry);
    if (!isHere) this.#noteReplaced(copy.path, copy.entry.live);
  }

  /** Which of `merged` gave way to a version of the same file content. */
  #noteSame({ live }: Entry, merged: readonly Entry[]): void {
    if (live?.content.kind !== "file") return;
    for (const { live: other } of merged) {
      const isDropped =
        other !== undefined && !dotsEqual(other.dot, live.dot) && sameContent(other.content, live.content);
      if (isDropped) this.#options.ledger.store.superseded.noteSame(live, other);
    }
  }

  #withdraw(record: PathRecord): void {
    const { path, known, present } = record;
    if (isSettled(record) || known.live?.content.kind !== "file") return;
    // Here by another way already: nobody waits for it, and whoever has it there keeps it.
    if (present.live !== undefined && sameContent(known.live.content, present.live.content)) return;
    const entry = this.#options.ledger.store.superseded.withdrawalOf(known);
    if (entry === undefined || this.#hasNamesake(path, known.live.content.contentId)) return;
    // It may have lost elsewhere by now: a copy of it is withdrawn when it comes.
    this.#options.ledger.store.superseded.noteCopyOf(known.live);
    this.#mergeKnown({ path, entry }, undefined, true);
  }

  /**
   * True if a version with that content is here whose own copy would get the name `path`: a person may have moved there
   * what was replaced. Where it loses, too, the two copies merge into one, and a withdrawal of either deletes both.
   */
  #hasNamesake(path: RelativePath, contentId: ContentHash): boolean {
    const { store } = this.#options.ledger;
    for (const location of store.locationsOf(contentId)) {
      if (location.kind === "trash") continue;
      const live = store.get(location.path)?.present.live;
      if (live !== undefined && conflictEntry(location.path, live).path === path) return true;
    }
    return false;
  }

  #put(record: PathRecord, next: PathRecord): void {
    this.#options.ledger.put(record, next);
    this.#puller?.noteSeen(next);
  }

  #receive(from: Conversation, entries: readonly Announcement[]): void {
    for (const announcement of entries) {
      const { path, entry, held, inline } = announcement;
      const underWay = this.#puller?.underWayAt(path);
      if (underWay !== undefined) {
        this.#receiveAfter(underWay, from, announcement);
        continue;
      }
      this.#mergeKnown({ path, entry }, { from, inline }, false);
      if (held) this.#puller?.noteHeldByPeer(path);
    }
    this.publish();
  }

  /**
   * Merges it when the index knows what came of the change that is under way (invariant 4). Were a deletion stored before
   * that, a crash could leave the file that was just put in place: as if a person had brought it back.
   */
  #receiveAfter(underWay: Promise<void>, from: Conversation, announcement: Announcement): void {
    const receive = (): void => {
      if (!this.#isStopped) this.#receive(from, [announcement]);
    };
    void underWay.then(receive, receive);
  }

  /**
   * Merges an entry into what is known of its path, and the conflict copies that this makes into theirs; tells everybody
   * but whom it came from. A copy may push out another one, and so on: a loop, since a peer can make that a long way.
   */
  #mergeKnown(item: PathEntry, origin: Origin | undefined, isLocal: boolean): void {
    const items = [item];
    const changes: (readonly [PathRecord, PathRecord] | undefined)[] = [];
    for (let next: PathEntry | undefined = item; next !== undefined;) {
      const { change, conflict } = this.#store(next);
      changes.push(change);
      if (conflict !== undefined) items.push(conflict);
      next = conflict;
    }
    // A copy before what it lost against (invariant 3).
    for (const [index, merged] of [...items.entries()].toReversed()) {
      const change = changes[index];
      if (change === undefined) continue;
      this.#tell(change, merged.entry, index === 0 ? origin : undefined, isLocal || index > 0);
      const lostAt = items[index - 1];
      if (lostAt !== undefined) this.#options.onConflict(lostAt.path, merged);
    }
  }

  /** `change`: the record before and after, unless nothing in it is new. `conflict`: to be merged as well. */
  #store({ path, entry }: PathEntry): {
    readonly change: readonly [PathRecord, PathRecord] | undefined;
    readonly conflict: PathEntry | undefined;
  } {
    const { ledger } = this.#options;
    const record = ledger.store.get(path) ?? emptyRecord(path);
    const { merged, conflict } = mergeEntries(record.known, entry, path);
    this.#noteSame(merged, [record.known, entry]);
    if (merged === record.known) return { change: undefined, conflict };
    const next = withKnown(record, merged);
    ledger.put(record, next);
    const lost = conflict ?? this.#ownDots.defend({ path, known: record.known, heard: entry, merged });
    if (lost !== undefined) {
      for (const { live } of [record.known, entry]) if (live !== undefined) ledger.store.superseded.noteCopyOf(live);
    }
    return { change: [record, next], conflict: lost };
  }

  #tell(
    [record, next]: readonly [PathRecord, PathRecord],
    heard: Entry,
    origin: Origin | undefined,
    isLocal: boolean,
  ): void {
    const { path } = next;
    // Whoever sent it knows it; unless the merge made more of it.
    this.#announce(path, undefined, entriesEqual(next.known, heard) ? origin?.from : undefined);
    this.#options.onChanged(record, next, isLocal);
    this.#puller?.noteKnown(next, inlineOf(next, origin?.inline));
    if (record.known.live !== undefined && next.known.live?.content.kind !== "directory") this.#recheckChildren(path);
    this.#withdraw(next);
  }

  /** A directory is gone: what is live inside it needs it back, or is a deletion still to arrive. */
  #recheckChildren(path: RelativePath): void {
    for (const child of this.#options.ledger.store.children(path)) {
      if (child.known.live !== undefined) this.#puller?.add(child.path);
    }
  }

  #noteConflict(path: RelativePath, copy: PathEntry): void {
    this.#mergeKnown(copy, undefined, true);
    this.#options.onConflict(path, copy);
  }

  #announce(path: RelativePath, inline: Uint8Array | undefined, except?: Conversation): void {
    for (const conversation of this.#conversations.values()) {
      if (conversation !== except) conversation.announce(path, inline);
    }
  }

  #changer(): Changer {
    const { ledger, clock, author } = this.#options;
    const nextDot = (nowMs: number): Dot => {
      const dot = ledger.store.nextDot(nowMs);
      this.#ownDots.note(dot);
      return dot;
    };
    return { nextDot, nowMs: Math.floor(clock.now()), author };
  }

  async #publishAll(): Promise<void> {
    this.#isPublishing = true;
    while (this.#hasNews && !this.#isStopped) {
      this.#hasNews = false;
      try {
        await this.#options.ledger.store.committed();
      } catch (error) {
        this.#options.onCommitFailed(error);
        this.#options.clock.after(COMMIT_RETRY_MS, () => this.publish());
        break;
      }
      this.#options.onCommitted();
      for (const conversation of this.#conversations.values()) conversation.flush();
      this.#noteStand();
    }
    this.#isPublishing = false;
  }

  #noteStand(): void {
    for (const conversation of this.#conversations.values()) conversation.sendStand();
    const { isComparing } = this;
    if (this.#wasComparing && !isComparing) this.#puller?.noteCompared();
    this.#wasComparing = isComparing;
    this.#options.onStand();
    this.#checkWhenQuiet();
  }

  /** Compares again when nothing has happened for a while and the roots differ all the same: self-healing. */
  #checkWhenQuiet(): void {
    if (this.#isQuietCheckDue || this.#isStopped) return;
    if (this.conversations.every((conversation) => conversation.isInSync)) return;
    this.#isQuietCheckDue = true;
    this.#options.clock.after(QUIET_MS, () => {
      this.#isQuietCheckDue = false;
      if (this.#options.clock.monotonic() - this.#lastNewsMs < QUIET_MS) return this.#checkWhenQuiet();
      for (const conversation of this.#conversations.values()) conversation.compare();
      this.#askAgainLater();
    });
  }

  /** A peer that lacked a content or could not read it may have it now, without a word of it having been lost. */
  #askAgainLater(): void {
    if (this.#isAskAgainDue || this.#options.ledger.pending.files === 0) return;
    this.#isAskAgainDue = true;
    this.#options.clock.after(ASK_AGAIN_MS, () => {
      this.#isAskAgainDue = false;
      if (this.#isStopped || this.#options.ledger.pending.files === 0) return;
      if (this.#options.clock.monotonic() - this.#lastNewsMs >= QUIET_MS) {
        for (const conversation of this.#conversations.values()) conversation.forgetLacking();
        this.#puller?.reconsider();
      }
      this.#askAgainLater();
    });
  }

  #leave(session: Session): void {
    this.#conversations.delete(session);
    this.#puller?.removeSource(session);
    this.#noteStand();
  }
}

/** True if a person changed no more than the time or mode, or moved what is there here. */
function isOurContent({ present }: PathRecord, { content, movedFrom }: Seen): boolean {
  if (movedFrom !== undefined) return true;
  const before = present.live?.content;
  if (content === "absent" || content.kind !== "file" || before?.kind !== "file") return false;
  return before.contentId === content.contentId;
}

/** Content is of use only for a file that is not on this disk yet. */
function inlineOf(record: PathRecord, inline: Uint8Array | undefined): InlineFile | undefined {
  const content = record.known.live?.content;
  if (inline === undefined || isSettled(record) || content?.kind !== "file") return undefined;
  return content.size === inline.length ? { contentId: content.contentId, bytes: inline } : undefined;
}
