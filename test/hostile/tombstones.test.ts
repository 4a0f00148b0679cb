// A member may delete everything: the trash keeps every file, and brings all of it back.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RestoreOutcome, TrashItem } from "../../src/core/reports.ts";
import type { Announcement, Message } from "../../src/pool/messages.ts";
import { runDsync } from "../support/dsync-process.ts";
import { replicaNumber } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { snapshot, writeFiles } from "../support/trees.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

test("tombstones for everything leave everything in the trash", async (t) => {
  const victim = await startVictim(t);
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`d${index % 7}/s${index % 3}/f${index}`, `content ${index}`]),
  );
  writeFiles(victim.folder, files);
  const { machine, folder } = victim;
  const isScanned = async (): Promise<boolean> => (await machine.instance.status()).entries >= 301;
  await waitFor(isScanned, { until: "the scan" });

  const peer = await HostilePeer.join(victim.port);
  peer.send({ type: "stand", root: Buffer.alloc(16), pendingFiles: 0, pendingBytes: 0 });
  peer.send({ type: "want", prefixes: [[]], hashes: new Uint8Array(0) });
  const isAnnouncement = (message: Message) => (message.type === "entries" ? message.entries : []);
  await peer.waitForMessage("compared");
  const known = new Map<string, Announcement>(peer.received.flatMap(isAnnouncement).map((item) => [item.path, item]));
  peer.announce(
    [...known.values()].map(({ path, entry }) => {
      const seen = [...entry.seen, [replicaNumber(1), 2 ** 41] as const].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return { path, entry: { seen, live: undefined }, held: true, inline: undefined };
    }),
  );
  await waitFor(() => snapshot(folder).size === 0, { until: "everything to be gone" });

  const list = await runDsync(["trash", "list", "-d", folder, "--json"], machine.home);
  const items = JSON.parse(list.stdout) as readonly TrashItem[];
  assert.deepEqual(new Set(items.map(({ path }) => path)), new Set([...Object.keys(files), "mine.txt"]));
  const restored = await runDsync(
    ["trash", "restore", ...items.map(({ item }) => item), "-d", folder, "--json"],
    machine.home,
  );
  assert.equal(restored.code, 0, restored.stderr);
  const outcomes = JSON.parse(restored.stdout) as readonly RestoreOutcome[];
  assert.ok(outcomes.every((outcome) => outcome.restored));
  for (const [path, content] of Object.entries(files)) {
    assert.equal(fs.readFileSync(join(folder, path), "utf8"), content, path);
  }
  await victim.assertUnharmed();
  peer.destroy();
});
