// Unison with its socket server: no encryption. Both sides start without archives, so each first sync reads both sides.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Daemon, freePort, run, type Peer, type ServeOptions, type Server } from "./peer.ts";

export const unison: Peer = {
  against: "unison",
  label: "Unison from its socket server",
  programs: ["unison"],
  version: ["unison", "-version"],
  packages: "unison",
  isSlow: true,
  serve,
};

async function serve({ source, scratch }: ServeOptions): Promise<Server> {
  const port = await freePort();
  const own = mkdtempSync(join(scratch, "unison-"));
  const environment = (side: string): NodeJS.ProcessEnv => {
    const directory = join(own, side);
    mkdirSync(directory, { recursive: true });
    return { HOME: directory, UNISON: directory };
  };
  const daemon = new Daemon(["unison", "-socket", `${port}`, "-listen", "127.0.0.1"], environment("server"));
  await daemon.listensOn(port);
  const remote = `socket://127.0.0.1:${port}/${source}`;
  return {
    fetch: (target) => run(["unison", target, remote, "-batch", "-silent", "-times"], environment("client")),
    stop: async () => {
      await daemon.stop();
      rmSync(own, { recursive: true, force: true });
    },
  };
}
