// Two dsync processes on two folders, made for one measurement.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Machine } from "../test/support/machines.ts";
import { memoryOf } from "./measure.ts";

export class Pair {
  readonly a: Machine;
  readonly b: Machine;
  readonly base: string;

  /** `scratch`: a directory on the file system to be measured. */
  constructor(scratch: string) {
    this.base = join(scratch, "pair");
    rmSync(this.base, { recursive: true, force: true });
    mkdirSync(this.base, { recursive: true });
    this.a = new Machine(this.base, "a");
    this.b = new Machine(this.base, "b");
  }

  /** Starts both; the second dials the first. */
  async start(): Promise<void> {
    await this.a.start();
    await this.b.start({ peers: [this.a.instance.port] });
  }

  /** Starts the first and waits until it knows its folder, as a daemon does that others fetch from. */
  async startFirst(): Promise<void> {
    await this.a.start();
    await this.a.instance.waitForEvent("progress", {
      where: ({ scanning, entries }) => scanning === false && Number(entries) > 0,
    });
  }

  /** Starts the second, which dials the first, and says no more than rsync does: a line for each file has its price. */
  startSecond(): void {
    this.b.launch({ peers: [this.a.instance.port], args: ["--quiet"] });
  }

  /** The larger of both processes, in MB. */
  memory(): { readonly peakMb: number; readonly nowMb: number } {
    const both = [this.a, this.b].map(({ instance }) => memoryOf(instance.pid));
    return {
      peakMb: Math.max(...both.map(({ peakMb }) => peakMb)),
      nowMb: Math.max(...both.map(({ nowMb }) => nowMb)),
    };
  }

  async remove(): Promise<void> {
    await Promise.all([this.a.kill(), this.b.kill()]);
    rmSync(this.base, { recursive: true, force: true });
  }
}
