// What has to come from peers, and who is asked for what. Pulled by us: every request fits the peer's window.
//
// Small files (one chunk) go first, in batches, so that a person's save is not stuck behind a disk image; large ones
// share what is left of the window. Whoever has room takes the next work, so several peers share it by themselves.

import type { ContentHash } from "../core/ids.ts";
import {
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
import { FetchSource } from "./fetch-source.ts";
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

export class FetchQueue {
  readonly #options: FetchQueueOptions;
  readonly #sources = new Map<Session, FetchSource>();
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
    this.#sources.set(source.session, new FetchSource(source, window, this.#options.clock));
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
    const from = this.#sources.get(session);
    from?.add(client);
    void channel.ended.then(() => from?.remove(client));
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
    for (const from of this.#sources.values()) {
      while (from.window.isOpen && this.#askOnce(from));
      hasRoom ||= from.window.isOpen && from.freestClient !== undefined;
    }
    // Somebody could be asked for more, and still this is left.
    if (hasRoom && this.#small.size > 0) this.#parkUnservable();
  }

  #askOnce(from: FetchSource): boolean {
    const { session } = from.source;
    const isWanted = this.#small.size > 0 || this.#neediest(from) !== undefined;
    if (!isWanted) return false;
    const client = from.freestClient;
    if (client === undefined) {
      session.wantDataChannels(from.channels + 1);
      return false;
    }
    // More channels help when one alone has much to do.
    if (client.bytesOutstanding > REQUEST_BYTES) session.wantDataChannels(from.channels + 1);
    return this.#askForSmall(from, client) || this.#askForChunks(from, client);
  }

  /** Who is silent is not asked for what others may have. */
  #mayAsk(from: FetchSource, path: RelativePath): boolean {
    return from.source.mayHold(path) && !(from.isSilent && this.#isElsewhere(from, path));
  }

  /** True if somebody else, who is not silent, may have it. */
  #isElsewhere(than: FetchSource, path: RelativePath): boolean {
    for (const other of this.#sources.values()) {
      if (other !== than && !other.isSilent && other.source.mayHold(path)) return true;
    }
    return false;
  }

  #askForSmall(from: FetchSource, client: FetchClient): boolean {
    const tasks: SmallTask[] = [];
    let bytes = 0;
    let looked = 0;
    for (const task of this.#small.values()) {
      if (looked++ > LOOK_AHEAD || tasks.length >= REQUEST_ITEMS || bytes + task.size > REQUEST_BYTES) break;
      if (!this.#mayAsk(from, task.path)) continue;
      tasks.push(task);
      bytes += task.size;
    }
    if (tasks.length === 0) return false;
    for (const task of tasks) {
      this.#small.delete(task.path);
      this.#inFlight.set(task.path, task);
    }
    void this.#fetchSmall(from, client, tasks, bytes);
    return true;
  }

  async #fetchSmall(from: FetchSource, client: FetchClient, tasks: readonly SmallTask[], bytes: number): Promise<void> {
    const weight = bytes + tasks.length * WINDOW_BYTES_PER_SMALL_FILE;
    from.window.take(weight);
    const items = tasks.map(({ path, contentId, size }) => ({
      path,
      contentId,
      offset: 0,
      length: size,
      hash: contentId,
    }));
    const isElsewhere = (): boolean => tasks.every(({ path }) => this.#isElsewhere(from, path));
    const answer = await from.unlessSilent(client, client.fetch(items), { isElsewhere });
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
      if (answer !== "lost" && answer !== "silent") from.source.noteLacking(task.path);
      this.#small.set(task.path, task);
    }
    this.pump();
    if (arrived.length > 0) await this.#options.onSmall(arrived, from.source);
    from.window.give(weight);
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
  #neediest(from: FetchSource): LargeFetch | undefined {
    const { source } = from;
    for (const fetch of this.#large.values()) {
      const mayHold = this.#mayAsk(from, fetch.path);
      const isNeedy = fetch.hasManifest
        ? fetch.hasWorkFor(source.session.peer.id, mayHold)
        : mayHold && !this.#askedManifests.has(fetch);
      if (isNeedy) return fetch;
    }
    return undefined;
  }

  readonly #askedManifests = new Set<LargeFetch>();

  #askForChunks(from: FetchSource, client: FetchClient): boolean {
    const fetch = this.#neediest(from);
    if (fetch === undefined) return false;
    if (!fetch.hasManifest) void this.#fetchManifest(from, client, fetch);
    else {
      const { session } = from.source;
      const items = fetch.takeItems(REQUEST_BYTES, session.peer.id, this.#mayAsk(from, fetch.path));
      void this.#fetchChunks(from, client, fetch, items);
    }
    return true;
  }

  async #fetchManifest(from: FetchSource, client: FetchClient, fetch: LargeFetch): Promise<void> {
    this.#askedManifests.add(fetch);
    const asked = client.fetchManifest(fetch.path, fetch.contentId);
    const isElsewhere = (): boolean => this.#isElsewhere(from, fetch.path);
    const manifest = await from.unlessSilent(client, asked, { isElsewhere });
    this.#askedManifests.delete(fetch);
    if (fetch.isCancelled) return;
    if (manifest === undefined || manifest === "stalled") from.source.noteLacking(fetch.path);
    else if (manifest !== "lost" && manifest !== "silent") {
      if (fetch.acceptManifest(manifest)) return this.#useLocal(fetch);
      from.source.session.close("protocol-error", "a manifest that is not what its content ID says");
    }
    this.pump();
  }

  async #fetchChunks(
    from: FetchSource,
    client: FetchClient,
    fetch: LargeFetch,
    items: readonly FetchItem[],
  ): Promise<void> {
    const bytes = items.reduce((sum, item) => sum + item.length, 0);
    const { source } = from;
    from.window.take(bytes);
    const isHolder = source.mayHold(fetch.path);
    // A member may get into trouble itself, and what it has others can get.
    const patience = isHolder
      ? { isElsewhere: () => this.#isElsewhere(from, fetch.path) }
      : { silenceMsMax: SHARED_FETCH_STALLED_MS };
    const answer = await from.unlessSilent(client, client.fetch(items), patience);
    if (answer === "stalled" && isHolder) source.noteLacking(fetch.path);
    else if (answer === "stalled") fetch.removeMember(source.session.peer.id);
    if (answer === "lost" || answer === "stalled" || answer === "silent" || fetch.isCancelled) {
      fetch.returnItems(items);
      from.window.give(bytes);
      this.pump();
      return;
    }
    const { problem, gone, wrong } = await fetch.receive(items, answer);
    from.window.give(bytes);
    if (gone) source.noteLacking(fetch.path);
    if (wrong) source.session.close("protocol-error", "a chunk that is not what its hash says");
    this.#afterStaging(fetch, problem);
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
