// What has to come from peers, and who is asked for what. Pulled by us: every request fits the peer's window.
//
// Small files (one chunk) go first, in batches, so that a person's save is not stuck behind a disk image; large ones
// share what is left of the window. Whoever has room takes the next work, so several peers share it by themselves.

import type { ContentHash } from "../core/ids.ts";
import {
  ANSWER_SILENCE_MS_MAX,
  LARGE_FETCHES_MAX,
  LEFT_STAGED_MAX,
  REQUEST_BYTES,
  REQUEST_ITEMS,
  SHARED_FETCH_STALLED_MS,
  WINDOW_BYTES_MAX,
  WINDOW_BYTES_PER_PEER,
  WINDOW_BYTES_PER_SMALL_FILE,
} from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { Channel } from "../pool/channel.ts";
import type { Session } from "../pool/session.ts";
import type { ChunkMessage, FetchingMessage, FetchItem, HaveMessage } from "../pool/messages.ts";
import { FetchClient } from "./fetch-client.ts";
import { LargeFetch, type LargeFetchOptions } from "./large-fetch.ts";
import { Sharing } from "./sharing.ts";
import type { Source } from "./source.ts";
import { Window } from "./window.ts";

/** A file that is a single chunk. */
export interface SmallTask {
  readonly path: RelativePath;
  readonly contentId: ContentHash;
  readonly size: number;
}

type PerFetch = "path" | "contentId" | "size" | "isAlone" | "onNeeds" | "onReady" | "onStaged";

export interface FetchQueueOptions extends Omit<LargeFetchOptions, PerFetch> {
  /** A small file's content arrived, not verified yet. Resolves when it is on disk (or not): frees the window. */
  readonly onSmall: (
    arrived: readonly { readonly task: SmallTask; readonly chunk: ChunkMessage }[],
    sender: Source,
  ) => Promise<void>;
  /** Every chunk is verified in staging. */
  readonly onLarge: (fetch: LargeFetch) => void;
  /** Fetching cannot go on for a reason on this machine. */
  readonly onProblem: (path: RelativePath, problem: Problem) => void;
  /** True if staging may hold chunks of this content from an earlier run. */
  readonly mayBeStaged: (contentId: ContentHash) => boolean;
}

/** Tasks looked at for one request before giving the turn to other work. */
const LOOK_AHEAD = 1024;

interface SourceState {
  readonly source: Source;
  readonly window: Window;
  readonly clients: FetchClient[];
}

export class FetchQueue {
  readonly #options: FetchQueueOptions;
  readonly #sources = new Map<Session, SourceState>();
  readonly #window = new Window(WINDOW_BYTES_MAX);
  readonly #small = new Map<RelativePath, SmallTask>();
  readonly #inFlight = new Map<RelativePath, SmallTask>();
  readonly #waitingLarge = new Map<RelativePath, LargeFetch>();
  readonly #large = new Map<RelativePath, LargeFetch>();
  readonly #sharing = new Sharing(() => this.#large.values());
  /** Nobody who is connected has these. */
  readonly #parked = new Map<RelativePath, SmallTask>();
  /** Fetches of this run that ended, one way or another: staging may hold something of them. */
  readonly #leftStaged = new Set<ContentHash>();
  #isPaused = false;

  constructor(options: FetchQueueOptions) {
    this.#options = options;
  }

  /** Large files under way, for progress. */
  get largeFetches(): Iterable<LargeFetch> {
    return this.#large.values();
  }

