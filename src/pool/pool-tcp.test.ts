// Two pools over real TCP on loopback, with the real clock.

import assert from "node:assert/strict";
import { test } from "node:test";
import { replicaIdFromBytes } from "../core/ids.ts";
import { systemClock } from "../edge/clock.ts";
import { systemRandom } from "../edge/random.ts";
import { tcpNetwork } from "../edge/tcp-network.ts";
import { createIdentity } from "../handshake/identity.ts";
import { selectAead } from "../handshake/select-aead.ts";
import type { Message } from "./messages.ts";
import { channelOpener } from "./open-channel.ts";
import { Pool } from "./pool.ts";
import type { Session } from "./session.ts";
import { waitFor } from "../../test/support/wait.ts";

const PAYLOAD_BYTES = 1024 * 1024;
/** A close that is not answered is given up after a second (pool.test.ts); all other waits of a pool are longer than this. */
const STOP_MS_MAX = 4_500;

test("two pools that are pointed at each other share one session, move data, and stop without waiting for anything", async () => {
  const [a, b] = [await startPool(), await startPool()];
  try {
    a.pool.addTarget({ host: "127.0.0.1", port: b.pool.port ?? 0, source: "peer-flag" });
    b.pool.addTarget({ host: "::1", port: a.pool.port ?? 0, source: "peer-flag" });
    const [atA, atB] = await waitFor(() => pair(a.pool, b.pool), { until: "joined", intervalMs: 2 });
    assert.equal(atA.isLeader, !atB.isLeader);
    let received = 0;
    atB.onDataChannel((channel) => channel.onMessage((message) => (received += bytesOf(message))));
    // The side that did not dial asks.
    (atA.isLeader ? atB : atA).wantDataChannels(2);
    await waitFor(() => atA.dataChannels.length === 2 && atB.dataChannels.length === 2, { until: "data channels" });
    for (const channel of atA.dataChannels) {
      const payload = new Uint8Array(PAYLOAD_BYTES);
      channel.send({ type: "chunk", id: 1, index: 0, encoding: "raw", length: PAYLOAD_BYTES, payload });
    }
    await waitFor(() => received === 2 * PAYLOAD_BYTES, { until: "both chunks" });
  } finally {
    const startMs = performance.now();
    await Promise.all([a.pool.stop(), b.pool.stop()]);
    assert.ok(performance.now() - startMs < STOP_MS_MAX);
  }
  assert.deepEqual([a.pool.sessions, b.pool.sessions], [[], []]);
});

test("a peer that restarts on the same port with a new identity is joined again", async () => {
  const [a, b] = [await startPool(), await startPool()];
  const port = b.pool.port ?? 0;
  a.pool.addTarget({ host: "localhost", port, source: "peer-flag" });
  await waitFor(() => pair(a.pool, b.pool), { until: "joined" });
  await b.pool.stop();
  await waitFor(() => a.pool.sessions.length === 0, { until: "the goodbye" });
  const again = await startPool(port);
  try {
    await waitFor(() => pair(a.pool, again.pool), { until: "joined again" });
    assert.notEqual(again.id, b.id);
  } finally {
    await Promise.all([a.pool.stop(), again.pool.stop()]);
  }
});

async function startPool(port = 0) {
  const identity = createIdentity(systemRandom);
  const aead = selectAead({ portable: false });
  const pool = new Pool({
    network: tcpNetwork,
    clock: systemClock,
    random: systemRandom,
    ownId: identity.peerId,
    openChannel: channelOpener({ identity, aead, random: systemRandom, clock: systemClock }),
    listenPort: { port, isExplicit: true },
    share: "default",
    name: "test",
    replicaId: () => replicaIdFromBytes(new Uint8Array(8)),
    dataChannelsMax: 4,
    allowRemote: false,
    rateLimitBytesPerSecond: undefined,
    onSession: () => {},
  });
  await pool.start();
  return { pool, id: identity.peerId };
}

/** The one session between two pools, as each sees it. */
function pair(a: Pool, b: Pool): readonly [Session, Session] | undefined {
  const [atA] = a.sessions;
  const [atB] = b.sessions;
  if (atA === undefined || atB === undefined) return undefined;
  const isSame = Buffer.compare(atA.control.verification, atB.control.verification) === 0;
  return isSame ? [atA, atB] : undefined;
}

function bytesOf(message: Message): number {
  return message.type === "chunk" ? message.payload.length : 0;
}
