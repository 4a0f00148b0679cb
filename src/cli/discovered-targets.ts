// What is dialled of what discovery finds: instances of our share that speak our protocol. Says who is there, too.

import type { DsyncEvent } from "../core/events.ts";
import type { PeerId } from "../core/ids.ts";
import type { Candidate } from "../discovery/candidates.ts";
import type { DiscoveredPeer, DiscoveryEvent } from "../discovery/peer-table.ts";
import { isLocalAddress } from "../pool/address.ts";
import type { Pool } from "../pool/pool.ts";

export interface DiscoveredTargetsOptions {
  readonly targets: Pick<Pool, "addTarget" | "removeTarget">;
  /** See service-records.ts. */
  readonly ownShareHash: string;
  readonly ownVersion: number;
  readonly allowRemote: boolean;
  readonly emit: (event: DsyncEvent) => void;
}

/** Every peer in it is one that discovery holds, so discovery's bound is its own. */
export class DiscoveredTargets {
  readonly #options: DiscoveredTargetsOptions;
  readonly #peers = new Map<PeerId, { readonly name: string; readonly dialled: readonly Candidate[] }>();

  constructor(options: DiscoveredTargetsOptions) {
    this.#options = options;
  }

  note(event: DiscoveryEvent): void {
    if (event.kind === "found") return this.#noteFound(event.peer);
    const known = this.#peers.get(event.peerId);
    if (known === undefined) return;
    this.#peers.delete(event.peerId);
    this.#remove(event.peerId, known.dialled);
    this.#options.emit({ kind: "peer-lost", id: event.peerId, name: known.name });
  }

  #noteFound({ peerId, name, shareHash, version, candidates }: DiscoveredPeer): void {
    const { targets, ownShareHash, ownVersion, emit } = this.#options;
    if (shareHash !== ownShareHash) return;
    if (version !== ownVersion) {
      return emit({ kind: "debug", message: `${name} speaks protocol version ${version}, not ${ownVersion}` });
    }
    if (this.#peers.get(peerId)?.name !== name) emit({ kind: "peer-found", id: peerId, name });
    const before = this.#peers.get(peerId)?.dialled ?? [];
    const dialled = this.#worthDialling(candidates);
    this.#peers.set(peerId, { name, dialled });
    for (const { host, port } of dialled) targets.addTarget({ host, port, peerId, source: "discovery" });
    // Afterwards: a peer without any target would have its running dial cut off.
    this.#remove(
      peerId,
      before.filter((old) => !dialled.some(({ host, port }) => old.host === host && old.port === port)),
    );
  }

  /** Of a machine with local and public addresses the local ones do. One that has only others is tried, and refused aloud. */
  #worthDialling(candidates: readonly Candidate[]): readonly Candidate[] {
    if (this.#options.allowRemote) return candidates;
    const local = candidates.filter(({ host }) => isLocalAddress(host));
    return local.length > 0 ? local : candidates;
  }

  #remove(peerId: PeerId, candidates: readonly Candidate[]): void {
    for (const { host, port } of candidates)
      this.#options.targets.removeTarget({ host, port, peerId, source: "discovery" });
  }
}
