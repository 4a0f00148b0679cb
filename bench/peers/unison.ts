// Unison with its socket server: no encryption. Both sides start without archives, so each first sync reads both sides.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  Daemon,
  freePort,
  isInstalled,
  run,
  type KeepOptions,
  type Peer,
  type ServeOptions,
  type Server,
} from "./peer.ts";

/** Debian 12 leaves it out; without it, Unison looks at everything again each second. */
const CAN_WATCH = isInstalled("unison-fsmonitor");

export const unison: Peer = {
  against: "unison",
  label: "Unison from its socket server",
  programs: ["unison"],
  version: ["unison", "-version"],
  packages: "unison",
  isSlow: true,
  serve,
  keeping: { label: `Unison, -repeat ${CAN_WATCH ? "watch" : "1"}`, start: keep },
};

async function serve({ source, scratch }: ServeOptions): Promise<Server> {
  const own = mkdtempSync(join(scratch, "unison-"));
  const { daemon, remote } = await listen(own, source);
  return {
    fetch: (target) => run(["unison", target, remote, "-batch", "-silent", "-times"], homeIn(own, "client")),
    stop: async () => {
      await daemon.stop();
      rmSync(own, { recursive: true, force: true });
    },
  };
}

async function keep({ here, there, scratch }: KeepOptions): Promise<Pick<Server, "stop">> {
  const { daemon, remote } = await listen(scratch, there);
  const repeat = CAN_WATCH ? "watch" : "1";
  const command = ["unison", here, remote, "-batch", "-silent", "-times", "-repeat", repeat];
  const client = new Daemon(command, homeIn(scratch, "client"));
  return {
    stop: async () => {
      await client.stop();
      await daemon.stop();
    },
  };
}

/** A server, and how a client names a folder there. */
async function listen(own: string, folder: string): Promise<{ readonly daemon: Daemon; readonly remote: string }> {
  const port = await freePort();
  const daemon = new Daemon(["unison", "-socket", `${port}`, "-listen", "127.0.0.1"], homeIn(own, "server"));
  await daemon.listensOn(port);
  return { daemon, remote: `socket://127.0.0.1:${port}/${folder}` };
}

function homeIn(own: string, side: string): NodeJS.ProcessEnv {
  const directory = join(own, side);
  mkdirSync(directory, { recursive: true });
  return { HOME: directory, UNISON: directory };
}
