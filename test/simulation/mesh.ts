// Simulated machines without faults, each connected to each: for what depends on how many there are.

import { Prng } from "../support/seeded.ts";
import { Machine, ROOT } from "./machine.ts";
import { SimulatedNetwork } from "./network.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";
import { RELIABLE_WATCHER } from "./watcher.ts";

const STEP_MS = 10;
const DEADLINE_MS = 600_000;
const CONNECTING_MS = 30_000;
/** Usually a twentieth of it. */
const LATENCY_MS_MAX = 20;

export class Mesh {
  readonly network: SimulatedNetwork;
  readonly machines: readonly Machine[];
  readonly #scheduler = new Scheduler();
  readonly #seed: number;

  constructor(count: number, seed = 1) {
    this.#seed = seed;
    const scheduler = this.#scheduler;
    const trace = new Trace(() => scheduler.nowMs, false);
    const network = new SimulatedNetwork({
      scheduler,
      random: new Prng(seed),
      trace,
      latencyMsMax: LATENCY_MS_MAX,
    });
    this.network = network;
    this.machines = Array.from(
      { length: count },
      (_, index) =>
        new Machine({
          number: index + 1,
          seed: seed + index,
          scheduler,
          network,
          trace,
          quirks: {},
          watcher: RELIABLE_WATCHER,
          skewMs: 0,
          onViolation: (what) => {
            throw new Error(what);
          },
        }),
    );
  }

  get first(): Machine {
    const [first] = this.machines;
    if (first === undefined) throw new Error("There are no machines.");
    return first;
  }

  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  /** All start and find each other. */
  async connect(): Promise<void> {
    for (const machine of this.machines) void machine.start();
    await this.wait(STEP_MS);
    for (const machine of this.machines) this.introduce(machine);
    await this.wait(CONNECTING_MS);
  }

  /** The machine hears of all others. */
  introduce(machine: Machine): void {
    for (const other of this.machines) if (other !== machine) machine.meet(other);
  }

  /** Somebody saves a file that does not compress. `bytes`: a multiple of 4. */
  write({ person }: Machine, name: string, bytes: number): void {
    const random = new Prng(this.#seed + bytes);
    const words = Uint32Array.from({ length: bytes / 4 }, () => random.below(2 ** 32));
    const descriptor = person.createFile(`${ROOT}/${name}`, 0o644);
    person.write(descriptor, new Uint8Array(words.buffer), 0);
    person.close(descriptor);
  }

  holds({ person }: Machine, name: string, bytes: number): boolean {
    return person.lstat(`${ROOT}/${name}`)?.size === bytes;
  }

  async wait(simulatedMs: number): Promise<void> {
    await this.#scheduler.runUntil(this.#scheduler.nowMs + simulatedMs);
  }

  /** Throws if it does not come true. */
  async until(condition: () => boolean): Promise<void> {
    const endMs = this.#scheduler.nowMs + DEADLINE_MS;
    while (!condition()) {
      if (this.#scheduler.nowMs > endMs)
        throw new Error(`Not within ${DEADLINE_MS} simulated ms (seed ${this.#seed}).`);
      await this.wait(STEP_MS);
    }
  }
}
