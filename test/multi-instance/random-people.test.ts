// People who change three folders at random, while dsync is killed, stopped and started there: real processes, real disks.
// The outcome is held against the same book as in the simulator, which knows neither real watchers nor a real index.
//
// While a person does something, the dsync of that machine stands still, wherever it is just then: so it is certain who did
// what. DSYNC_TEST_SEED=<seed> repeats what people do, not what dsync is at meanwhile.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { loadBlake3 } from "../../src/content/blake3.ts";
import { IGNORE_FILE, parsePath } from "../../src/core/path.ts";
import { systemClock } from "../../src/edge/clock.ts";
import type { FileSystem } from "../../src/edge/file-system.ts";
import { nodeFileSystem } from "../../src/edge/node-file-system.ts";
import type { StatSignature } from "../../src/index/entry.ts";
import { openLmdbStoreReadOnly } from "../../src/index/lmdb-store.ts";
import { signaturesEqual } from "../../src/index/signature.ts";
import { Book, type Tree } from "../simulation/book.ts";
import { act, PERSON_ACTIONS, readTree } from "../simulation/person.ts";
import { machines, type Machine } from "../support/machines.ts";
import { Prng, testSeed } from "../support/seeded.ts";
import { signatureAt } from "../support/signature-at.ts";
import { differences, incompressible, waitForEqualTrees } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

/** Between two phases everything gets quiet. */
const PHASES = process.env["DSYNC_TEST_LARGE"] === "1" ? 100 : 3;
const STEPS = 40;
const PAUSES_MS = [0, 0, 0, 1, 5, 20, 80, 300] as const;
const CHOICES = 6;

/** What each machine has for itself is not a person's to move. */
const visible: FileSystem = {
  ...nodeFileSystem,
  readDirectory: (path) => nodeFileSystem.readDirectory(path).filter(({ name }) => name !== IGNORE_FILE),
};

const blake3 = loadBlake3({ portable: false });

const whyNotLinux = process.platform === "linux" ? false : "needs Linux, for its /proc";

test("what people do at random, and kills in the middle of it", { skip: whyNotLinux }, async (t) => {
  const seed = testSeed();
  t.diagnostic(`DSYNC_TEST_SEED=${seed}`);
  const village = new Village(machines(t, 3), seed);
  await village.wake();
  for (let phase = 0; phase < PHASES; phase++) {
    await village.live();
    await village.settle(phase);
  }
});

interface House {
  readonly number: number;
  readonly machine: Machine;
  /** What was there when dsync was killed last, and its index does not know. */
  unrecorded: ReadonlyMap<string, StatSignature>;
  port: number;
}

class Village {
  readonly #houses: readonly House[];
  readonly #seed: number;
  readonly #random: Prng;
  readonly #book = new Book();
  readonly #log: string[] = [];
  #contents = 0;

  constructor(all: readonly Machine[], seed: number) {
    this.#houses = all.map((machine, number) => ({ number, machine, unrecorded: new Map(), port: 0 }));
    this.#seed = seed;
    this.#random = new Prng(seed);
  }

  /** Starts dsync wherever it does not run. */
  async wake(): Promise<void> {
    for (const house of this.#houses) if (!house.machine.isRunning) await this.#start(house);
  }

  /** Mostly somebody changes something, now and then a dsync ends or is started again. */
  async live(): Promise<void> {
    this.#book.beginPhase();
    for (let step = 0; step < STEPS; step++) {
      const house = this.#houses[this.#random.below(this.#houses.length)];
      const kind = this.#random.below(20);
      const pauseMs = this.#random.pick(PAUSES_MS);
      assert.ok(house);
      if (kind > 2) await this.#act(house);
      else if (!house.machine.isRunning) await this.#start(house);
      else if (kind === 0) await this.#stop(house);
      else await this.#kill(house);
      await sleep(pauseMs);
    }
  }

  /** Brings all together: everything is equal then, nothing fails, and nothing is lost or other than it was left. */
  async settle(phase: number): Promise<void> {
    await this.wake();
    const folders = this.#houses.map(({ machine }) => machine.folder);
    const instances = this.#houses.map(({ machine }) => machine.instance);
    try {
      await waitForEqualTrees(folders);
      await Promise.all(instances.map((instance) => instance.waitForSync({ peers: instances.length - 1 })));
      await waitFor(
        async () => {
          const statuses = await Promise.all(instances.map((instance) => instance.status()));
          const failed = statuses.flatMap((status, number) => status.failed.map((one) => ({ number, ...one })));
          assert.deepEqual(failed, []);
          assert.equal(new Set(statuses.map(({ merkleRoot }) => merkleRoot)).size, 1);
          return true;
        },
        { until: "nothing fails", intervalMs: 100 },
      );
      await waitForEqualTrees(folders);
      const trees = folders.map(treeOf);
      const trashes = folders.map((folder) => readTree(nodeFileSystem, join(folder, ".dsync/trash")));
      assert.deepEqual(this.#book.lostFrom(trees, trashes), []);
      assert.deepEqual(
        this.#book.strayingFrom(trees[0] ?? new Map(), (_, line) => line),
        [],
      );
    } catch (error) {
      throw new Error(`seed ${this.#seed}, phase ${phase}:\n${this.#log.join("\n")}`, { cause: error });
    }
    this.#log.length = 0;
  }

  async #start(house: House): Promise<void> {
    this.#note(house, "start");
    this.#book.noteStart(house.number);
    const ports = this.#houses.filter((other) => other !== house).map(({ port }) => port);
    const peers = ports.filter((port) => port !== 0);
    const { port } = await house.machine.start({ port: house.port, peers });
    house.port = port;
  }

  async #stop(house: House): Promise<void> {
    this.#note(house, "stop");
    await house.machine.stop();
    house.unrecorded = new Map();
    this.#book.noteStop(house.number);
  }

