import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { pathOf } from "../../test/support/replica-world.ts";
import { waitFor } from "../../test/support/wait.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf } from "../index/signature.ts";
import { emptyRecord } from "../index/settle.ts";
import { LookFirst } from "./look-first.ts";

const FILM = pathOf("film");
const LARGE_BYTES = 10_000_000;

class World {
  readonly clock = new FakeClock();
  readonly changed: string[] = [];
  readonly due: string[] = [];
  scans = 0;
  /** That are over. */
  looks = 0;
  isScanning = false;
  readonly lookFirst: LookFirst;
  readonly #person;

  constructor() {
    const disk = new MemoryDisk(() => 1_700_000_000_000_000_000n);
    this.#person = createMemoryFileSystem(disk);
    for (const path of ["/f", "/f/.dsync"]) this.#person.makeDirectory(path, 0o755);
    const [root, marker] = ["/f", "/f/.dsync"].map((path) => this.#person.lstat(path));
    assert.ok(root !== undefined && marker !== undefined);
    const runner = createInProcessRunner({ context: { fs: this.#person, blake3: loadBlake3({ portable: false }) } });
    const countLook = (): void => {
      // After what waits for its result.
      setImmediate(() => this.looks++);
    };
    this.lookFirst = new LookFirst({
      jobs: {
        run: (name, request) => runner.run(name, request).finally(countLook),
        close: () => runner.close(),
      },
      clock: this.clock,
      identity: { root: "/f", device: root.device, inode: root.inode, markerInode: marker.inode },
      toDisk: (path) => path,
      isScanning: () => this.isScanning,
      onChangedOnDisk: (path) => this.changed.push(path),
      onDue: (path) => this.due.push(path),
      onScanned: () => this.scans++,
    });
  }

  write(): StatSignature {
    this.#person.close(this.#person.createFile(`/f/${FILM}`, 0o644));
    const stat = this.#person.lstat(`/f/${FILM}`);
    assert.ok(stat !== undefined);
    const signature = signatureOf(stat);
    assert.ok(signature !== undefined);
    return signature;
  }

  /** Whether it may be fetched, once that is known; the index has `signature` for it. */
  async ask(size: number, signature?: StatSignature): Promise<boolean> {
    const record = { ...emptyRecord(FILM), signature };
    if (this.lookFirst.allows(record, size)) return true;
    const { length } = this.due;
    const { looks } = this;
    await waitFor(() => this.looks > looks, { until: "the look", intervalMs: 1 });
    return this.due.length > length && this.lookFirst.allows(record, size);
  }
}

test("what is nowhere on the disk is fetched, and what is there as the index says is replaced", async () => {
  const world = new World();
  assert.equal(await world.ask(LARGE_BYTES), true);
  assert.equal(await world.ask(LARGE_BYTES, world.write()), true);
  assert.deepEqual(world.changed, []);
});

test("while the disk holds something that the index does not know, nothing is fetched for it", async () => {
  const world = new World();
  const signature = world.write();
  assert.equal(await world.ask(LARGE_BYTES), false);
  assert.deepEqual(world.changed, [FILM]);
  assert.equal(await world.ask(LARGE_BYTES, signature), true);
});

test("what is read while it is looked at is looked at no longer", async () => {
  const world = new World();
  const signature = world.write();
  assert.equal(world.lookFirst.allows(emptyRecord(FILM), LARGE_BYTES), false);
  assert.equal(await world.ask(LARGE_BYTES, signature), true);
  assert.deepEqual(world.changed, []);
});

test("a small file is looked for while the folder is read, and only then", async () => {
  const world = new World();
  assert.equal(await world.ask(1, world.write()), true);
  assert.deepEqual(world.looks, 0);
  world.isScanning = true;
  assert.equal(await world.ask(1), false);
  assert.deepEqual(world.looks, 1);
});

test("what is there is left to the scan while the folder is read, and asked for again after that", async () => {
  const world = new World();
  world.write();
  world.isScanning = true;
  for (let look = 0; look < 10; look++) {
    assert.equal(await world.ask(LARGE_BYTES), false);
    world.clock.advance(10_000);
  }
  assert.deepEqual([world.changed, world.due, world.scans], [[], [], 0]);
  world.isScanning = false;
  world.clock.advance(10_000);
  assert.equal(world.scans, 1);
  world.clock.advance(100_000);
  assert.equal(world.scans, 1);
});

test("what stays in the way without being read does not hold a fetch up for ever", async () => {
  const world = new World();
  world.write();
  let looks = 0;
  while (!(await world.ask(LARGE_BYTES))) assert.ok(++looks < 10);
  // Somebody asks again, too: nothing else would.
  const { length } = world.due;
  world.clock.advance(10_000);
  assert.ok(world.due.length > length);
});