  has(path: RelativePath): ContentHash | undefined {
    return (this.#small.get(path) ?? this.#inFlight.get(path) ?? this.#parked.get(path) ?? this.#largeAt(path))
      ?.contentId;
  }

  isStaged(contentId: ContentHash, chunk: ContentHash): boolean {
    for (const fetch of this.#large.values()) if (fetch.contentId === contentId) return fetch.isStaged(chunk);
    return false;
  }

  addSmall(task: SmallTask): void {
    this.#small.set(task.path, task);
    this.pump();
  }

  addLarge(file: SmallTask): void {
    const fetch = new LargeFetch({
      ...this.#options,
      ...file,
      isAlone: () => [...this.#sources.values()].every(({ source }) => source.mayHold(file.path)),
      onNeeds: (needy) => {
        this.#sharing.begin(needy);
        this.pump();
      },
      onReady: () => this.pump(),
      onStaged: (staged) => this.#sharing.tellChunks(staged),
    });
    this.#waitingLarge.set(file.path, fetch);
    this.#startLarge();
  }

  /** The path wants something else now. */
  cancel(path: RelativePath): void {
    this.#small.delete(path);
    this.#parked.delete(path);
    this.#inFlight.delete(path);
    this.#waitingLarge.delete(path);
    const large = this.#large.get(path);
    if (large !== undefined) this.#endLarge(large);
  }

  addSource(source: Source): void {
    const window = new Window(WINDOW_BYTES_PER_PEER, this.#window);
    this.#sources.set(source.session, { source, window, clients: [] });
    this.#sharing.addPeer(source);
    this.unparkAll();
  }

  removeSource(session: Session): void {
    this.#sources.delete(session);
    this.#sharing.removePeer(session);
    this.pump();
  }

  /** A peer says what it fetches, or what it has got of that. */
  noteSharing(session: Session, message: FetchingMessage | HaveMessage): void {
    this.#sharing.receive(session, message);
    this.pump();
  }

  /** A data channel to a source opened. Returns its asking side. */
  addChannel(session: Session, channel: Channel): FetchClient {
    const client = new FetchClient(channel);
    const state = this.#sources.get(session);
    state?.clients.push(client);
    void channel.ended.then(() => {
      const index = state?.clients.indexOf(client) ?? -1;
      if (index !== -1) state?.clients.splice(index, 1);
    });
    this.pump();
    return client;
  }

  /** Somebody said that it holds this path now. */
  unpark(path: RelativePath): void {
    const task = this.#parked.get(path);
    if (task === undefined) return this.#largeAt(path) === undefined ? undefined : this.pump();
    this.#parked.delete(path);
    this.addSmall(task);
  }

  unparkAll(): void {
    for (const [path, task] of this.#parked) this.#small.set(path, task);
    this.#parked.clear();
    this.pump();
  }

  /** No new requests until `resume` (the disk is full). */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#startLarge();
    this.pump();
  }

  /** Nothing more is asked for or staged; what is staged stays for the next run. Resolves when no job is under way. */
  async stop(): Promise<void> {
    this.#isPaused = true;
    await Promise.all([...this.#large.values()].map((fetch) => fetch.stop()));
  }

  /** Contents that staging may hold something of, for nobody; each is named once. */
  takeLeftStaged(): readonly ContentHash[] {
    const wanted = new Set([...this.#large.values(), ...this.#waitingLarge.values()].map((fetch) => fetch.contentId));
    const left = [...this.#leftStaged].filter((contentId) => !wanted.has(contentId));
    for (const contentId of left) this.#leftStaged.delete(contentId);
    return left;
  }

  /** Asks whoever has room for what is wanted. */
  pump(): void {
    if (this.#isPaused) return;
    let hasRoom = false;
    for (const state of this.#sources.values()) {
      while (state.window.isOpen && this.#askOnce(state));
      hasRoom ||= state.window.isOpen && this.#freestClient(state) !== undefined;
    }
    // Somebody could be asked for more, and still this is left.
    if (hasRoom && this.#small.size > 0) this.#parkUnservable();
  }

  #askOnce(state: SourceState): boolean {
    const { session } = state.source;
    const isWanted = this.#small.size > 0 || this.#neediest(state.source) !== undefined;
    if (!isWanted) return false;
    const client = this.#freestClient(state);
    if (client === undefined) {
      session.wantDataChannels(state.clients.length + 1);
      return false;
    }
    // More channels help when one alone has much to do.
    if (client.bytesOutstanding > REQUEST_BYTES) session.wantDataChannels(state.clients.length + 1);
    return this.#askForSmall(state, client) || this.#askForChunks(state, client);
  }

  #freestClient(state: SourceState): FetchClient | undefined {
    let freest: FetchClient | undefined;
    for (const client of state.clients) {
      if (client.isFree && (freest === undefined || client.bytesOutstanding < freest.bytesOutstanding)) freest = client;
    }
    return freest;
  }

  #askForSmall(state: SourceState, client: FetchClient): boolean {
    const tasks: SmallTask[] = [];
    let bytes = 0;
    let looked = 0;
    for (const task of this.#small.values()) {
      if (looked++ > LOOK_AHEAD || tasks.length >= REQUEST_ITEMS || bytes + task.size > REQUEST_BYTES) break;
      if (!state.source.mayHold(task.path)) continue;
      tasks.push(task);
      bytes += task.size;
    }
    if (tasks.length === 0) return false;
    for (const task of tasks) {
      this.#small.delete(task.path);
      this.#inFlight.set(task.path, task);
    }
    void this.#fetchSmall(state, client, tasks, bytes);
    return true;
  }

  async #fetchSmall(
    state: SourceState,
    client: FetchClient,
    tasks: readonly SmallTask[],
    bytes: number,
  ): Promise<void> {
    const weight = bytes + tasks.length * WINDOW_BYTES_PER_SMALL_FILE;
    state.window.take(weight);
    const items = tasks.map(({ path, contentId, size }) => ({
      path,
      contentId,
      offset: 0,
      length: size,
      hash: contentId,
    }));
    const answer = await this.#unlessSilent(client, client.fetch(items), ANSWER_SILENCE_MS_MAX);
    const arrived: { task: SmallTask; chunk: ChunkMessage }[] = [];
    for (const [index, task] of tasks.entries()) {
      // Cancelled or asked for anew meanwhile: this answer is of no use.
      if (this.#inFlight.get(task.path) !== task) continue;
      this.#inFlight.delete(task.path);
      const chunk = typeof answer === "string" ? undefined : answer[index];
      if (chunk !== undefined && chunk.encoding !== "gone") {
        arrived.push({ task, chunk });
        continue;
      }
      if (answer !== "lost") state.source.noteLacking(task.path);
      this.#small.set(task.path, task);
    }
    this.pump();
    if (arrived.length > 0) await this.#options.onSmall(arrived, state.source);
    state.window.give(weight);
    this.pump();
  }

  #startLarge(): void {
    if (this.#isPaused) return;
    for (const [path, fetch] of this.#waitingLarge) {
      if (this.#large.size >= LARGE_FETCHES_MAX) return;
      this.#waitingLarge.delete(path);
      this.#large.set(path, fetch);
      void this.#prepareLarge(fetch);
    }
  }

  async #prepareLarge(fetch: LargeFetch): Promise<void> {
    const stored = this.#options.store.manifest(fetch.contentId);
    if (stored !== undefined) fetch.acceptManifest(stored);
    if (fetch.hasManifest) await this.#useLocal(fetch);
    else this.pump();
  }

  async #useLocal(fetch: LargeFetch): Promise<void> {
    const { contentId } = fetch;
    const mayBeStaged = this.#leftStaged.delete(contentId) || this.#options.mayBeStaged(contentId);
    const problem = await fetch.useLocalChunks(mayBeStaged);
    this.#afterStaging(fetch, problem);
  }

  /** The large file that this source can do most for: the first one that still needs something. */
  #neediest(source: Source): LargeFetch | undefined {
    for (const fetch of this.#large.values()) {
      const mayHold = source.mayHold(fetch.path);
      const isNeedy = fetch.hasManifest
        ? fetch.hasWorkFor(source.session.peer.id, mayHold)
        : mayHold && !this.#askedManifests.has(fetch);
      if (isNeedy) return fetch;
    }
    return undefined;
  }

  readonly #askedManifests = new Set<LargeFetch>();

  #askForChunks(state: SourceState, client: FetchClient): boolean {
    const fetch = this.#neediest(state.source);
    if (fetch === undefined) return false;
    if (!fetch.hasManifest) void this.#fetchManifest(state, client, fetch);
    else {
      const { session } = state.source;
      const items = fetch.takeItems(REQUEST_BYTES, session.peer.id, state.source.mayHold(fetch.path));
      void this.#fetchChunks(state, client, fetch, items);
    }
    return true;
  }

  async #fetchManifest(state: SourceState, client: FetchClient, fetch: LargeFetch): Promise<void> {
    this.#askedManifests.add(fetch);
    const asked = client.fetchManifest(fetch.path, fetch.contentId);
    const manifest = await this.#unlessSilent(client, asked, ANSWER_SILENCE_MS_MAX);
    this.#askedManifests.delete(fetch);
    if (fetch.isCancelled) return;
    if (manifest === undefined || manifest === "stalled") state.source.noteLacking(fetch.path);
    else if (manifest !== "lost") {
      if (fetch.acceptManifest(manifest)) return this.#useLocal(fetch);
      state.source.session.close("protocol-error", "a manifest that is not what its content ID says");
    }
    this.pump();
  }

  async #fetchChunks(
    state: SourceState,
    client: FetchClient,
    fetch: LargeFetch,
    items: readonly FetchItem[],
  ): Promise<void> {
    const bytes = items.reduce((sum, item) => sum + item.length, 0);
    const { source } = state;
    state.window.take(bytes);
    const isHolder = source.mayHold(fetch.path);
    // A member may get into trouble itself, and what it has others can get.
    const silenceMsMax = isHolder ? ANSWER_SILENCE_MS_MAX : SHARED_FETCH_STALLED_MS;
    const answer = await this.#unlessSilent(client, client.fetch(items), silenceMsMax);
    if (answer === "stalled" && isHolder) source.noteLacking(fetch.path);
    else if (answer === "stalled") fetch.removeMember(source.session.peer.id);
    if (answer === "lost" || answer === "stalled" || fetch.isCancelled) {
      fetch.returnItems(items);
      state.window.give(bytes);
      this.pump();
      return;
    }
    const { problem, gone, wrong } = await fetch.receive(items, answer);
    state.window.give(bytes);
    if (gone) source.noteLacking(fetch.path);
    if (wrong) source.session.close("protocol-error", "a chunk that is not what its hash says");
    this.#afterStaging(fetch, problem);
  }

  /**
   * `stalled`: nothing at all has come on the channel for so long, while the session lives. Somebody else may have it; what
   * comes later is of no use.
   */
  #unlessSilent<Answer>(
    { channel }: FetchClient,
    answer: Promise<Answer>,
    silenceMsMax: number,
  ): Promise<Answer | "stalled"> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      let received = channel.bytesReceived;
      const check = (): void => {
        if (channel.bytesReceived === received) return resolve("stalled");
        received = channel.bytesReceived;
        timer = clock.after(silenceMsMax, check);
      };
      let timer = clock.after(silenceMsMax, check);
      void answer.then((value) => {
        timer.clear();
        resolve(value);
      });
    });
  }