  async #kill(house: House): Promise<void> {
    this.#note(house, "kill");
    await house.machine.kill();
    this.#book.noteStop(house.number);
    house.unrecorded = await unknownToIndex(house.machine.folder);
  }

  async #act(house: House): Promise<void> {
    const { machine, number } = house;
    const action = this.#random.pick(PERSON_ACTIONS);
    const choices = Array.from({ length: CHOICES }, () => this.#random.below(2 ** 30));
    const pid = machine.isRunning ? machine.instance.pid : undefined;
    if (pid !== undefined) await standStill(pid);
    const before = treeOf(machine.folder);
    const unrecorded = new Set(
      [...house.unrecorded].filter((seen) => isAsSeen(machine.folder, seen)).map(([path]) => path),
    );
    let failure = "";
    try {
      act(action, choices, {
        fs: visible,
        root: machine.folder,
        nowMs: Date.now(),
        mixesCase: false,
        freshContent: (size) => this.#freshContent(size),
      });
    } catch (error) {
      // As in life: the editor says that it cannot save.
      failure = ` (${String(error)})`;
    }
    const after = treeOf(machine.folder);
    this.#book.note(number, before, after, { unrecorded, awaited: new Set(), isStopped: pid === undefined });
    this.#note(house, [`${action}${failure}`, ...differences(before, after)].join("\n  "));
    if (pid !== undefined) process.kill(pid, "SIGCONT");
  }

  #freshContent(size: number): Uint8Array {
    const number = this.#contents++;
    const bytes = incompressible(size, this.#seed + number);
    bytes.write(`<${number}>`, 0, "latin1");
    return bytes;
  }

  #note({ number }: House, what: string): void {
    this.#log.push(`${Math.round(performance.now())} ms, machine ${number + 1}: ${what}`);
  }
}

/** Stops all threads of a process; resolves when they stand still. */
async function standStill(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const tasks = `/proc/${pid}/task`;
  const isStopped = (id: string): boolean => {
    const stat = fs.readFileSync(join(tasks, id, "stat"), "latin1");
    return stat[stat.lastIndexOf(")") + 2] === "T";
  };
  await waitFor(() => fs.readdirSync(tasks).every(isStopped), { until: `process ${pid} stands still`, intervalMs: 1 });
}

/** What is on the disk and not in the index of a dsync that does not run. */
async function unknownToIndex(folder: string): Promise<ReadonlyMap<string, StatSignature>> {
  const unknown = new Map<string, StatSignature>();
  const directory = join(folder, ".dsync/index");
  const store = openLmdbStoreReadOnly({ directory, clock: systemClock, hash: (bytes) => blake3.hash(bytes) });
  for (const text of treeOf(folder).keys()) {
    const path = parsePath(text);
    const signature = signatureAt(nodeFileSystem, join(folder, text));
    const known = path === undefined ? undefined : store.signatureOf(path);
    if (signature !== undefined && !signaturesEqual(known, signature)) unknown.set(text, signature);
  }
  await store.close();
  return unknown;
}

function isAsSeen(folder: string, [path, signature]: readonly [string, StatSignature]): boolean {
  return signaturesEqual(signatureAt(nodeFileSystem, join(folder, path)), signature);
}

function treeOf(folder: string): Tree {
  return readTree(visible, folder);
}
