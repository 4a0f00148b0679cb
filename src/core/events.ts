// Everything that an instance tells the person who runs it, as one closed set of facts. `--json` prints them with
// these names and fields (`kind` becomes `event`), so they are a public interface: add, but do not rename.

import type { PeerId, ReplicaId } from "./ids.ts";

/** Why an instance pauses as a whole: the root is gone, the disk is full. */
export interface HaltReason {
  readonly reason: string;
  /** What makes it go on. */
  readonly remedy: string;
}

/** Where the instance stands, as often as it likes: reporters thin it out. */
export interface Progress {
  /** Files known of and not here yet. */
  readonly pendingFiles: number;
  readonly pendingBytes: number;
  /** Files and bytes that connected peers still lack. */
  readonly outgoingFiles: number;
  readonly outgoingBytes: number;
  /** Rates over the last moments. */
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
  /** True while the folder is being read for the first time or anew; `scannedFiles` counts up meanwhile. */
  readonly scanning: boolean;
  readonly scannedFiles: number;
  /** Live files and directories that are known. */
  readonly entries: number;
  /** Large files on their way here, a few at a time. */
  readonly transfers: readonly TransferProgress[];
  /** Where each connected peer stands. */
  readonly peers: readonly PeerProgress[];
}

/** One large file on its way here. */
export interface TransferProgress {
  /** Relative to the folder, not escaped. */
  readonly path: string;
  /** Verified and on this disk, in staging. */
  readonly doneBytes: number;
  readonly sizeBytes: number;
}

/** `pending`: what the peer still lacks. `comparing`: it and we do not know yet what differs. */
export interface PeerProgress {
  readonly id: PeerId;
  readonly state: "comparing" | "pending" | "in-sync";
  readonly pendingFiles: number;
  readonly pendingBytes: number;
}

/** How a path changed. `moved` carries where it was. */
export type Change = "added" | "edited" | "deleted" | "moved";

/** Paths are relative to the folder; names, paths, addresses and reasons are not escaped: printers do that. */
export type DsyncEvent =
  /** The folder did not exist and is created. `folder`: absolute. */
  | { readonly kind: "folder-created"; readonly folder: string }
  /** Everything is up: `port` is the one that is listened on. */
  | {
      readonly kind: "started";
      readonly folder: string;
      readonly share: string;
      readonly name: string;
      readonly port: number;
      readonly peerId: PeerId;
      readonly replicaId: ReplicaId;
      /** Where others can reach it by `-a`, as `192.168.1.20:9000`; none if the machine has no network. */
      readonly addresses: readonly string[];
      /** False with `--no-discovery`: others have to be named. */
      readonly discovery: boolean;
      /** True without a passphrase: everybody on the network may join. */
      readonly open: boolean;
    }
  /** The default port was taken, another is used. */
  | { readonly kind: "port-taken"; readonly wanted: number; readonly used: number }
  /** `address`: `192.168.1.20:9000` or `[fe80::1]:9000`. */
  | {
      readonly kind: "peer-joined";
      readonly id: PeerId;
      readonly name: string;
      readonly address: string;
      /** True for the first session with this identity since the instance was started. */
      readonly isFirst: boolean;
      /** Only with `--verify`: words of this session, which the peer shows, too, unless somebody is in between. */
      readonly verification?: string;
    }
  | { readonly kind: "peer-left"; readonly id: PeerId; readonly name: string; readonly reason: string }
  /** Another instance of the share announces itself. It is being dialled unless it is connected already. */
  | { readonly kind: "peer-found"; readonly id: PeerId; readonly name: string }
  /** It no longer announces itself. */
  | { readonly kind: "peer-lost"; readonly id: PeerId; readonly name: string }
  /** An address given with `-a` is being dialled, and will be until it answers. */
  | { readonly kind: "peer-sought"; readonly address: string }
  /** An address did not answer; it is tried again. */
  | { readonly kind: "peer-unreachable"; readonly address: string; readonly reason: string }
  /** Somebody could not become a peer: another share, a wrong passphrase, an address that is not local. */
  | {
      readonly kind: "peer-refused";
      readonly address: string;
      readonly reason: string;
      /** `passphrase`, `other-share`, …: the kind of reason, for scripts. */
      readonly code: string;
    }
  /** A path changed: `by` is the friendly name of who did it, `isLocal` whether that was in this folder. */
  | {
      readonly kind: "changed";
      readonly path: string;
      readonly change: Change;
      /** Only for `moved`. */
      readonly from?: string;
      readonly by: string;
      readonly isLocal: boolean;
    }
  /** Two people changed `path` at once; `author`'s content is kept at `conflictPath`. */
  | { readonly kind: "conflict"; readonly path: string; readonly conflictPath: string; readonly author: string }
  /** A path is skipped, and tried again. */
  | { readonly kind: "problem"; readonly path: string; readonly reason: string }
  | { readonly kind: "problem-solved"; readonly path: string }
  | ({ readonly kind: "progress" } & Progress)
  /** Nothing is pending, here or at any connected peer. `merkleRoot`: hex. */
  | { readonly kind: "in-sync"; readonly merkleRoot: string; readonly peers: number }
  | ({ readonly kind: "halted" } & HaltReason)
  | { readonly kind: "resumed" }
  /** Something is not as it should be, and dsync goes on. */
  | { readonly kind: "warning"; readonly message: string }
  /** What ends the instance, right before it ends. */
  | { readonly kind: "failed"; readonly message: string }
  /** Only shown with `--verbose`. */
  | { readonly kind: "debug"; readonly message: string }
  | { readonly kind: "stopping" }
  | { readonly kind: "stopped" };
