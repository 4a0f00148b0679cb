import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { QUIET } from "../../test/support/cli-values.ts";
import type { DsyncEvent, PeerProgress } from "../core/events.ts";
import type { PeerId, ReplicaId } from "../core/ids.ts";
import { LIVE_EVENTS_MAX, LIVE_PROBLEMS_MAX } from "../core/limits.ts";
import { emptyLiveState, reduceLive, type LiveState } from "./live-state.ts";
import { renderLive } from "./live-view.ts";
import { columnsOfText } from "./text-width.ts";

const START_MS = new Date(2024, 0, 1, 12, 0, 0).getTime();
const [PC, NAS] = ["ab".repeat(32) as PeerId, "cd".repeat(32) as PeerId];

const STARTED: DsyncEvent = {
  kind: "started",
  folder: "/home/u/shared",
  share: "default",
  name: "laptop",
  port: 9000,
  peerId: "0f".repeat(32) as PeerId,
  replicaId: "00" as ReplicaId,
  addresses: ["192.168.1.5:9000"],
  discovery: true,
  open: true,
};

/** The state after events, each `[ms after the start, event]`. */
function after(...events: readonly (readonly [number, DsyncEvent])[]): LiveState {
  return events.reduce(
    (state, [ms, event]) => reduceLive(state, event, START_MS + ms),
    reduceLive(emptyLiveState(START_MS), STARTED, START_MS),
  );
}

function view(state: LiveState, { columns = 80, rows = 24, ms = 1_000 } = {}): readonly string[] {
  return renderLive(state, { columns, rows, nowMs: START_MS + ms, color: false });
}

function joined(id: PeerId, name: string, isFirst = false): DsyncEvent {
  return { kind: "peer-joined", id, name, address: "192.168.1.20:9000", isFirst };
}

function stand(id: PeerId, state: PeerProgress["state"], pendingFiles = 0, pendingBytes = 0): PeerProgress {
  return { id, state, pendingFiles, pendingBytes };
}

const BUSY = after(
  [0, joined(PC, "pc")],
  [0, joined(NAS, "网络存储", true)],
  [0, { kind: "peer-found", id: "ee".repeat(32) as PeerId, name: "phone" }],
  [1_000, { kind: "progress", ...QUIET, transfers: [{ path: "isos/big.iso", doneBytes: 0, sizeBytes: 4e9 }] }],
  [1_500, { kind: "changed", path: "report.odt", change: "edited", by: "pc", isLocal: false }],
  [1_600, { kind: "conflict", path: "notes.txt", conflictPath: "notes.conflict-pc.txt", author: "pc" }],
  [1_700, { kind: "problem", path: "locked.db", reason: "Cannot write: permission denied. Change its mode." }],
  [
    2_000,
    {
      kind: "progress",
      ...QUIET,
      pendingFiles: 3,
      pendingBytes: 3e9,
      receivedBytesPerSecond: 45e6,
      transfers: [{ path: "isos/big.iso", doneBytes: 1e9, sizeBytes: 4e9 }],
      peers: [stand(PC, "in-sync"), stand(NAS, "pending", 3, 1.2e9)],
    },
  ],
);

test("80 columns: header, how others join, peers, transfers, events, problems", () => {
  assert.deepEqual(view(BUSY, { rows: 30, ms: 2_000 }), [
    "dsync  /home/u/shared                                      syncing with 2 peers",
    "share default · name laptop · port 9000 · ID 0f0f0f0f · open to anybody",
    "Others join: dsync -d <their folder>",
    "",
    "Problems",
    "  ! Skipped for now: locked.db: Cannot write: permission denied. Change its",
    "    mode.",
    "",
    "Peers",
    "  ● pc        abababab  192.168.1.20:9000       in sync",
    "  ◐ 网络存储  cdcdcdcd  192.168.1.20:9000       3 files · 1.2 GB left",
    "  ○ phone     eeeeeeee                          connecting",
    "",
    "Transfers",
    "  receiving: 3 files, 3.0 GB, 45.0 MB/s, 67 s left",
    "  isos/big.iso              ███░░░░░░░░░░░░   25%    1.0 GB/s          3 s left",
    "",
    "Events",
    "  12:00:01  conflict in notes.txt: both versions kept, pc's as notes.conflict-…",
    "  12:00:01  pc changed report.odt",
    "  12:00:00  New peer: 网络存储 joined (192.168.1.20:9000, cdcdcdcd)",
    "  12:00:00  pc joined",
    "",
    "Ctrl-C stops   dsync status: every problem",
  ]);
});

