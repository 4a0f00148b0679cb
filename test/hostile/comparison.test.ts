// A peer that never says where it stands, or never answers: nobody else may have to wait for it.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HostilePeer } from "../support/hostile-peer.ts";
import { machines, type Machine } from "../support/machines.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

for (const [name, speak] of [
  ["says nothing at all", () => {}],
  ["says where it stands, and answers no question", stand],
] as const) {
  test(`a peer that ${name} does not keep what others delete`, async (t) => {
    const victim = await startVictim(t);
    const [other] = machines(t, 1) as [Machine];
    await other.start({ peers: [victim.port] });
    const file = join(victim.folder, "note.txt");
    fs.writeFileSync(join(other.folder, "note.txt"), "a note");
    await waitFor(() => fs.existsSync(file), { until: "the note" });
    const peer = await HostilePeer.join(victim.port);
    speak(peer);
    await victim.machine.instance.waitForEvent("peer-joined", { where: (event) => event["name"] === "mallory" });
    fs.rmSync(join(other.folder, "note.txt"));
    await waitFor(() => !fs.existsSync(file), { until: "the delete to arrive" });
    await victim.assertUnharmed();
    assert.equal(peer.hasEnded, false, "it is legal");
    peer.destroy();
  });
}

/** Makes the instance ask: what is claimed to be there is not here. */
function stand(peer: HostilePeer): void {
  peer.send({ type: "stand", root: Buffer.alloc(16, 7), pendingFiles: 0, pendingBytes: 0 });
  peer.send({ type: "children", prefix: [], fingerprints: Buffer.alloc(4096, 7) });
}
