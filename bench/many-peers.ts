// Many peers: one new file and eight instances, against seven transfers between two.

import fs from "node:fs";
import { join } from "node:path";
import { Machine } from "../test/support/machines.ts";
import { incompressible } from "../test/support/trees.ts";
import { MIB, writeLarge } from "./data.ts";
import { cpuMsOf, median, timed, touchMemory, until } from "./measure.ts";
import type { Case, Row } from "./row.ts";

const SIZE_BYTES = 256 * MIB;
const INSTANCES = 8;

interface Spread {
  readonly ms: number;
  /** Of all processes, until all say that they are in sync. */
  readonly cpuMs: number;
  /** By the one that had the file. */
  readonly sentBytes: number;
}

/** M8: 256 MiB to seven others. */
export const manyPeers: Case = async ({ scratch, runs }) => {
  const results = { many: [] as Spread[], two: [] as Spread[] };
  for (let round = 0; round < runs; round++) {
    results.two.push(await spread(scratch, 2));
    results.many.push(await spread(scratch, INSTANCES));
  }
  const of = (list: readonly Spread[], pick: (spread: Spread) => number): number => median(list.map(pick));
  const [many, two] = [results.many, results.two];
  const [manyCpuMs, twoCpuMs] = [of(many, ({ cpuMs }) => cpuMs), of(two, ({ cpuMs }) => cpuMs)];
  const row = (what: string, value: number, unit: Row["unit"]): Row => ({ case: "M8", what, value, unit });
  return [
    row(
      "256 MiB to 7 others, all of them",
      of(many, ({ ms }) => ms),
      "ms",
    ),
    row(
      "256 MiB to 1 other",
      of(two, ({ ms }) => ms),
      "ms",
    ),
    row("sent by the source, relative to the file", of(many, ({ sentBytes }) => sentBytes) / SIZE_BYTES, "×"),
    row("CPU of all 8", manyCpuMs, "ms"),
    row("CPU of both, with 1 other", twoCpuMs, "ms"),
    row("CPU of all 8, relative to 7 transfers between two", manyCpuMs / ((INSTANCES - 1) * twoCpuMs), "×"),
  ];
};

async function spread(scratch: string, instances: number): Promise<Spread> {
  const base = join(scratch, "many");
  const machines = Array.from({ length: instances }, (_, index) => new Machine(base, `machine${index}`));
  const [source] = machines;
  if (source === undefined) throw new Error("No instances.");
  try {
    // Each is told of all before it, so that everybody knows everybody.
    const ports: number[] = [];
    for (const machine of machines) ports.push((await machine.start({ peers: ports })).port);
    const inSync = (): Promise<unknown> =>
      Promise.all(machines.map(({ instance }) => instance.waitForSync({ peers: instances - 1, deadlineMs: 300_000 })));
    await inSync();
    const cpu = (): number => machines.reduce((sum, { instance }) => sum + cpuMsOf(instance.pid), 0);
    const sent = async (): Promise<number> => (await source.instance.status()).traffic.sentBytes;
    touchMemory(scratch, (instances + 2) * SIZE_BYTES);
    const written = join(base, "new");
    writeLarge(written, SIZE_BYTES, incompressible(16 * MIB, 7));
    const [cpuBefore, sentBefore] = [cpu(), await sent()];
    const ms = await timed(async () => {
      fs.renameSync(written, join(source.folder, "new"));
      await until(() => machines.every(({ folder }) => fs.existsSync(join(folder, "new"))), 10);
    });
    await inSync();
    return { ms, cpuMs: cpu() - cpuBefore, sentBytes: (await sent()) - sentBefore };
  } finally {
    await Promise.all(machines.map((machine) => machine.kill()));
    fs.rmSync(base, { recursive: true, force: true });
  }
}
