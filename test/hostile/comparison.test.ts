// A peer that never says where it stands, or never answers: nobody else may have to wait for it.

import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HostilePeer } from "../support/hostile-peer.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { waitFor } from "../support/wait.ts";

for (const [name, speak] of [
  ["says nothing at all", () => {}],
  ["says where it stands, and answers no question", stand],
] as const) {
  test(`a peer that ${name} does not keep what others delete`, async (t) => {
    const [a, b] = machines(t, 2) as [Machine, Machine];
    await startPair(a, b);
    const file = join(b.folder, "note.txt");
    fs.writeFileSync(join(a.folder, "note.txt"), "a note");
    await waitFor(() => fs.existsSync(file), { until: "the note" });
    const peer = await HostilePeer.join(b.instance.port);
    speak(peer);
    await b.instance.waitForEvent("peer-joined", { where: (event) => event["name"] === "mallory" });
    fs.rmSync(join(a.folder, "note.txt"));
    await waitFor(() => !fs.existsSync(file), { until: "the delete to arrive" });
    peer.destroy();
  });
}

/** Makes the instance ask: what is claimed to be there is not here. */
function stand(peer: HostilePeer): void {
  peer.send({ type: "stand", root: Buffer.alloc(16, 7), pendingFiles: 0, pendingBytes: 0 });
  peer.send({ type: "children", prefix: [], fingerprints: Buffer.alloc(4096, 7) });
}
