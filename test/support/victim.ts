// An instance under attack: a real process on a folder with something in it, and beside the folder something that must
// stay as it is.

import assert from "node:assert/strict";
import fs from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { machines, type Machine } from "./machines.ts";
import { snapshot, writeFiles } from "./trees.ts";
import { waitFor } from "./wait.ts";

const MIB = 1024 * 1024;
/** What an attack may add to an instance's memory: what the largest of the legal ones takes, and garbage that waits. */
const GROWTH_BYTES_MAX = 300 * MIB;

export interface Victim {
  readonly machine: Machine;
  readonly port: number;
  readonly folder: string;
  /** A directory beside the folder, with a file `secret`. */
  readonly outside: string;
  /** Memory of its own that is resident now, in bytes: the index's file, mapped, is not counted. */
  memoryBytes(): number;
  /** Fails if the instance has grown by more than any attack may make it. */
  assertBounded(): void;
  /**
   * Fails unless everything outside is as it was, the memory is bounded, and an honest peer that joins now syncs a file
   * both ways. Whoever attacks stays connected meanwhile, if the instance lets it.
   */
  assertUnharmed(): Promise<void>;
}

/** Starts an instance on a folder that holds `mine.txt`. */
export async function startVictim(t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<Victim> {
  const [machine, honest] = machines(t, 2) as [Machine, Machine];
  const outside = join(dirname(machine.folder), "outside");
  fs.mkdirSync(outside);
  fs.writeFileSync(join(outside, "secret"), "nobody's business");
  writeFiles(machine.folder, { "mine.txt": "mine", ...files });
  await machine.start();
  const { port } = machine.instance;
  const before = surroundings(machine);
  await waitFor(async () => (await machine.instance.status()).entries > 0, { until: "the first scan" });
  // Asked for each time: a test may start the instance again.
  const memoryBytes = (): number => residentBytes(machine.instance.pid);
  const memoryBefore = memoryBytes();
  const assertBounded = (): void => {
    const growth = memoryBytes() - memoryBefore;
    assert.ok(growth < GROWTH_BYTES_MAX, `${growth / MIB} MiB more`);
  };
  return {
    machine,
    port,
    folder: machine.folder,
    outside,
    memoryBytes,
    assertBounded,
    assertUnharmed: async () => {
      assert.deepEqual(surroundings(machine), before, "something outside the folder was touched");
      await assertServes({ folder: machine.folder, port: machine.instance.port, honest });
      assertBounded();
      assert.equal(fs.readFileSync(join(machine.folder, "mine.txt"), "utf8"), "mine");
      assert.equal(machine.instance.stderr, "");
    },
  };
}

export interface ServedPeer {
  /** Where the instance that was attacked has its files, and where it listens. */
  readonly folder: string;
  readonly port: number;
  /** A machine on which nothing runs yet. */
  readonly honest: Machine;
}

/** Fails unless `honest` joins the instance at `port` and syncs a file with it, both ways. */
export async function assertServes({ folder, port, honest }: ServedPeer): Promise<void> {
  await honest.start({ peers: [port] });
  fs.writeFileSync(join(honest.folder, "from-honest.txt"), "to the victim");
  fs.writeFileSync(join(folder, "from-victim.txt"), "to the honest one");
  await arrived(join(folder, "from-honest.txt"), "to the victim");
  await arrived(join(honest.folder, "from-victim.txt"), "to the honest one");
}

async function arrived(file: string, content: string): Promise<void> {
  const isThere = (): boolean => fs.existsSync(file) && fs.readFileSync(file, "utf8") === content;
  await waitFor(isThere, { until: file });
}

/** Everything beside the folder: the names, and what is outside. */
function surroundings(machine: Machine): unknown {
  const base = dirname(machine.folder);
  return [fs.readdirSync(base), [...snapshot(join(base, "outside"))]];
}

function residentBytes(pid: number): number {
  const line = /^RssAnon:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) * 1024;
}
