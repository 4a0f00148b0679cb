// Which peers discovery believes to be there: a bounded memory of announcements over all interfaces. Pure: time comes in.

import type { PeerId } from "../core/ids.ts";
import { DISCOVERED_PEERS_MAX, PEER_CANDIDATES_MAX } from "../core/limits.ts";
import { sortCandidates, type Candidate } from "./candidates.ts";
import type { FoundService } from "./parse-services.ts";

/** A peer as it announces itself. Nothing of it is proven before the handshake. */
export interface DiscoveredPeer {
  readonly peerId: PeerId;
  /** Of any characters: escape it before printing. */
  readonly name: string;
  readonly shareHash: string;
  readonly version: number;
  /** At least one; the best first. */
  readonly candidates: readonly Candidate[];
}

export type DiscoveryEvent =
  /** Comes once, and again when there are new candidates. */
  { readonly kind: "found"; readonly peer: DiscoveredPeer } | { readonly kind: "lost"; readonly peerId: PeerId };

/** One announcement, heard on one interface. */
export interface Sighting {
  readonly service: FoundService;
  readonly interface: string;
  readonly candidates: readonly Candidate[];
  readonly nowMs: number;
}

interface KnownPeer {
  readonly service: FoundService;
  /** By interface: the newest announcement counts. */
  readonly places: Map<string, { readonly candidates: readonly Candidate[]; readonly expiresMs: number }>;
}

/**
 * Invariants:
 * 1. At most {@link DISCOVERED_PEERS_MAX} peers; each has at least one place, each place at least one candidate.
 * 2. Events of one peer alternate: `found`, perhaps more `found`, then `lost`.
 * 3. No two peers share an address and port on one interface: the newer one has taken the older one's place.
 */
export class PeerTable {
  readonly #peers = new Map<PeerId, KnownPeer>();

  get size(): number {
    return this.#peers.size;
  }

  record({ service, interface: name, candidates, nowMs }: Sighting): readonly DiscoveryEvent[] {
    // An instance leaves all networks at once, so one goodbye is enough.
    if (service.ttlSeconds === 0) return this.#forget(service.peerId);
    if (candidates.length === 0) return [];
    const known = this.#peers.get(service.peerId);
    const events = [...this.#replace(service.peerId, name, candidates)];
    if (known === undefined && this.#peers.size >= DISCOVERED_PEERS_MAX) return events;

    const before = known === undefined ? undefined : peerOf(known);
    const places = known?.places ?? new Map<string, never>();
    const peer: KnownPeer = { service, places };
    peer.places.set(name, { candidates, expiresMs: nowMs + service.ttlSeconds * 1000 });
    this.#peers.set(service.peerId, peer);
    const after = peerOf(peer);
    if (before === undefined || hasNews(before, after)) events.push({ kind: "found", peer: after });
    return events;
  }

  /** Forgets announcements whose time is over. */
  expire(nowMs: number): readonly DiscoveryEvent[] {
    return this.#forgetPlaces((_, expiresMs) => expiresMs <= nowMs);
  }

  /** Forgets what was heard on an interface that is gone. */
  forgetInterface(name: string): readonly DiscoveryEvent[] {
    return this.#forgetPlaces((place) => place === name);
  }

  /** A restarted instance has a new identity at its old address, and the old one did not always say goodbye. */
  #replace(peerId: PeerId, name: string, candidates: readonly Candidate[]): readonly DiscoveryEvent[] {
    const events: DiscoveryEvent[] = [];
    for (const [otherId, other] of this.#peers) {
      if (otherId === peerId) continue;
      const held = other.places.get(name)?.candidates ?? [];
      if (held.some((one) => candidates.some((two) => one.host === two.host && one.port === two.port))) {
        events.push(...this.#forget(otherId));
      }
    }
    return events;
  }

  #forgetPlaces(isOver: (name: string, expiresMs: number) => boolean): readonly DiscoveryEvent[] {
    const events: DiscoveryEvent[] = [];
    for (const [peerId, { places }] of this.#peers) {
      for (const [name, { expiresMs }] of places) if (isOver(name, expiresMs)) places.delete(name);
      if (places.size === 0) events.push(...this.#forget(peerId));
    }
    return events;
  }

  #forget(peerId: PeerId): readonly DiscoveryEvent[] {
    return this.#peers.delete(peerId) ? [{ kind: "lost", peerId }] : [];
  }
}

function peerOf({ service, places }: KnownPeer): DiscoveredPeer {
  const { peerId, name, shareHash, version } = service;
  const all = [...places.values()].flatMap((place) => place.candidates);
  return {
    peerId,
    name,
    shareHash,
    version,
    candidates: sortCandidates(all).slice(0, PEER_CANDIDATES_MAX),
  };
}

function hasNews(before: DiscoveredPeer, after: DiscoveredPeer): boolean {
  if (before.name !== after.name || before.shareHash !== after.shareHash || before.version !== after.version)
    return true;
  const keyOf = ({ host, port, interface: name }: Candidate): string => `${host} ${port} ${name}`;
  const keys = new Set(before.candidates.map(keyOf));
  return after.candidates.some((candidate) => !keys.has(keyOf(candidate)));
}
