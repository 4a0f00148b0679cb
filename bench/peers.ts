// What dsync is measured against, in the same run on the same files: rsync over its daemon (no encryption, no index),
// and `cp`.

import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** True if a program is installed. */
export function isInstalled(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}

export async function copy(from: string, to: string): Promise<void> {
  await run("cp", ["-a", `${from}/.`, to]);
}

/** An rsync daemon on loopback that serves one folder. */
export class RsyncDaemon {
  readonly #child: ChildProcess;
  readonly #port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(folder: string, scratch: string): Promise<RsyncDaemon> {
    const port = await freePort();
    const config = join(scratch, "rsyncd.conf");
    writeFileSync(
      config,
      `port = ${port}\naddress = 127.0.0.1\nuse chroot = no\nlog file = /dev/null\n[folder]\npath = ${folder}\nread only = yes\n` +
        (process.getuid?.() === 0 ? "uid = 0\ngid = 0\n" : ""),
    );
    const child = spawn("rsync", ["--daemon", "--no-detach", `--config=${config}`], { stdio: "ignore" });
    await listening(port);
    return new RsyncDaemon(child, port);
  }

  /** Fetches the folder. */
  async pull(to: string): Promise<void> {
    await run("rsync", ["-a", `rsync://127.0.0.1:${this.#port}/folder/`, to]);
  }

  stop(): void {
    this.#child.kill();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => setTimeout(() => resolve(false), 10));
    });
    if (isUp) return;
  }
  throw new Error(`Nothing listens on port ${port}.`);
}
