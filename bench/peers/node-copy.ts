// The floor: a naive copier of a hundred lines in two Node processes over TCP. What plain Node costs, without anything
// that makes a sync of it.

import { fileURLToPath } from "node:url";
import { Daemon, freePort, run, type Peer, type ServeOptions, type Server } from "./peer.ts";

const PROGRAM = fileURLToPath(new URL("./node-copy-process.js", import.meta.url));

export const nodeCopy: Peer = {
  against: "floor",
  label: "a plain copier in Node",
  programs: ["node"],
  version: [process.execPath, "--version"],
  packages: "nodejs",
  isSlow: false,
  serve,
};

async function serve({ source }: ServeOptions): Promise<Server> {
  const port = await freePort();
  const daemon = new Daemon([process.execPath, PROGRAM, "send", `${port}`, source]);
  await daemon.listensOn(port);
  return {
    fetch: (target) => run([process.execPath, PROGRAM, "receive", `${port}`, target]),
    stop: () => daemon.stop(),
  };
}
