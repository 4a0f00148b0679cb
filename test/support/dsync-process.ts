// A real dsync process on a real folder, watched through its `--json` events and its commands.

import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { instanceAccess } from "../../src/cli/instance-access.ts";
import { socketPathFor } from "../../src/cli/socket-path.ts";
import type { StatusReport } from "../../src/core/reports.ts";
import { DEADLINE_MS, waitFor } from "./wait.ts";

const MAIN = fileURLToPath(new URL("../../app/main.js", import.meta.url));

/** Of a process that ended too early. */
const EVENTS_SHOWN = 10;

export type JsonEvent = Readonly<Record<string, unknown>> & { readonly event: string };

export interface StartOptions {
  readonly folder: string;
  /** Where records outside the folder go: one per simulated machine. */
  readonly home: string;
  /** To listen on; any by default. */
  readonly port?: number;
  /** Ports on loopback to connect to. */
  readonly peers?: readonly number[];
  readonly args?: readonly string[];
  /** An engine, its options, and the program that it runs; ours on this one by default. */
  readonly program?: readonly string[];
  /** Put before the command, to run it inside a network namespace, say. */
  readonly prefix?: readonly string[];
  /** The user (and group) that it and its commands run as; only root may choose. */
  readonly userId?: number;
  /** With mDNS. Off by default, so that tests that run side by side do not meet. */
  readonly discovery?: boolean;
  /** How far its clock is ahead of this machine's; negative: behind. The times of its files are the kernel's in any case. */
  readonly clockAheadMs?: number;
  /** How long its timers of an hour take. */
  readonly hourMs?: number;
}

export class DsyncProcess {
  readonly folder: string;
  readonly events: JsonEvent[] = [];
  readonly #home: string;
  readonly #user: User;
  readonly #child: ChildProcess;
  #stderr = "";
  #rest = "";
  #isClosed = false;
  #exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;

  private constructor(options: StartOptions) {
    this.folder = options.folder;
    this.#home = options.home;
    const program = options.program ?? [process.execPath, MAIN];
    const args = [
      "-d",
      options.folder,
      "--json",
      "-p",
      String(options.port ?? 0),
      ...(options.discovery === true ? [] : ["--no-discovery"]),
      ...(options.peers ?? []).flatMap((port) => ["-a", `127.0.0.1:${port}`]),
      ...(options.args ?? []),
    ];
    const [command = "", ...rest] = [...(options.prefix ?? []), ...program, ...args];
    this.#user = userOf(options.userId);
    this.#child = spawn(command, rest, {
      ...this.#user,
      env: { ...environment(options.home), ...otherTime(options) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#readEvents(text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.#child.on("exit", (code, signal) => (this.#exit = { code, signal }));
    // All that it wrote has been read by then.
    this.#child.on("close", () => (this.#isClosed = true));
  }

  /** Starts an instance and waits until it listens. */
  static async start(options: StartOptions): Promise<DsyncProcess> {
    const instance = new DsyncProcess(options);
    await instance.waitForEvent("started");
    return instance;
  }

  /** Starts an instance that may end by itself. */
  static launch(options: StartOptions): DsyncProcess {
    return new DsyncProcess(options);
  }

  get pid(): number {
    assert.ok(this.#child.pid);
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#exit !== undefined;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The port that it listens on. */
  get port(): number {
    const started = this.events.find(({ event }) => event === "started");
    assert.equal(typeof started?.["port"], "number");
    return Number(started?.["port"]);
  }

  async waitForEvent(
    name: string,
    {
      where = () => true,
      deadlineMs = DEADLINE_MS,
    }: { where?: (event: JsonEvent) => boolean; deadlineMs?: number } = {},
  ): Promise<JsonEvent> {
    const until = `event ${name} of ${this.folder}`;
    const find = (): JsonEvent | undefined => this.events.find((event) => event.event === name && where(event));
    const found = await waitFor(() => find() ?? (this.#isClosed ? "ended" : undefined), { until, deadlineMs });
    if (found !== "ended") return found;
    const last = this.events.slice(-EVENTS_SHOWN).map((event) => JSON.stringify(event));
    throw new Error(`${until}: dsync ended (${JSON.stringify(this.#exit)}): ${this.#stderr}\n${last.join("\n")}`);
  }

  /** Leaves its events unread, as a program that hangs does. */
  pauseReading(): void {
    this.#child.stdout?.pause();
  }

  resumeReading(): void {
    this.#child.stdout?.resume();
  }

  /** What `dsync status` is told, without a process for each time that a test asks. */
  async status(): Promise<StatusReport> {
    const uid = this.#user.uid ?? process.getuid?.();
    const platform = { environment: environment(this.#home), system: process.platform, temporary: tmpdir(), uid };
    const socketPath = socketPathFor(realpathSync(this.folder), platform);
    assert.ok(socketPath !== null);
    return instanceAccess({ socketPath, uid }).status();
  }

  /** Waits until this instance says that it and every peer (at least `peers`) hold the same. */
  async waitForSync({ peers = 1, deadlineMs = DEADLINE_MS } = {}): Promise<StatusReport> {
    return waitFor(
      async () => {
        const status = await this.status();
        if (status.inSync && status.peers.length >= peers) return status;
        throw new Error(JSON.stringify(status));
      },
      { until: `${this.folder} in sync with ${peers} peers`, deadlineMs, intervalMs: 50 },
    );
  }

  /** Asks it to stop; returns its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#exit === undefined) this.#child.kill(signal);
    return this.exited();
  }

  /** Kills it without a chance to clean up. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited();
  }

  /** Waits until it has ended; returns its exit code. */
  async exited(): Promise<number | null> {
    const exit = await waitFor(() => this.#exit, { until: "the process to end", intervalMs: 10 });
    return exit.code;
  }

  #readEvents(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") this.events.push(JSON.parse(line) as JsonEvent);
  }
}

/** Runs one dsync command to its end. */
export async function runDsync(
  args: readonly string[],
  home: string,
  user: User = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], {
      ...user,
      env: environment(home),
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return { code: failed.code ?? -1, stdout: failed.stdout ?? "", stderr: failed.stderr ?? "" };
  }
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

function userOf(id: number | undefined): User {
  return id === undefined ? {} : { uid: id, gid: id };
}

/** One machine's environment: its own home, config, state and runtime directories. */
function environment(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, "state"),
    XDG_RUNTIME_DIR: join(home, "run"),
    DSYNC_PORTABLE: process.env["DSYNC_PORTABLE"],
    NODE_V8_COVERAGE: process.env["NODE_V8_COVERAGE"],
  };
}

/** Node loads this first, in the main thread and in each worker. */
function otherTime({ clockAheadMs = 0, hourMs = 3_600_000 }: StartOptions): NodeJS.ProcessEnv {
  if (clockAheadMs === 0 && hourMs === 3_600_000) return {};
  const source = `
    const MachineDate = Date;
    globalThis.Date = class Date extends MachineDate {
      constructor(...args) { super(...(args.length === 0 ? [Date.now()] : args)); }
      static now() { return MachineDate.now() + ${clockAheadMs}; }
    };
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (action, delayMs, ...args) =>
      setTimeout(action, delayMs === 3_600_000 ? ${hourMs} : delayMs, ...args);
  `;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(source)}` };
}
