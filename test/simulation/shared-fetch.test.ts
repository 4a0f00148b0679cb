// Several instances that want the same large file get it from each other, whatever becomes of one of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { testSeed } from "../support/seeded.ts";
import { Mesh } from "./mesh.ts";

const MIB = 2 ** 20;
const SIZE = 10 * MIB;
const NAME = "disk.img";

async function withNewFile(count: number, seed: number): Promise<{ mesh: Mesh; sentBefore: number }> {
  const mesh = new Mesh(count, seed);
  await mesh.connect();
  const sentBefore = mesh.network.sentBytesOf(mesh.first.address);
  mesh.write(mesh.first, NAME, SIZE);
  return { mesh, sentBefore };
}

/** Content that a machine has asked others for arrives in parts. */
function hasBegun(mesh: Mesh, sentBefore: number): boolean {
  return mesh.network.sentBytesOf(mesh.first.address) - sentBefore > SIZE / 4;
}

test("whoever made a large file sends it about once, however many want it", async (t) => {
  const seed = testSeed(1);
  t.diagnostic(`seed ${seed}`);
  const { mesh, sentBefore } = await withNewFile(6, seed);
  await mesh.until(() => mesh.machines.every((machine) => mesh.holds(machine, NAME, SIZE)));
  const sent = mesh.network.sentBytesOf(mesh.first.address) - sentBefore;
  assert.ok(sent < 1.7 * SIZE, `${(sent / SIZE).toFixed(2)} times the file`);
});

test("one that gets nowhere holds up nobody", async (t) => {
  const seed = testSeed(2);
  t.diagnostic(`seed ${seed}`);
  const { mesh, sentBefore } = await withNewFile(4, seed);
  await mesh.until(() => hasBegun(mesh, sentBefore));
  const stuck = mesh.machines[1] ?? assert.fail();
  // Its share does not arrive there, and nobody is told.
  for (const other of mesh.machines) if (other !== stuck) mesh.network.block(stuck.address, other.address);
  const others = mesh.machines.filter((machine) => machine !== stuck);
  const beganMs = mesh.nowMs;
  await mesh.until(() => others.every((machine) => mesh.holds(machine, NAME, SIZE)));
  assert.ok(mesh.nowMs - beganMs < 6_000, `${mesh.nowMs - beganMs} ms`);
  mesh.network.unblockAll();
  await mesh.until(() => mesh.holds(stuck, NAME, SIZE));
});

test("one that dies in the middle, and the maker's death after it, leave the others with the file if they have it all", async (t) => {
  const seed = testSeed(3);
  t.diagnostic(`seed ${seed}`);
  const { mesh, sentBefore } = await withNewFile(5, seed);
  await mesh.until(() => hasBegun(mesh, sentBefore));
  const [maker, dying, ...others] = mesh.machines;
  assert.ok(maker !== undefined && dying !== undefined);
  dying.crash();
  await mesh.until(() => others.some((machine) => mesh.holds(machine, NAME, SIZE)));
  maker.crash();
  await mesh.until(() => others.every((machine) => mesh.holds(machine, NAME, SIZE)));
  void dying.start();
  await mesh.wait(10);
  mesh.introduce(dying);
  for (const other of others) other.meet(dying);
  await mesh.until(() => mesh.holds(dying, NAME, SIZE));
});