test("40 columns: less of everything, nothing cut that matters", () => {
  const lines = view(BUSY, { columns: 40, rows: 40, ms: 2_000 });
  assert.ok(lines.includes("  ● pc        in sync"));
  assert.ok(lines.includes("  ◐ 网络存储  3 files · 1.2 GB left"));
  assert.ok(lines.includes("  isos/big.iso           ██░░░░░░   25%"), lines.join("\n"));
});

test("200 columns: tables stay together, the address for the others is there", () => {
  const lines = view(BUSY, { columns: 200, rows: 40, ms: 2_000 });
  assert.equal(columnsOfText(lines[0] ?? ""), 120);
  assert.equal(
    lines[2],
    "Others join: dsync -d <their folder>   (where multicast does not reach: -a 192.168.1.5:9000)",
  );
  assert.ok(lines.some((line) => line.endsWith("both versions kept, pc's as notes.conflict-pc.txt")));
});

test("a low terminal keeps a bit of every part, and says what is missing", () => {
  const lines = view(BUSY, { rows: 13, ms: 2_000 });
  assert.equal(lines.length, 13);
  for (const title of ["Problems", "Peers"])
    assert.ok(
      lines.some((line) => line.startsWith(title)),
      title,
    );
  assert.equal(lines.at(-1), "Ctrl-C stops   dsync status: every problem");
  assert.ok(lines.some((line) => /… \d+ more lines?$/.test(line)));
});

test("without a peer for a while it says what to check, and no longer when one comes", () => {
  const alone = after();
  assert.ok(view(alone, { ms: 4_999 }).includes("  none yet"));
  assert.doesNotMatch(view(alone, { ms: 4_999 }).join(" "), /doctor/);
  assert.match(view(alone, { ms: 5_000 }).join(" "), /dsync doctor -d \/home\/u\/shared/);
  assert.doesNotMatch(view(after([0, joined(PC, "pc")]), { ms: 60_000 }).join(" "), /doctor/);
});

test("an address that was asked for shows until it answers", () => {
  const address = "192.168.1.20:9000";
  const failing = after(
    [0, { kind: "peer-sought", address }],
    [10, { kind: "peer-unreachable", address, reason: "no route" }],
  );
  assert.match(view(failing).join("\n"), /○ 192\.168\.1\.20:9000 {2}connecting: no route/);
  assert.doesNotMatch(view(failing, { ms: 70_000 }).join("\n"), /connecting/);
  assert.doesNotMatch(view(reduceLive(failing, joined(PC, "pc"), START_MS + 20)).join("\n"), /connecting/);
});

test("a peer goes from connecting to away, and comes back as one line whatever its new identity", () => {
  const gone = after(
    [0, { kind: "peer-found", id: PC, name: "pc" }],
    [1, joined(PC, "pc")],
    [2, { kind: "peer-lost", id: PC, name: "pc" }],
    [3, { kind: "peer-left", id: PC, name: "pc", reason: "goodbye" }],
  );
  assert.match(view(gone).join("\n"), /○ pc .*away\n/);
  assert.match(view(gone)[0] ?? "", /waiting for peers$/);
  const back = reduceLive(gone, joined(NAS, "pc"), START_MS + 4);
  assert.deepEqual([...back.peers.keys()], [NAS]);
  const neverThere = after(
    [0, { kind: "peer-found", id: PC, name: "pc" }],
    [1, { kind: "peer-lost", id: PC, name: "pc" }],
  );
  assert.equal(neverThere.peers.size, 0);
});

test("words to compare stand below their peer for as long as it is here", () => {
  const withWords = { ...joined(PC, "pc", true), verification: "acorn actor zipper zodiac" } as DsyncEvent;
  const here = after([0, withWords], [1, joined(NAS, "nas")]);
  for (const columns of [30, 50, 80, 200]) {
    const text = view(here, { columns, rows: 40 }).join("\n").replaceAll(/\s+/g, " ");
    assert.match(text, /pc .*comparing Both sides must show: acorn actor zipper zodiac . nas/);
    assert.equal(text.split("zodiac").length, 2);
  }
  const gone = reduceLive(here, { kind: "peer-left", id: PC, name: "pc", reason: "goodbye" }, START_MS + 2);
  assert.doesNotMatch(view(gone).join("\n"), /zodiac/);
});

