import assert from "node:assert/strict";
import { test } from "node:test";
import type { DsyncEvent } from "../core/events.ts";
import type { PeerId } from "../core/ids.ts";
import { REFUSED_LISTED_MAX } from "../core/limits.ts";
import type { PeerInfo } from "../pool/session.ts";
import { replicaIdOf } from "../../test/support/replica-world.ts";
import { PeerReporter } from "./peer-reporter.ts";

const ID = "ab".repeat(32) as PeerId;
const peer: PeerInfo = { id: ID, name: "ada", replicaId: replicaIdOf(1), remote: { host: "fe80::1", port: 9000 } };

test("a peer that comes again is not new, and the words of a session are there if they were asked for", () => {
  const events: DsyncEvent[] = [];
  const emit = (event: DsyncEvent): number => events.push(event);
  const reporter = new PeerReporter({ sayVerification: ([first]) => `word ${first}`, emit });
  const silent = new PeerReporter({ sayVerification: undefined, emit });
  reporter.note({ type: "session-opened", peer, verification: Uint8Array.of(7) });
  reporter.note({ type: "session-opened", peer, verification: Uint8Array.of(8) });
  silent.note({ type: "session-opened", peer, verification: Uint8Array.of(9) });
  const joined = { kind: "peer-joined", id: ID, name: "ada", address: "[fe80::1]:9000" };
  assert.deepEqual(events, [
    { ...joined, isFirst: true, verification: "word 7" },
    { ...joined, isFirst: false, verification: "word 8" },
    { ...joined, isFirst: true },
  ]);
});

test("who left did so for a reason, if only for that of its kind", () => {
  const reasons: string[] = [];
  const emit = (event: DsyncEvent): void => {
    if (event.kind === "peer-left") reasons.push(event.reason);
  };
  const reporter = new PeerReporter({ sayVerification: undefined, emit });
  for (const detail of ["", "is stopping"]) {
    reporter.note({ type: "session-ended", peer, end: { code: "goodbye", byPeer: true, detail } });
  }
  assert.deepEqual(reasons, ["goodbye", "is stopping"]);
});

test("of those that were refused the last few are listed", () => {
  const reporter = new PeerReporter({ sayVerification: undefined, emit: () => {} });
  const count = REFUSED_LISTED_MAX + 3;
  for (let port = 1; port <= count; port++) {
    reporter.note({ type: "refused", reason: "passphrase", host: "10.0.0.1", port, detail: "another one", count: 1 });
  }
  assert.equal(reporter.refused.length, REFUSED_LISTED_MAX);
  assert.deepEqual(reporter.refused[0], { address: "10.0.0.1:4", reason: "another one" });
  assert.deepEqual(reporter.refused.at(-1), { address: `10.0.0.1:${count}`, reason: "another one" });
});
