// All that dsync is measured against.

import { copy } from "./copy.ts";
import { isInstalled, type Peer } from "./peer.ts";
import { nodeCopy } from "./node-copy.ts";
import { rsyncDaemon } from "./rsync-daemon.ts";
import { rsyncSsh } from "./rsync-ssh.ts";
import { syncthing } from "./syncthing.ts";
import { unison } from "./unison.ts";

export const PEERS: readonly Peer[] = [copy, nodeCopy, rsyncDaemon, rsyncSsh, unison, syncthing];

/** Those that can be measured here. */
export function installedPeers(): readonly Peer[] {
  return PEERS.filter(canRun);
}

/** One line for each that cannot be. */
export function missingPeers(): readonly string[] {
  return PEERS.filter((peer) => !canRun(peer)).map(
    ({ label, packages }) => `Not measured: ${label}. To install it: apt-get install -y ${packages}`,
  );
}

/** True if all that it needs is installed. */
export function canRun({ programs }: Peer): boolean {
  return programs.every(isInstalled);
}
