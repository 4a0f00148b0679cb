// What the commands beside a running instance show: plain values that survive JSON. `--json` prints them as they are,
// so their field names are a public interface.

/** `dsync status`. */
export interface StatusReport {
  /** False: read from the index alone; then there are no peers and nobody to be in sync with. */
  readonly running: boolean;
  /** Absolute. */
  readonly folder: string;
  readonly share: string;
  /** Friendly name of the instance; `null` if none is running. */
  readonly name: string | null;
  /** TCP port; `null` if no instance is running. */
  readonly port: number | null;
  readonly replicaId: string;
  /** Hex: of this run; `null` if no instance is running. */
  readonly peerId: string | null;
  /** Hex: equal on two replicas means equal folders. */
  readonly merkleRoot: string;
  /** True if nothing is pending here and every connected peer has the same Merkle root and nothing pending. */
  readonly inSync: boolean;
  readonly peers: readonly PeerReport[];
  /** What is to come to this folder. */
  readonly pending: Pending;
  /** What connected peers still lack, all together. */
  readonly outgoing: Pending;
  /** Paths that are skipped for now. */
  readonly failed: readonly FailedPath[];
  /** How many conflict copies there are. */
  readonly conflicts: number;
  /** Why everything pauses (disk full, folder gone); `null` if it does not. */
  readonly halted: string | null;
  /** Live files, directories and symlinks that are known. */
  readonly entries: number;
  /** Bytes on the network since the start, everything included. */
  readonly traffic: TrafficReport;
  /** The last that could not become peers, the newest last. */
  readonly refused: readonly RefusedReport[];
}

/** Somebody who could not become a peer. */
export interface RefusedReport {
  /** `192.168.1.20:9000`: where it came from, or where it was dialled. */
  readonly address: string;
  readonly reason: string;
}

export interface TrafficReport {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface Pending {
  readonly files: number;
  readonly bytes: number;
}

export interface PeerReport {
  /** Peer ID in hex. */
  readonly id: string;
  readonly name: string;
  /** `192.168.1.20:9000` or `[fe80::1]:9000`. */
  readonly address: string;
  readonly inSync: boolean;
  /** What the peer still lacks. */
  readonly pending: Pending;
  /** With `--verify`, the words of this session: the peer shows them, too, unless somebody is in between. */
  readonly verification: string | null;
}

export interface FailedPath {
  readonly path: string;
  readonly reason: string;
}

/** One conflict copy: `dsync conflicts`. */
export interface ConflictReport {
  /** Where the copy is, relative to the folder. */
  readonly path: string;
  /** The path that two people changed at once. */
  readonly original: string;
  /** Friendly name of the instance whose content this is. */
  readonly author: string;
  /** When that content was made: ISO 8601, UTC. */
  readonly time: string;
  /** Bytes. */
  readonly size: number;
}

/** One file or symlink in the trash: `dsync trash list`. */
export interface TrashItem {
  /** Names it for `dsync trash restore`: its batch and path, relative to `.dsync/trash/`. */
  readonly item: string;
  /** Where it was, relative to the folder. */
  readonly path: string;
  /** When it was replaced or deleted: ISO 8601, UTC. */
  readonly time: string;
  readonly kind: "file" | "symlink";
  /** Bytes. */
  readonly size: number;
}

/** What became of one item that was to be brought back. */
export type RestoreOutcome =
  /** `path`: where it is now, relative to the folder; not its old path if that is taken. */
  | { readonly item: string; readonly restored: true; readonly path: string }
  | { readonly item: string; readonly restored: false; readonly reason: string };

/** What emptying the trash removed. */
export interface EmptyTrashReport {
  readonly files: number;
  readonly bytes: number;
  /** What could not be removed. */
  readonly failed: readonly FailedPath[];
}

/** Whether a path is ignored, and by which line: `dsync ignore test`. */
export interface IgnoreReport {
  readonly path: string;
  readonly ignored: boolean;
  /** The line that decided; `null` if none matches. */
  readonly rule: IgnoreRuleReport | null;
}

export interface IgnoreRuleReport {
  readonly pattern: string;
  /** `.dsyncignore`, `--exclude`, `built in`. */
  readonly source: string;
  /** Counted from 1; `null` where there are no lines. */
  readonly line: number | null;
}

/** `dsync service status`, and what `service install` made. */
export interface ServiceReport {
  /** Absolute. */
  readonly folder: string;
  /** Its name for the system's service manager. */
  readonly service: string;
  /** The file that describes it, absolute. */
  readonly file: string;
  readonly installed: boolean;
  readonly running: boolean;
  /** In the service manager's words. */
  readonly state: string;
}
