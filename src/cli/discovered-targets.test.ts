import assert from "node:assert/strict";
import { test } from "node:test";
import type { DsyncEvent } from "../core/events.ts";
import type { PeerId } from "../core/ids.ts";
import type { DiscoveredPeer } from "../discovery/peer-table.ts";
import { DiscoveredTargets } from "./discovered-targets.ts";

const PC = "ab".repeat(32) as PeerId;
const LOCAL = "192.168.1.20";
const PUBLIC = "2001:db8::20";

function world({ allowRemote = false } = {}) {
  /** Like the pool's: adding one again changes nothing. */
  const targeted = new Set<string>();
  const counts: number[] = [];
  const events: DsyncEvent[] = [];
  const targets = new DiscoveredTargets({
    targets: {
      addTarget: ({ host }) => void counts.push(targeted.add(host).size),
      removeTarget: ({ host }) => {
        assert.ok(targeted.delete(host), host);
        counts.push(targeted.size);
      },
    },
    ownShareHash: "00000001",
    ownVersion: 1,
    allowRemote,
    emit: (event) => void events.push(event),
  });
  const find = (hosts: readonly string[], more: Partial<DiscoveredPeer> = {}): void =>
    targets.note({
      kind: "found",
      peer: {
        peerId: PC,
        name: "pc",
        shareHash: "00000001",
        version: 1,
        candidates: hosts.map((host) => ({ host, port: 9000, interface: "eth0" })),
        ...more,
      },
    });
  return { dialled: () => [...targeted], counts, events, targets, find };
}

test("of a peer with local and public addresses only the local ones are dialled: nothing is refused", () => {
  const { dialled, find } = world();
  find([LOCAL, PUBLIC]);
  assert.deepEqual(dialled(), [LOCAL]);
  find([PUBLIC, LOCAL, "fe80::1%eth0"]);
  assert.deepEqual(dialled(), [LOCAL, "fe80::1%eth0"]);
});

test("a peer with public addresses alone is handed on, so that its refusal is reported", () => {
  const { dialled, find } = world();
  find([PUBLIC]);
  assert.deepEqual(dialled(), [PUBLIC]);
  find([PUBLIC, LOCAL]);
  assert.deepEqual(dialled(), [LOCAL]);
});

test("a peer that moves to other addresses is never without a target: its running dial goes on", () => {
  const { counts, dialled, find } = world();
  find([LOCAL]);
  find(["10.0.0.1"]);
  find(["10.0.0.1"]);
  assert.deepEqual(dialled(), ["10.0.0.1"]);
  assert.ok(
    counts.every((count) => count > 0),
    counts.join(" "),
  );
});

test("with --allow-remote every address is dialled", () => {
  const { dialled, find } = world({ allowRemote: true });
  find([LOCAL, PUBLIC]);
  assert.deepEqual(dialled(), [LOCAL, PUBLIC]);
});

test("a peer is named once, again under a new name, and when it is lost; then nothing of it is dialled", () => {
  const { dialled, events, targets, find } = world();
  find([LOCAL]);
  find([LOCAL, "10.0.0.1"]);
  find([LOCAL], { name: "desk" });
  targets.note({ kind: "lost", peerId: PC });
  targets.note({ kind: "lost", peerId: PC });
  assert.deepEqual(events, [
    { kind: "peer-found", id: PC, name: "pc" },
    { kind: "peer-found", id: PC, name: "desk" },
    { kind: "peer-lost", id: PC, name: "desk" },
  ]);
  assert.deepEqual(dialled(), []);
});

test("another share is left alone, and another version is told to whoever wants details", () => {
  const { dialled, events, find } = world();
  find([LOCAL], { shareHash: "00000002" });
  assert.deepEqual(events, []);
  find([LOCAL], { version: 2 });
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["debug"],
  );
  assert.deepEqual(dialled(), []);
});
