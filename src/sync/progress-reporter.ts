// Tells where this instance stands, a few times a second for as long as something is missing here or at a peer, and once
// when nothing is any more.

import type { DsyncEvent, Progress } from "../core/events.ts";
import type { Clock } from "../edge/clock.ts";
import type { Traffic } from "../edge/counting-network.ts";
import type { Ledger } from "../index/ledger.ts";
import type { Puller } from "../transfer/puller.ts";
import type { Scanner } from "../watch/scanner.ts";
import { outgoingOf, peerProgress } from "./peer-standing.ts";
import { ProgressMeter } from "./progress-meter.ts";
import type { Replica } from "./replica.ts";

export interface ProgressReporterOptions {
  readonly ledger: Ledger;
  readonly replica: Pick<Replica, "conversations">;
  readonly puller: Pick<Puller, "largeFetches">;
  readonly scanner: Pick<Scanner, "isQuiet" | "isScanning" | "scannedFiles">;
  readonly clock: Clock;
  readonly traffic: () => Traffic;
  readonly emit: (event: DsyncEvent) => void;
  /** It was told that nothing is missing. */
  readonly onInSync: () => void;
}

/** How often `progress` and `in-sync` are considered. */
const PROGRESS_INTERVAL_MS = 250;

export class ProgressReporter {
  readonly #options: ProgressReporterOptions;
  readonly #meter: ProgressMeter;
  #isDue = false;
  #wasInSync = false;
  #isStopped = false;

  constructor(options: ProgressReporterOptions) {
    this.#options = options;
    this.#meter = new ProgressMeter(options.clock, options.traffic);
  }

  /** Nothing is pending here or at any connected peer, if there is one, and nothing is being looked at. */
  get isInSync(): boolean {
    const { ledger, replica, scanner } = this.#options;
    return (
      ledger.pending.files === 0 &&
      scanner.isQuiet &&
      replica.conversations.every((conversation) => conversation.isInSync)
    );
  }

  /** Something may have changed. */
  note(): void {
    if (this.#isDue || this.#isStopped) return;
    this.#isDue = true;
    this.#options.clock.after(PROGRESS_INTERVAL_MS, () => {
      this.#isDue = false;
      if (!this.#isStopped) this.#tell();
    });
  }

  stop(): void {
    this.#isStopped = true;
  }

  #tell(): void {
    const { ledger, replica, emit, onInSync } = this.#options;
    emit({ kind: "progress", ...this.#progress() });
    const { isInSync } = this;
    const peers = replica.conversations.length;
    if (isInSync && !this.#wasInSync && peers > 0) {
      const merkleRoot = Buffer.from(ledger.store.merkle.root()).toString("hex");
      emit({ kind: "in-sync", merkleRoot, peers });
    }
    this.#wasInSync = isInSync && peers > 0;
    if (isInSync) onInSync();
    else this.note();
  }

  #progress(): Progress {
    const { ledger, replica, puller, scanner } = this.#options;
    const { files, bytes } = ledger.pending;
    const fetches = [...puller.largeFetches];
    const stagedBytes = fetches.reduce((sum, { bytesDone }) => sum + bytesDone, 0);
    const outgoing = outgoingOf(replica.conversations);
    return {
      pendingFiles: files,
      pendingBytes: Math.max(0, bytes - stagedBytes),
      outgoingFiles: outgoing.files,
      outgoingBytes: outgoing.bytes,
      ...this.#meter.rates(),
      scanning: scanner.isScanning,
      scannedFiles: scanner.scannedFiles,
      entries: ledger.store.liveCount,
      transfers: fetches.map(({ path, size, bytesDone }) => ({ path, doneBytes: bytesDone, sizeBytes: size })),
      peers: replica.conversations.map(peerProgress),
    };
  }
}
