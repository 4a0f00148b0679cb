// Several machines on one: each a folder and a home of its own. Everything is stopped and removed when the test ends.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { DsyncProcess, type StartOptions } from "./dsync-process.ts";
import { removeDirectory, temporaryDirectory } from "./trees.ts";

export class Machine {
  readonly folder: string;
  readonly home: string;
  #instance: DsyncProcess | undefined;

  constructor(base: string, name: string) {
    this.folder = join(base, name, "folder");
    this.home = join(base, name, "home");
    for (const directory of [this.folder, join(this.home, "run")])
      mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** The running instance. */
  get instance(): DsyncProcess {
    if (this.#instance === undefined) throw new Error(`Nothing runs on ${this.folder}.`);
    return this.#instance;
  }

  get isRunning(): boolean {
    return this.#instance !== undefined;
  }

  async start(options: Partial<StartOptions> = {}): Promise<DsyncProcess> {
    this.#instance = await DsyncProcess.start({ folder: this.folder, home: this.home, ...options });
    return this.#instance;
  }

  /** Starts without waiting for a word. */
  launch(options: Partial<StartOptions> = {}): void {
    this.#instance = DsyncProcess.launch({ folder: this.folder, home: this.home, ...options });
  }

  async stop(): Promise<void> {
    await this.#instance?.stop();
    this.#instance = undefined;
  }

  async kill(): Promise<void> {
    await this.#instance?.kill();
    this.#instance = undefined;
  }
}

/** Makes `count` machines that live as long as the test. */
export function machines(test: TestContext, count: number): Machine[] {
  const base = temporaryDirectory();
  const all = Array.from({ length: count }, (_, index) => new Machine(base, String.fromCodePoint(97 + index)));
  test.after(async () => {
    await Promise.all(all.map((machine) => machine.kill()));
    removeDirectory(base);
  });
  return all;
}

/** Two machines that run and are connected; the second dials the first. */
export async function startPair(a: Machine, b: Machine, args: readonly string[] = []): Promise<void> {
  await a.start({ args });
  await b.start({ args, peers: [a.instance.port] });
  await b.instance.waitForEvent("peer-joined");
}
