// Two machines on a network of their own: nothing but `dsync -d folder` on each, with and without a default route.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { machines, type Machine } from "../support/machines.ts";
import { createNamespaces, whyNoNamespaces } from "../support/network-namespaces.ts";
import { incompressible, waitForEqualTrees, writeFiles } from "../support/trees.ts";

for (const hasDefaultRoute of [true, false]) {
  const name = `two machines ${hasDefaultRoute ? "with" : "without"} a default route find each other and sync`;
  test(name, { skip: whyNoNamespaces() }, async (t) => {
    const namespaces = createNamespaces({ hasDefaultRoute });
    t.after(() => namespaces.delete());
    const [a, b] = machines(t, 2) as [Machine, Machine];
    const on = (namespace: { readonly name: string }) => ({
      discovery: true,
      port: 9000,
      prefix: ["ip", "netns", "exec", namespace.name],
    });
    writeFiles(a.folder, { "from a.txt": "a", "big.bin": incompressible(2_000_000, 9) });
    writeFiles(b.folder, { "from b.txt": "b" });
    await a.start(on(namespaces.left));
    await b.start(on(namespaces.right));
    await waitForEqualTrees([a.folder, b.folder]);
    const joined = await b.instance.waitForEvent("peer-joined");
    assert.match(String(joined["address"]), /^10\.99\.0\.1:|^\[fe80::|^10\.99\.0\.1/);

    // A restart is a new identity at the same address.
    await a.kill();
    fs.writeFileSync(join(a.folder, "made while away.txt"), "x");
    await a.start(on(namespaces.left));
    await waitForEqualTrees([a.folder, b.folder]);
    // Stopped before the namespaces go.
    await Promise.all([a.stop(), b.stop()]);
  });
}

test(
  "two machines with public addresses, too, meet at their local ones, and nobody is refused",
  {
    skip: whyNoNamespaces(),
  },
  async (t) => {
    const namespaces = createNamespaces();
    t.after(() => namespaces.delete());
    const sides = [namespaces.left, namespaces.right];
    for (const [index, side] of sides.entries())
      side.run("ip", "addr", "add", `2001:db8::${index + 1}/64`, "dev", "eth0", "nodad");
    const pair = machines(t, 2);
    for (const [index, machine] of pair.entries()) {
      const prefix = ["ip", "netns", "exec", sides[index]?.name ?? ""];
      await machine.start({ discovery: true, port: 9000, prefix, args: ["--verbose"] });
    }
    for (const { instance } of pair) {
      const { peers, refused } = await instance.waitForSync();
      assert.match(peers[0]?.address ?? "", /^10\.99\.|^\[fe80::/);
      assert.deepEqual(refused, []);
      assert.deepEqual(
        instance.events.filter(({ event }) => event === "peer-refused"),
        [],
      );
    }
    await Promise.all(pair.map((machine) => machine.stop()));
  },
);
