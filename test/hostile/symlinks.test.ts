// A peer sends a symlink that leads out, and then files below it, in every order; and asks for what is behind one.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentHash } from "../../src/content/blake3.ts";
import { announcement, fileAt, pathOf } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

test("nothing is written through a symlink", async (t) => {
  const victim = await startVictim(t);
  const peer = await HostilePeer.join(victim.port);
  peer.send({ type: "stand", root: Buffer.alloc(16), pendingFiles: 0, pendingBytes: 0 });
  const link = announcement("link", { kind: "symlink", target: "../outside" }, { stamp: 5 });
  peer.announce([
    link,
    fileAt("link/secret", "evil"),
    fileAt("link/new", "evil"),
    announcement("link/gone", undefined),
  ]);
  await waitFor(() => fs.existsSync(join(victim.folder, "link")), { until: "the link or the directory" });
  // The same, once the link is on the disk.
  fs.symlinkSync("../outside", join(victim.folder, "mine-too"));
  peer.announce([fileAt("mine-too/secret", "evil"), fileAt("mine-too/new", "evil"), fileAt("done", "done")]);
  await waitFor(() => fs.existsSync(join(victim.folder, "done")), { until: "what came last" });
  await victim.assertUnharmed();
  peer.destroy();
  assert.deepEqual(fs.readdirSync(victim.outside), ["secret"]);
});

test("nothing is read through a symlink, not even to compare it", async (t) => {
  const victim = await startVictim(t);
  fs.symlinkSync(victim.outside, join(victim.folder, "link"));
  const peer = await HostilePeer.join(victim.port);
  const data = await peer.openData();
  const secret = Buffer.from("nobody's business");
  const hash = contentHash(secret);
  const paths = ["link/secret", "mine.txt", ".dsync/replica.json", "link"].map(pathOf);
  const items = paths.map((path) => ({ path, contentId: hash, offset: 0, length: secret.length, hash }));
  data.send({ type: "fetch", id: 1, items });
  await waitFor(() => data.received.filter(({ type }) => type === "chunk").length === items.length, {
    until: "answers",
  });
  for (const message of data.received) if (message.type === "chunk") assert.equal(message.encoding, "gone");
  await victim.assertUnharmed();
  peer.destroy();
});
