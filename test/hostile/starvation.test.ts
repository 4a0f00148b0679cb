// A peer announces more content that nobody has than is looked at in one go: what others have arrives all the same.

import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PULL_QUEUE_PATHS_MAX } from "../../src/core/limits.ts";
import type { Announcement } from "../../src/pool/messages.ts";
import { announcement, fileAt, fileContent } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { machines, type Machine } from "../support/machines.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const BATCH = 1_000;
const UNSERVABLE = PULL_QUEUE_PATHS_MAX + 10 * BATCH;
const NAMES = Array.from({ length: 100 }, (_, index) => `real ${index}`);

async function announceAll(machine: Machine, announcements: readonly Announcement[]): Promise<void> {
  const peer = await HostilePeer.join(machine.instance.port);
  peer.send({ type: "stand", root: Buffer.alloc(16), pendingFiles: 0, pendingBytes: 0 });
  for (let first = 0; first < announcements.length; first += BATCH) {
    if (!peer.announce(announcements.slice(first, first + BATCH))) await peer.drained();
  }
  const isKnown = async (): Promise<boolean> => (await machine.instance.status()).entries >= announcements.length;
  await waitFor(isKnown, { until: "all to be known", intervalMs: 500 });
  peer.destroy();
}

test("content that nobody has does not keep other content waiting, after a restart either", async (t) => {
  const victim = await startVictim(t);
  const a = victim.machine;
  const [b] = machines(t, 1) as [Machine];
  await b.start();
  const real = NAMES.map((name) => fileAt(name, `content of ${name}`));
  const never = fileContent("never to be had");
  const unservable = Array.from({ length: UNSERVABLE }, (_, index) => announcement(`never ${index}`, never));
  const withoutContent = real.map(({ path, entry }) => ({ path, entry, held: true, inline: undefined }));
  // b gets the content of what a only hears of: from then on both know the same of these paths.
  await announceAll(b, real);
  await announceAll(a, [...withoutContent, ...unservable]);
  await a.stop();
  await a.start({ peers: [b.instance.port] });
  for (const name of NAMES) {
    await waitFor(() => fs.existsSync(join(a.folder, name)), { until: name });
  }
  victim.assertBounded();
});
