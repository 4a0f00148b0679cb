// Who fetches the same large contents as this instance, and what each of them was told of it (ChunkPicker says who then
// asks whom for what).

import type { ContentHash } from "../core/ids.ts";
import { HAVE_CHUNKS_MAX } from "../core/limits.ts";
import type { FetchingMessage, HaveMessage } from "../pool/messages.ts";
import type { Session } from "../pool/session.ts";
import type { LargeFetch } from "./large-fetch.ts";
import type { Source } from "./source.ts";

interface Peer {
  readonly source: Source;
  /** The large contents that it fetches, as it says. */
  fetching: ReadonlySet<ContentHash>;
  /** What it was told of ours. */
  toldFetching: string;
  /** How many staged chunks of each it was told of. */
  readonly toldChunks: Map<ContentHash, number>;
}

export class Sharing {
  readonly #peers = new Map<Session, Peer>();
  /** The large fetches that are under way. */
  readonly #fetches: () => Iterable<LargeFetch>;

  constructor(fetches: () => Iterable<LargeFetch>) {
    this.#fetches = fetches;
  }

  addPeer(source: Source): void {
    this.#peers.set(source.session, { source, fetching: new Set(), toldFetching: "", toldChunks: new Map() });
  }

  removePeer(session: Session): void {
    this.#peers.delete(session);
    for (const fetch of this.#fetches()) fetch.removeMember(session.peer.id);
  }

  /** A peer says what it fetches, or what it has got of that. */
  receive(session: Session, message: FetchingMessage | HaveMessage): void {
    const peer = this.#peers.get(session);
    if (peer === undefined) return;
    if (message.type === "fetching") return this.#noteFetching(peer, new Set(message.contentIds));
    for (const fetch of this.#fetches()) {
      if (fetch.contentId === message.contentId) fetch.noteHad(session.peer.id, message.chunks);
    }
  }

  /** It is known which chunks of a content have to come from peers. */
  begin(fetch: LargeFetch): void {
    if (!fetch.isShared) return;
    for (const { source, fetching } of this.#peers.values()) {
      if (fetching.has(fetch.contentId)) fetch.addMember(source.session.peer.id);
    }
    this.#tellFetching();
  }

  /** Tells whoever fetches the same which chunks are here. What a peer does not take now it hears with the next ones. */
  tellChunks(fetch: LargeFetch): void {
    const { contentId } = fetch;
    if (!fetch.isShared || fetch.isCancelled) return;
    for (const { source, fetching, toldChunks } of this.#peers.values()) {
      if (!fetching.has(contentId)) continue;
      const { control } = source.session;
      const told = toldChunks.get(contentId) ?? 0;
      const untold = fetch.stagedAfter(told);
      let at = 0;
      for (; at < untold.length && !control.isCongested; at += HAVE_CHUNKS_MAX) {
        control.send({ type: "have", contentId, chunks: untold.slice(at, at + HAVE_CHUNKS_MAX) });
      }
      toldChunks.set(contentId, told + Math.min(at, untold.length));
    }
  }

  /** It is no longer among those under way. */
  end(fetch: LargeFetch): void {
    for (const { toldChunks } of this.#peers.values()) toldChunks.delete(fetch.contentId);
    if (fetch.isShared) this.#tellFetching();
  }

  #noteFetching(peer: Peer, contentIds: ReadonlySet<ContentHash>): void {
    const { id } = peer.source.session.peer;
    const before = peer.fetching;
    peer.fetching = contentIds;
    for (const fetch of this.#fetches()) {
      if (!fetch.isShared) continue;
      if (contentIds.has(fetch.contentId)) fetch.addMember(id);
      else if (before.has(fetch.contentId)) fetch.removeMember(id);
    }
    this.#tellFetching();
  }

  /** Tells each peer what it may be fetching as well. */
  #tellFetching(): void {
    for (const peer of this.#peers.values()) {
      const { source, fetching } = peer;
      const contentIds = [...this.#fetches()]
        .filter((fetch) => fetch.isShared && (fetching.has(fetch.contentId) || !source.mayHold(fetch.path)))
        .map((fetch) => fetch.contentId);
      const told = contentIds.join(" ");
      if (told === peer.toldFetching) continue;
      peer.toldFetching = told;
      source.session.control.send({ type: "fetching", contentIds });
    }
    for (const fetch of this.#fetches()) this.tellChunks(fetch);
  }
}