  #afterStaging(fetch: LargeFetch, problem: Problem | undefined): void {
    if (fetch.isCancelled) return;
    if (problem !== undefined) {
      this.#endLarge(fetch);
      this.#options.onProblem(fetch.path, problem);
    } else if (fetch.isComplete) {
      this.#endLarge(fetch);
      this.#options.onLarge(fetch);
    }
    this.pump();
  }

  #endLarge(fetch: LargeFetch): void {
    fetch.isCancelled = true;
    if (this.#leftStaged.size < LEFT_STAGED_MAX) this.#leftStaged.add(fetch.contentId);
    this.#large.delete(fetch.path);
    this.#sharing.end(fetch);
    this.#startLarge();
  }

  #largeAt(path: RelativePath): LargeFetch | undefined {
    return this.#large.get(path) ?? this.#waitingLarge.get(path);
  }

  /** Sets aside small files that nobody who is connected holds, so that they do not hide others. */
  #parkUnservable(): void {
    let looked = 0;
    for (const [path, task] of this.#small) {
      if (looked++ > LOOK_AHEAD) return;
      let isServable = false;
      for (const { source } of this.#sources.values()) isServable ||= source.mayHold(path);
      if (isServable) continue;
      this.#small.delete(path);
      this.#parked.set(path, task);
    }
  }
}
