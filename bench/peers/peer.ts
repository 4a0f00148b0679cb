// What dsync is measured against, in the same run on the same files: one interface for all of them.

import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Against } from "../row.ts";

export interface Peer {
  /** What the others are compared with it as. */
  readonly against?: Against;
  /** As the table calls it. */
  readonly label: string;
  readonly programs: readonly string[];
  /** A command that prints its version. */
  readonly version: readonly string[];
  /** The Debian packages that it needs. */
  readonly packages: string;
  /** Takes so long that it runs once, not in every round. */
  readonly isSlow: boolean;
  /** Gets one side ready, before the clock runs. */
  serve(options: ServeOptions): Promise<Server>;
  /** The same for what is a pair of equals as well: nothing runs yet when the clock starts. */
  serveFresh?(options: ServeOptions): Promise<Server>;
  /** What it does if it also keeps folders the same by itself. */
  readonly keeping?: Keeping;
}

export interface Keeping {
  readonly label: string;
  /** From then on until it is stopped, what changes in `here` is soon in `there`. */
  start(options: KeepOptions): Promise<Pick<Server, "stop">>;
}

export interface KeepOptions {
  readonly here: string;
  readonly there: string;
  /** A directory for configuration and state. */
  readonly scratch: string;
}

export interface ServeOptions {
  readonly source: string;
  /** A directory for configuration and state. */
  readonly scratch: string;
  /** Loopback unless told; only rsync can be told. */
  readonly place?: Place;
}

/** One side that others fetch from. */
export interface Server {
  /**
   * Makes an empty target the same as the source. `isComplete`: tells by the target alone, for those that never end by
   * themselves.
   */
  fetch(target: string, isComplete: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Where both sides of a transfer run. */
export interface Place {
  /** Put before the commands of each side, to run them inside a network namespace. */
  readonly server: readonly string[];
  readonly client: readonly string[];
  /** The server's own address. */
  readonly address: string;
  /** Where the client finds the server's port. */
  reach(port: number): Promise<{ readonly host: string; readonly port: number }>;
}

export const LOOPBACK: Place = {
  server: [],
  client: [],
  address: "127.0.0.1",
  reach: (port) => Promise.resolve({ host: "127.0.0.1", port }),
};

/** True if a program is installed. */
export function isInstalled(program: string): boolean {
  // Daemons are not on everybody's path.
  const PATH = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin`;
  return spawnSync("which", [program], { env: { ...process.env, PATH } }).status === 0;
}

/** Runs a command to its end; throws with what it said if it fails. */
export async function run(command: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<void> {
  const [program = "", ...args] = command;
  await promisify(execFile)(program, args, { env: { ...process.env, ...environment }, maxBuffer: 2 ** 26 });
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill();
});

/** A program that runs until it is told to stop, or until this process ends. */
export class Daemon {
  readonly #child: ChildProcess;
  #stderr = "";

  constructor(command: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    const [program = "", ...args] = command;
    const env = { ...process.env, ...environment };
    this.#child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.#child.on("error", (error) => (this.#stderr += error.message));
    running.add(this.#child);
    this.#child.on("exit", () => running.delete(this.#child));
  }

  /** Waits until it, or another process in its network namespace, listens on a TCP port. Linux only. */
  async listensOn(port: number): Promise<this> {
    for (let attempt = 0; attempt < 1_000; attempt++) {
      if (this.#child.exitCode !== null) break;
      if (isListening(this.#child.pid, port)) return this;
      await sleep(10);
    }
    throw new Error(`Nothing listens on port ${port}: ${this.#child.spawnargs.join(" ")}: ${this.#stderr}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill();
    await exited;
  }
}

/** A TCP port on loopback that nothing uses. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Looks without connecting, which some servers would take for a client. */
function isListening(pid: number | undefined, port: number): boolean {
  const LISTEN = "0A";
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return ["tcp", "tcp6"].some((table) => {
    try {
      const lines = readFileSync(`/proc/${pid}/net/${table}`, "utf8").split("\n");
      return lines.some((line) => {
        const [, local, , state] = line.trim().split(/\s+/);
        return local?.endsWith(`:${hex}`) === true && state === LISTEN;
      });
    } catch {
      return false;
    }
  });
}
