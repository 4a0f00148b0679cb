// The conversation with one peer over its control channel: where each side stands, what differs, and every change as it
// happens. It knows what the peer has been told; what an entry means is decided by the replica.
//
// Invariants:
// 1. Nothing is announced before it is committed: what a message says is read first, then committed, and then sent. What
//    changes while something else is being committed has to wait for its own commit.
// 2. What the peer asked and has not been answered is bounded: it is not read while too much waits. Only while the peer
//    itself does not take our answers is it read on (up to a second bound): if neither side read, both would wait for ever.
// 3. A comparison that gets nowhere counts as none after a while: others wait for it to end before they remove anything.
// 4. `#open` counts our questions that the peer has not answered in full: 0 on both sides means that a comparison ended.
// 5. Answering never holds up the event loop for long, whatever the peer asks, and ends with the session.

import { messageOf, protocolError } from "../core/errors.ts";
import {
  ANNOUNCEMENT_BYTES,
  ANSWER_SLICE_MS,
  COMPARING_MS_MAX,
  COMPARING_SILENT_MS_MAX,
  ENTRIES_PER_MESSAGE_MAX,
  QUESTION_BYTES_CLOGGED_MAX,
  QUESTION_BYTES_MAX,
} from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { PathRecord } from "../index/entry.ts";
import type { Fingerprinter } from "../index/fingerprint.ts";
import type { Ledger } from "../index/ledger.ts";
import { CHILDREN_PER_NODE } from "../index/merkle.ts";
import { isSettled } from "../index/settle.ts";
import type { Announcement, FetchingMessage, HaveMessage, Message, StandMessage } from "../pool/messages.ts";
import type { Session } from "../pool/session.ts";
import type { Source } from "../transfer/source.ts";
import { answerWant, compareChildren, compareSummary, firstQuestion, type ComparisonStep } from "./comparison.ts";
import { Outbox } from "./outbox.ts";
import { QuestionQueue, type Question } from "./question-queue.ts";
import { ToldDirectories } from "./told-directories.ts";

export interface ConversationOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly fingerprinter: Fingerprinter;
  /** Entries arrived. `requested`: they answer a question, rather than being news. */
  readonly onEntries: (conversation: Conversation, entries: readonly Announcement[]) => void;
  /** The peer says what it fetches, or what it has got of that. */
  readonly onSharing: (message: FetchingMessage | HaveMessage) => void;
  /** Where the peer stands changed, or a comparison began or ended. */
  readonly onStand: (conversation: Conversation) => void;
}

/** What an entry takes in a message without its content, roughly. */
const ENTRY_BYTES = 160;

export class Conversation implements Source {
  readonly session: Session;
  readonly #options: ConversationOptions;
  readonly #outbox = new Outbox();
  readonly #toldDirectories: ToldDirectories;
  /** Paths that the peer knows and does not hold. */
  readonly #lacking = new Set<RelativePath>();
  /** Paths that we announced without holding them. */
  readonly #announcedLacking = new Set<RelativePath>();
  readonly #questions = new QuestionQueue();
  #open = 0;
  #isAnswering = false;
  /** See invariant 2. */
  #isPaused = false;
  #isFlushing = false;
  /** When the event loop had its last turn, as far as is known. */
  #sliceBeganMs = 0;
  #hasEnded = false;
  #hasCompared = false;
  /** See invariant 3. `undefined`: no comparison is under way. */
  #comparison: { readonly beganAtMs: number; movedAtMs: number; timer: Timer; hasStalled: boolean } | undefined;
  #peerStand: StandMessage | undefined;
  #ownStand = "";

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.session = options.session;
    this.#toldDirectories = new ToldDirectories(options.ledger.store);
    void options.session.ended.then(() => this.#end());
    options.session.control.onMessage((message) => this.#receive(message));
    this.sendStand();
    this.#noteMoved();
  }

  /** True while either side still waits for answers, and gets some. */
  get isComparing(): boolean {
    return this.#isComparisonOpen && this.#comparison?.hasStalled !== true;
  }

  get #isComparisonOpen(): boolean {
    return !this.#hasEnded && (this.#open > 0 || this.#isAnswering || !this.#hasCompared);
  }

  /** Where the peer last said that it stands. */
  get peerStand(): StandMessage | undefined {
    return this.#peerStand;
  }

  /** True if both hold the same and neither waits for content. */
  get isInSync(): boolean {
    const { store, pending } = this.#options.ledger;
    const stand = this.#peerStand;
    return (
      stand !== undefined &&
      stand.pendingFiles === 0 &&
      pending.files === 0 &&
      Buffer.compare(stand.root, store.merkle.root()) === 0
    );
  }

  mayHold(path: RelativePath): boolean {
    return !this.#lacking.has(path);
  }

  noteLacking(path: RelativePath): void {
    this.#lacking.add(path);
  }

  /** What the peer could not deliver it may have by now. */
  forgetLacking(): void {
    this.#lacking.clear();
  }

