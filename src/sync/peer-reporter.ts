// Tells a person what the pool reports of peers: who joined, left, could not be reached or was refused.

import type { DsyncEvent } from "../core/events.ts";
import { REFUSED_LISTED_MAX } from "../core/limits.ts";
import type { RefusedReport } from "../core/reports.ts";
import { formatAddress } from "../pool/address.ts";
import type { PoolEvent } from "../pool/pool-events.ts";
import { Acquaintances } from "./acquaintances.ts";

export interface PeerReporterOptions {
  /** Says a session's verification value (handshake/verification.ts) in words; `undefined`: nobody asked for them. */
  readonly sayVerification: ((verification: Uint8Array) => string) | undefined;
  readonly emit: (event: DsyncEvent) => void;
}

export class PeerReporter {
  readonly #options: PeerReporterOptions;
  readonly #acquaintances = new Acquaintances();
  #refused: readonly RefusedReport[] = [];

  constructor(options: PeerReporterOptions) {
    this.#options = options;
  }

  /** The last that could not become peers, the newest last. */
  get refused(): readonly RefusedReport[] {
    return this.#refused;
  }

  note(event: PoolEvent): void {
    const { emit, sayVerification } = this.#options;
    switch (event.type) {
      case "session-opened": {
        const { id, name, remote } = event.peer;
        const address = formatAddress(remote.host, remote.port);
        const isFirst = this.#acquaintances.meet(id);
        const verification = sayVerification?.(event.verification);
        const words = verification === undefined ? {} : { verification };
        return emit({ kind: "peer-joined", id, name, address, isFirst, ...words });
      }
      case "session-ended": {
        const { id, name } = event.peer;
        return emit({
          kind: "peer-left",
          id,
          name,
          reason: event.end.detail === "" ? event.end.code : event.end.detail,
        });
      }
      case "refused": {
        const refused = { address: formatAddress(event.host, event.port), reason: event.detail };
        this.#refused = [...this.#refused, refused].slice(-REFUSED_LISTED_MAX);
        return emit({ kind: "peer-refused", ...refused, code: event.reason });
      }
      case "dial-failed":
        return emit({
          kind: "peer-unreachable",
          address: formatAddress(event.host, event.port),
          reason: event.detail,
        });
    }
  }
}
