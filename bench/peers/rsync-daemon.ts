// rsync from its own daemon: no encryption, no index.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Daemon, freePort, LOOPBACK, run, type Peer, type ServeOptions, type Server } from "./peer.ts";

export const rsyncDaemon: Peer = {
  against: "rsync",
  label: "rsync from its daemon",
  programs: ["rsync"],
  version: ["rsync", "--version"],
  packages: "rsync",
  isSlow: false,
  serve: serveRsync,
};

/** Compresses what it sends: only over a slow line, where that pays. */
export const rsyncCompressed: Peer = {
  ...rsyncDaemon,
  against: "rsync-z",
  label: "rsync -z from its daemon",
  serve: (options) => serveRsync({ ...options, compress: true }),
};

interface RsyncOptions extends ServeOptions {
  /** `-z`. */
  readonly compress?: boolean;
}

export async function serveRsync({ source, scratch, place = LOOPBACK, compress }: RsyncOptions): Promise<Server> {
  const port = await freePort();
  const config = join(scratch, "rsyncd.conf");
  const isRoot = process.getuid?.() === 0;
  const lines = [
    `port = ${port}`,
    `address = ${place.address}`,
    "use chroot = no",
    "log file = /dev/null",
    "[folder]",
    `path = ${source}`,
    "read only = yes",
    ...(isRoot ? ["uid = 0", "gid = 0"] : []),
  ];
  writeFileSync(config, lines.map((line) => `${line}\n`).join(""));
  const daemon = new Daemon([...place.server, "rsync", "--daemon", "--no-detach", `--config=${config}`]);
  await daemon.listensOn(port);
  const at = await place.reach(port);
  const flags = compress === true ? "-az" : "-a";
  return {
    fetch: (target) => run([...place.client, "rsync", flags, `rsync://${at.host}:${at.port}/folder/`, target]),
    stop: () => daemon.stop(),
  };
}