  /** True if the peer was told that we lack this path, and should hear that we hold it now. */
  waitsFor(path: RelativePath): boolean {
    return this.#announcedLacking.has(path);
  }

  /** Puts a path's latest state in line to be announced. */
  announce(path: RelativePath, inline?: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#toldDirectories.forget(path);
    this.#outbox.put(path, inline);
  }

  /** Sends what is in line, as fast as the peer takes it. */
  flush(): void {
    if (!this.#isFlushing) void this.#flush();
  }

  /** Tells where we stand, if that changed. */
  sendStand(): void {
    if (this.#hasEnded) return;
    const { store, pending } = this.#options.ledger;
    const root = store.merkle.root();
    // A sum of sizes that somebody claims may be more than a message can say, and then no longer exact.
    const pendingBytes = Math.min(Math.max(0, pending.bytes), Number.MAX_SAFE_INTEGER);
    const stand = `${Buffer.from(root).toString("hex")} ${pending.files} ${pendingBytes}`;
    if (stand === this.#ownStand) return;
    this.#ownStand = stand;
    this.session.control.send({ type: "stand", root, pendingFiles: pending.files, pendingBytes });
  }

  /** Starts a comparison if the roots differ and this side is the one to start. */
  compare(): void {
    if (this.#hasEnded || !this.session.isLeader || this.#open > 0 || this.#peerStand === undefined) return;
    const { store } = this.#options.ledger;
    if (Buffer.compare(this.#peerStand.root, store.merkle.root()) === 0) return;
    // One of the two lacks something, most likely content: the channel for it opens while they find out.
    this.session.wantDataChannels(1);
    this.#ask(firstQuestion(store));
  }

  #receive(message: Message): void {
    this.#noteMoved();
    switch (message.type) {
      case "stand":
        return this.#receiveStand(message);
      case "children":
      case "summary":
      case "want":
        this.#questions.push(message);
        this.#boundQuestions();
        if (!this.#isAnswering) void this.#answerAll();
        return;
      case "compared":
        if (this.#open === 0) throw protocolError("an answer without a question");
        this.#open--;
        this.#noteCompared();
        if (this.#open === 0) this.#options.onStand(this);
        return;
      case "entries":
        for (const { path, held } of message.entries) {
          if (held) this.#lacking.delete(path);
          else this.#lacking.add(path);
        }
        return this.#options.onEntries(this, message.entries);
      case "fetching":
      case "have":
        return this.#options.onSharing(message);
      default:
        throw protocolError(`a ${message.type} message in a conversation`);
    }
  }

  #receiveStand(message: StandMessage): void {
    const isFirst = this.#peerStand === undefined;
    this.#peerStand = message;
    if (isFirst) {
      this.#hasCompared = true;
      this.compare();
      this.#noteCompared();
    }
    this.#options.onStand(this);
  }

  #ask(question: Question): void {
    this.#open++;
    this.session.control.send(question);
    this.#noteMoved();
  }

  async #answerAll(): Promise<void> {
    this.#isAnswering = true;
    this.#sliceBeganMs = this.#options.clock.monotonic();
    for (let question = this.#questions.take(); question !== undefined; question = this.#questions.take()) {
      if (this.#hasEnded) break;
      try {
        await this.#answer(question);
        this.#noteMoved();
        this.#boundQuestions();
      } catch (error) {
        this.#endUnwritable(error);
      }
    }
    this.#isAnswering = false;
    this.#noteCompared();
    this.#options.onStand(this);
  }

  async #answer(question: Question): Promise<void> {
    const step = this.#compare(question);
    for (const next of step.questions) {
      this.#ask(next);
      await this.#room();
    }
    for (const prefix of step.subtrees.flatMap(manageable)) {
      await this.#turn();
      if (this.#hasEnded) return;
      const paths = [...this.#options.ledger.store.pathsIn(prefix)];
      await this.#sendEntries(paths.map((path) => [path, undefined]));
    }
    await this.#sendEntries(step.paths.map((path) => [path, undefined]));
    this.session.control.send({ type: "compared" });
    await this.#room();
  }

  /** Something happened in the conversation. Keeps invariant 3, from when a comparison is first seen to be open. */
  #noteMoved(): void {
    const nowMs = this.#options.clock.monotonic();
    if (this.#comparison !== undefined) this.#comparison.movedAtMs = nowMs;
    else if (this.#isComparisonOpen) {
      const timer = this.#options.clock.after(COMPARING_SILENT_MS_MAX, () => this.#checkComparison());
      this.#comparison = { beganAtMs: nowMs, movedAtMs: nowMs, timer, hasStalled: false };
    }
  }

  #checkComparison(): void {
    const comparison = this.#comparison;
    if (comparison === undefined) return;
    const nowMs = this.#options.clock.monotonic();
    const endsAtMs = Math.min(comparison.movedAtMs + COMPARING_SILENT_MS_MAX, comparison.beganAtMs + COMPARING_MS_MAX);
    if (nowMs >= endsAtMs) {
      comparison.hasStalled = true;
      this.#options.onStand(this);
    } else comparison.timer = this.#options.clock.after(endsAtMs - nowMs, () => this.#checkComparison());
  }

  #noteCompared(): void {
    if (this.#isComparisonOpen) return;
    this.#comparison?.timer.clear();
    this.#comparison = undefined;
    // A comparison heals what went wrong before, whatever that was: it takes nothing for granted.
    this.#toldDirectories.forgetAll();
  }

  /** Resolves when the peer takes more, or the session has ended. */
  async #room(): Promise<void> {
    const { control } = this.session;
    await this.#turn();
    if (!control.isCongested) return;
    this.#boundQuestions();
    await control.writable();
    this.#boundQuestions();
  }

  /** Keeps invariant 5: promises that are settled already do not let the event loop turn. */
  async #turn(): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonic() - this.#sliceBeganMs < ANSWER_SLICE_MS) return;
    await new Promise<void>((resolve) => clock.after(0, resolve));
    this.#sliceBeganMs = clock.monotonic();
  }

  /** Keeps invariant 2. */
  #boundQuestions(): void {
    const { control } = this.session;
    const isFull = this.#questions.bytes > QUESTION_BYTES_MAX;
    if (isFull && !control.isCongested) {
      if (!this.#isPaused) control.pause();
      this.#isPaused = true;
      return;
    }
    if (this.#isPaused) control.resume();
    this.#isPaused = false;
    if (this.#questions.bytes > QUESTION_BYTES_CLOGGED_MAX) {
      this.#questions.clear();
      this.#close("more questions than answers were taken for");
    }
  }

  #compare(question: Question): ComparisonStep {
    const { ledger, fingerprinter } = this.#options;
    switch (question.type) {
      case "children":
        return compareChildren(ledger.store, fingerprinter, question);
      case "summary":
        return compareSummary(ledger.store, fingerprinter, question);
      case "want":
        return answerWant(ledger.store, question);
    }
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true;
    this.#sliceBeganMs = this.#options.clock.monotonic();
    try {
      while (this.#outbox.size > 0 && !this.#hasEnded) {
        await this.#sendEntries(this.#outbox.take(ENTRIES_PER_MESSAGE_MAX));
      }
    } catch (error) {
      this.#endUnwritable(error);
    }
    this.#isFlushing = false;
  }

  async #sendEntries(slots: readonly (readonly [RelativePath, Uint8Array | undefined])[]): Promise<void> {
    let entries: Announcement[] = [];
    let bytes = 0;
    for (const [record, inline] of this.#toTell(slots)) {
      entries.push(this.#announcementOf(record, inline));
      bytes += ENTRY_BYTES + record.path.length + (inline?.length ?? 0);
      if (bytes < ANNOUNCEMENT_BYTES && entries.length < ENTRIES_PER_MESSAGE_MAX) continue;
      await this.#sendOne(entries);
      entries = [];
      bytes = 0;
    }
    if (entries.length > 0) await this.#sendOne(entries);
  }

  /** Each in turn, after the directories that it is in; what was told with what is in it is left out. */
  *#toTell(
    slots: readonly (readonly [RelativePath, Uint8Array | undefined])[],
  ): Generator<readonly [PathRecord, Uint8Array | undefined]> {
    for (const [path, inline] of slots) {
      const record = this.#toldDirectories.has(path) ? undefined : this.#options.ledger.store.get(path);
      if (record === undefined) continue;
      for (const each of this.#toldDirectories.takeFor(record)) yield [each, each === record ? inline : undefined];
    }
  }

  /** Keeps invariant 1. */
  async #sendOne(entries: readonly Announcement[]): Promise<void> {
    await this.#options.ledger.store.committed();
    if (this.#hasEnded) return;
    this.session.control.send({ type: "entries", entries });
    await this.#room();
  }

  /** The index cannot be written, so nothing may be told; the next session begins again. */
  #endUnwritable(error: unknown): void {
    this.#close(messageOf(error));
  }

  /** The connection may last for a while until the peer has taken that. */
  #close(reason: string): void {
    this.#end();
    this.session.close("overload", reason);
  }

  #end(): void {
    this.#hasEnded = true;
    this.#comparison?.timer.clear();
  }

  #announcementOf(record: PathRecord, inline: Uint8Array | undefined): Announcement {
    const held = isSettled(record);
    if (held) this.#announcedLacking.delete(record.path);
    else this.#announcedLacking.add(record.path);
    return { path: record.path, entry: record.known, held, inline: held ? inline : undefined };
  }
}

/** A subtree as parts that are small enough to be listed at once. */
function manageable(prefix: readonly number[]): readonly (readonly number[])[] {
  return prefix.length > 0 ? [prefix] : Array.from({ length: CHILDREN_PER_NODE }, (_, child) => [child]);
}
