// rsync over ssh, as people use it: OpenSSH with its default cipher. The sshd is the bench's own, on a free port, with keys
// made for it; the user's and the system's configuration are not read.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { Daemon, freePort, LOOPBACK, run, type Peer, type ServeOptions, type Server } from "./peer.ts";

export const rsyncSsh: Peer = {
  against: "ssh",
  label: "rsync over ssh",
  programs: ["sshd", "ssh", "rsync"],
  version: ["ssh", "-V"],
  packages: "openssh-server openssh-client rsync",
  isSlow: false,
  serve,
};

async function serve({ source, scratch, place = LOOPBACK }: ServeOptions): Promise<Server> {
  const port = await freePort();
  const own = mkdtempSync(join(scratch, "ssh-"));
  const file = (name: string): string => join(own, name);
  for (const key of ["host", "client"])
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", file(key)]);
  writeFileSync(file("authorized"), readFileSync(file("client.pub")));
  const config = [
    `Port ${port}`,
    `ListenAddress ${place.address}`,
    `HostKey ${file("host")}`,
    `AuthorizedKeysFile ${file("authorized")}`,
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin prohibit-password",
    // The directory is below a world-writable one.
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
    "PrintMotd no",
  ];
  writeFileSync(file("sshd_config"), config.map((line) => `${line}\n`).join(""));
  // As root it gives up its rights in there; the package makes it only when the system's service starts.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  // Asked for by its whole path, because it starts itself again.
  const daemon = new Daemon([...place.server, "/usr/sbin/sshd", "-D", "-e", "-f", file("sshd_config")]);
  await daemon.listensOn(port);
  const at = await place.reach(port);
  writeFileSync(file("known"), `[${at.host}]:${at.port} ${readFileSync(file("host.pub"), "utf8")}`);
  const options = ["BatchMode=yes", "IdentitiesOnly=yes", `UserKnownHostsFile=${file("known")}`];
  const shell = ["ssh", "-F", "none", "-p", at.port, "-i", file("client"), ...options.flatMap((one) => ["-o", one])];
  return {
    fetch: (target) => {
      const from = `${userInfo().username}@${at.host}:${source}/`;
      return run([...place.client, "rsync", "-a", "-e", shell.join(" "), from, target]);
    },
    stop: async () => {
      await daemon.stop();
      rmSync(own, { recursive: true, force: true });
    },
  };
}
