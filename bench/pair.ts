// Two dsync processes on two folders, made for one measurement.

import { mkdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Machine } from "../test/support/machines.ts";
import { memoryOf } from "./measure.ts";
import { LOOPBACK, type Place } from "./peers/peer.ts";

export class Pair {
  readonly a: Machine;
  readonly b: Machine;
  readonly base: string;
  readonly #place: Place;
  /** Where the second finds the first. */
  #address = "";
  /** The folder that the first borrows. */
  #source: string | undefined;

  /** `scratch`: a directory on the file system to be measured. */
  constructor(scratch: string, place = LOOPBACK) {
    this.base = join(scratch, "pair");
    this.#place = place;
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

  /** The first syncs this folder, until the pair is removed. */
  borrow(source: string): void {
    rmdirSync(this.a.folder);
    renameSync(source, this.a.folder);
    this.#source = source;
  }

  /** Starts the first, which listens then. */
  async listen(): Promise<void> {
    await this.a.start({ prefix: this.#place.server });
    const { host, port } = await this.#place.reach(this.a.instance.port);
    this.#address = `${host}:${port}`;
  }

  /** Starts the first and waits until it knows its folder, as a daemon does that others fetch from. */
  async startFirst(): Promise<void> {
    await this.listen();
    await this.a.instance.waitForEvent("progress", {
      where: ({ scanning, entries }) => scanning === false && Number(entries) > 0,
      deadlineMs: 300_000,
    });
  }

  /** Starts the second, which dials the first, and says no more than rsync does: a line for each file has its price. */
  startSecond(): void {
    this.b.launch({ prefix: this.#place.client, args: ["--quiet", "-a", this.#address] });
  }

  /** The larger of both processes, in MB. */
  memory(): { readonly peakMb: number; readonly nowMb: number } {
    const both = [this.a, this.b].map(({ instance }) => memoryOf(instance.pid));
    return {
      peakMb: Math.max(...both.map(({ peakMb }) => peakMb)),
      nowMb: Math.max(...both.map(({ nowMb }) => nowMb)),
    };
  }

  /** All bytes that the first has sent. */
  async sentBytes(): Promise<number> {
    return (await this.a.instance.status()).traffic.sentBytes;
  }

  async remove(): Promise<void> {
    await Promise.all([this.a.kill(), this.b.kill()]);
    if (this.#source !== undefined) {
      for (const own of [".dsync", ".dsyncignore"]) rmSync(join(this.a.folder, own), { recursive: true, force: true });
      renameSync(this.a.folder, this.#source);
    }
    rmSync(this.base, { recursive: true, force: true });
  }
}
