// `dsync status` of a folder on which nothing runs: what the index says.

import type { StatusReport } from "../core/reports.ts";
import type { IndexStore } from "../index/index-store.ts";
import { Ledger } from "../index/ledger.ts";
import { ConflictList } from "./conflict-list.ts";

export async function stoppedStatus(folder: string, share: string, store: IndexStore): Promise<StatusReport> {
  const { pending } = new Ledger(store);
  return {
    running: false,
    folder,
    share,
    name: null,
    port: null,
    replicaId: store.replicaId,
    peerId: null,
    merkleRoot: Buffer.from(store.merkle.root()).toString("hex"),
    inSync: false,
    peers: [],
    pending,
    outgoing: { files: 0, bytes: 0 },
    failed: [],
    conflicts: await new ConflictList(store).count(),
    halted: null,
    entries: store.liveCount,
    traffic: { sentBytes: 0, receivedBytes: 0 },
    refused: [],
  };
}