test("the state of everything in a few words", () => {
  const says = (state: LiveState): string => /\S+(?: \S+)*$/.exec(view(state)[0] ?? "")?.[0] ?? "";
  const inSync = after([0, joined(PC, "pc")], [1, { kind: "progress", ...QUIET, peers: [stand(PC, "in-sync")] }]);
  assert.equal(says(inSync), "in sync with 1 peer");
  const halted = reduceLive(inSync, { kind: "halted", reason: "Disk full.", remedy: "Free some." }, START_MS);
  assert.equal(says(halted), "paused");
  assert.ok(view(halted).includes("  ! Paused: Disk full. Free some."));
  assert.equal(says(reduceLive(halted, { kind: "resumed" }, START_MS)), "in sync with 1 peer");
  assert.equal(says(reduceLive(inSync, { kind: "stopping" }, START_MS)), "stopping");
});

test("ten thousand changes are one line, and nothing in the state grows without end", () => {
  let state = after();
  for (let file = 0; file < 10_000; file++) {
    state = reduceLive(
      state,
      { kind: "changed", path: `f${file}`, change: "added", by: "pc", isLocal: false },
      START_MS,
    );
  }
  assert.ok(view(state).some((line) => line.endsWith("pc added 10,000 items, the last: f9999")));
  for (let n = 0; n < 1_000; n++) {
    const nowMs = START_MS + n * 10_000;
    state = reduceLive(state, { kind: "problem", path: `p${n}`, reason: "no" }, nowMs);
    state = reduceLive(state, { kind: "peer-refused", address: `h:${n}`, reason: "no", code: "other-share" }, nowMs);
    state = reduceLive(state, { kind: "resumed" }, nowMs);
    const id = n.toString(16).padStart(64, "0") as PeerId;
    state = reduceLive(state, { kind: "peer-left", id, name: `n${n}`, reason: "" }, nowMs);
  }
  assert.equal(state.problems.size, LIVE_PROBLEMS_MAX);
  assert.equal(state.warnings.length, LIVE_PROBLEMS_MAX);
  assert.equal(state.entries.length, LIVE_EVENTS_MAX);
  assert.equal(state.peers.size, 16);
});

test("whatever names, paths and sizes: never too wide, never too high, no control characters", () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 60 });
  const size = fc.record({ columns: fc.integer({ min: 1, max: 300 }), rows: fc.integer({ min: 1, max: 60 }) });
  fc.assert(
    fc.property(text, size, fc.nat(1e12), fc.nat(1e12), (name, { columns, rows }, doneBytes, sizeBytes) => {
      const state = after(
        [0, { ...STARTED, kind: "started", folder: name, name, share: name, addresses: [name] }],
        [0, joined(PC, name)],
        [0, { kind: "peer-sought", address: name }],
        [0, { kind: "halted", reason: name, remedy: name }],
        [0, { kind: "warning", message: name }],
        [0, { kind: "changed", path: name, change: "moved", from: name, by: name, isLocal: false }],
        [1, { kind: "progress", ...QUIET, transfers: [{ path: name, doneBytes, sizeBytes }] }],
      );
      const lines = view(state, { columns, rows });
      assert.ok(lines.length <= rows);
      for (const line of lines) {
        assert.ok(columnsOfText(line) <= Math.max(1, columns - 1), line);
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
      }
    }),
  );
});

test("what a peer was refused for is no problem any more once it has joined; what another was, still is", () => {
  const refused = (address: string): DsyncEvent => ({
    kind: "peer-refused",
    address,
    reason: `The peer at ${address} uses another passphrase.`,
    code: "passphrase",
  });
  const state = after([0, refused("192.168.1.20:41234")], [1, refused("192.168.1.2:9000")], [2, joined(PC, "pc")]);
  assert.deepEqual(state.warnings, [refused("192.168.1.2:9000")]);
  assert.doesNotMatch(view(state).join("\n"), /192\.168\.1\.20:41234/);
  assert.deepEqual(reduceLive(state, refused("192.168.1.20:41234"), START_MS + 3).warnings.length, 2);
});
