import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerId } from "../core/ids.ts";
import type { StatusReport } from "../core/reports.ts";
import { probeMulticast, type ProbedLink } from "../discovery/probe-multicast.ts";
import type { FoundService } from "../discovery/parse-services.ts";
import { localInterface } from "../../test/support/memory-mdns.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { checkAll } from "./doctor-checks.ts";
import type { DoctorFacts } from "./doctor-facts.ts";
import { doctorText } from "./doctor-text.ts";
import { fileSystemIn } from "./file-system-traits.ts";
import type { Finding } from "./finding.ts";
import { gatherFacts, type DoctorSubject, type Probes } from "./gather-facts.ts";

const PC = "ab".repeat(32) as PeerId;

const LINK: ProbedLink = { interface: "eth0", family: "IPv4", loopback: false, received: true, problem: undefined };

const SERVICE: FoundService = {
  instanceName: "pc._dsync._tcp.local",
  peerId: PC,
  name: "pc",
  shareHash: "00000001",
  version: 1,
  host: "pc.local",
  port: 9000,
  addresses: ["192.168.1.20"],
  ttlSeconds: 120,
};

const STATUS: StatusReport = {
  running: true,
  folder: "/f",
  share: "default",
  name: "laptop",
  port: 9000,
  replicaId: "00",
  peerId: "cd".repeat(32),
  merkleRoot: "00",
  inSync: true,
  peers: [
    {
      id: PC,
      name: "pc",
      address: "192.168.1.20:9000",
      inSync: true,
      pending: { files: 0, bytes: 0 },
      verification: null,
    },
  ],
  pending: { files: 0, bytes: 0 },
  outgoing: { files: 0, bytes: 0 },
  failed: [],
  conflicts: 0,
  halted: null,
  entries: 0,
  traffic: { sentBytes: 0, receivedBytes: 0 },
  refused: [],
};

const FINE: DoctorFacts = {
  nodeVersion: "20.19.0",
  fastPaths: { cipher: true, blake3: true },
  folder: {
    path: "/f",
    exists: true,
    denied: null,
    freeBytes: 5e9,
    fileSystem: "ext4",
    directories: 100,
    watchesMax: 8192,
  },
  port: { kind: "listening", port: 9000, unreachable: [] },
  firewalls: [],
  network: { links: [LINK], services: [SERVICE], ownShareHash: "00000001", ownVersion: 1 },
  clock: { nowMs: Date.UTC(2026, 1, 1), isSynchronised: true },
  status: STATUS,
};

/** What is not ok. */
function complaints(facts: Partial<DoctorFacts>): readonly Finding[] {
  return checkAll({ ...FINE, ...facts }).filter(({ verdict }) => verdict !== "ok");
}

test("where all is well there is nothing to complain of", () => {
  assert.deepEqual(complaints({}), []);
  assert.match(doctorText(checkAll(FINE)), /\nNo problems, 0 warnings\.\n$/);
});

test("each thing that goes wrong is one complaint with the right weight and a remedy", () => {
  const { folder, network, port } = FINE;
  const noPeers = { ...STATUS, peers: [] };
  const cases: readonly (readonly [Partial<DoctorFacts>, string, Finding["verdict"], RegExp])[] = [
    [{ nodeVersion: "20.18.3" }, "node", "problem", /Install Node\.js 20\.19/],
    [{ status: { unreachable: "It hangs." } }, "instance", "problem", /dsync -d \/f/],
    [{ status: { ...STATUS, halted: "Disk full." } }, "instance", "problem", /space/],
    [{ status: { ...STATUS, failed: [{ path: "a", reason: "b" }] } }, "paths", "warning", /dsync status -d \/f/],
    [{ folder: { ...folder, exists: false } }, "folder", "warning", /creates it/],
    [{ folder: { ...folder, denied: "EACCES" } }, "folder", "problem", /chmod u\+rwx \/f/],
    [{ folder: { ...folder, freeBytes: 5e8 } }, "space", "warning", /trash empty/],
    [{ folder: { ...folder, freeBytes: 5e6 } }, "space", "problem", /trash empty/],
    [{ folder: { ...folder, directories: 7000 } }, "watches", "warning", /max_user_watches=524288$/],
    [{ folder: { ...folder, directories: 1e6 } }, "watches", "problem", /max_user_watches=2097152$/],
    [{ port: { ...port, kind: "listening", unreachable: ["192.168.1.5:9000"] } }, "port", "problem", /firewall/],
    [{ port: { kind: "taken", port: 9000, isAsked: true } }, "port", "problem", /-p 0/],
    [{ port: { kind: "failed", port: 80, reason: "EACCES" } }, "port", "problem", /-p/],
    [{ firewalls: ["ufw"] }, "firewall", "warning", /ufw allow 9000\/tcp && sudo ufw allow 5353\/udp/],
    [{ network: { ...network, links: [] } }, "multicast", "problem", /network/],
    [{ network: { ...network, links: [{ ...LINK, received: false }] } }, "multicast", "problem", /-a/],
    [{ network: { ...network, links: [LINK, { ...LINK, received: false }] } }, "multicast", "warning", /-a/],
    [
      { network: { ...network, services: [{ ...SERVICE, version: 2 }] }, status: noPeers },
      "peer",
      "problem",
      /same version/,
    ],
    [{ status: noPeers }, "peer", "problem", /firewall of that machine/],
    [{ status: noPeers, network: { ...network, services: [] } }, "peer", "warning", /another machine/],
    [{ clock: { nowMs: 0, isSynchronised: null } }, "clock", "problem", /set-ntp/],
    [{ clock: { ...FINE.clock, isSynchronised: false } }, "clock", "warning", /set-ntp/],
    [{ fastPaths: { cipher: true, blake3: false } }, "speed", "warning", /npm ci/],
  ];
  for (const [facts, check, verdict, remedy] of cases) {
    const [found, ...more] = complaints(facts);
    assert.deepEqual([found?.check, found?.verdict, more], [check, verdict, []], JSON.stringify(facts));
    assert.match(found?.remedy ?? "", remedy);
  }
  const limits = complaints({ folder: { ...folder, fileSystem: "vfat" } });
  assert.match(limits[0]?.text ?? "", /without regard to case.*permissions.*hard links/);
});

test("a peer is told apart: another share, refused, connected, not started here; ourselves is none", () => {
  const { network } = FINE;
  const says = (facts: Partial<DoctorFacts>): string =>
    checkAll({ ...FINE, ...facts })
      .filter(({ check }) => check === "peer")
      .map(({ verdict, text }) => `${verdict}: ${text}`)
      .join("|");
  const noPeers = { ...STATUS, peers: [] };
  assert.equal(says({}), "ok: pc (192.168.1.20:9000, abababab) is connected and in sync.");
  assert.match(
    says({ network: { ...network, services: [{ ...SERVICE, shareHash: "2" }] }, status: noPeers }),
    /^ok: .*another share/,
  );
  const refused = [{ address: "192.168.1.20:41234", reason: "It knows another passphrase." }];
  assert.match(says({ status: { ...noPeers, refused } }), /^problem: .*is refused: It knows another passphrase\.$/);
  assert.match(
    says({ status: { ...noPeers, refused: [{ address: "192.168.1.200:1", reason: "" }] } }),
    /not connected/,
  );
  const both = { ...network, services: [{ ...SERVICE, addresses: ["2001:db8::20", "192.168.1.20"] }] };
  const oldRefusal = [{ address: "[2001:db8::20]:9000", reason: "Not local." }];
  assert.match(
    says({ network: both, status: { ...STATUS, refused: oldRefusal } }),
    /^ok: .* is connected and in sync\.$/,
  );
  assert.match(says({ status: null }), /will be connected once dsync runs here/);
  assert.match(says({ network: { ...network, services: [] } }), /^ok: pc .* is connected\.$/);
  const self = { ...SERVICE, peerId: STATUS.peerId as PeerId };
  assert.match(says({ network: { ...network, services: [self] }, status: noPeers }), /^warning: No other instance/);
});

test("what others chose is escaped in the text", () => {
  const evil = { ...SERVICE, name: "a\u001b[2Jb\n" };
  const text = doctorText(checkAll({ ...FINE, network: { ...FINE.network, services: [evil] } }));
  assert.ok(text.includes(String.raw`a\x1b[2Jb\x0a`));
});

const SUBJECT: DoctorSubject = {
  system: "linux",
  nodeVersion: "20.19.0",
  fastPaths: { cipher: true, blake3: true },
  folder: { path: "/mnt/my disk/f", exists: true },
  port: { value: 9000, explicit: false },
  ownShareHash: "00000001",
  ownVersion: 1,
};

const MOUNTS = [
  "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
  String.raw`2 1 8:2 / /mnt/my\040disk rw,nosuid shared:1 - exfat /dev/sdb1 rw`,
  "3 1 8:3 / /mnt/my rw - xfs /dev/sdc1 rw",
].join("\n");

const FILES: Readonly<Record<string, string>> = {
  "/proc/sys/fs/inotify/max_user_watches": "8192\n",
  "/proc/self/mountinfo": MOUNTS,
  "/etc/ufw/ufw.conf": "# comment\nENABLED=yes\n",
};

const PROBES: Probes = {
  nowMs: () => 5,
  readText: (path) => FILES[path],
  exists: () => false,
  runTool: async () => "no\n",
  deniedAt: () => null,
  freeBytes: () => {
    throw new Error("no");
  },
  countDirectories: async () => 3,
  tryPort: async () => "taken",
  canConnect: async (host) => host === "127.0.0.1",
  multicast: async () => ({ links: [LINK], services: [] }),
  ownAddresses: () => ["192.168.1.5"],
  status: async () => undefined,
};

test("facts are gathered from the machine; one that cannot be had is not known, and nothing else fails", async () => {
  const facts = await gatherFacts(SUBJECT, PROBES);
  const { folder } = facts;
  assert.deepEqual(
    [folder.fileSystem, folder.watchesMax, folder.freeBytes, folder.directories],
    ["exfat", 8192, null, 3],
  );
  assert.deepEqual(facts.firewalls, ["ufw"]);
  assert.deepEqual(facts.clock, { nowMs: 5, isSynchronised: false });
  assert.deepEqual(facts.port, { kind: "taken", port: 9000, isAsked: false });
  const running = await gatherFacts(SUBJECT, { ...PROBES, status: async () => ({ ...STATUS, port: 9001 }) });
  assert.deepEqual(running.port, { kind: "listening", port: 9001, unreachable: ["192.168.1.5:9001"] });
  const hanging = await gatherFacts(SUBJECT, { ...PROBES, status: () => Promise.reject(new Error("hangs")) });
  assert.deepEqual(hanging.status, { unreachable: "hangs" });
  const bare = await gatherFacts(SUBJECT, { ...PROBES, readText: () => undefined, runTool: async () => undefined });
  assert.deepEqual([bare.folder.fileSystem, bare.folder.watchesMax, bare.clock.isSynchronised], [null, null, null]);
});

test("the file system of the longest mount point counts, and the last of two on one point", () => {
  assert.equal(fileSystemIn(MOUNTS, "/home"), "ext4");
  assert.equal(fileSystemIn(MOUNTS, "/mnt/my"), "xfs");
  assert.equal(fileSystemIn(`${MOUNTS}\n9 1 8:9 / /mnt/my rw - tmpfs none rw`, "/mnt/my/x"), "tmpfs");
  assert.equal(fileSystemIn("nonsense", "/"), undefined);
});

test("the multicast probe tells which interface hears itself, and survives one that cannot be opened", async () => {
  const clock = new FakeClock();
  const probing = probeMulticast({
    interfaces: [
      localInterface("good", "10.0.0.1/24"),
      localInterface("deaf", "10.0.1.1/24"),
      localInterface("bad", "10.0.2.1/24"),
    ],
    clock,
    nonce: "n",
    openSocket: ({ interface: { name } }, handlers) => {
      if (name === "bad") throw new Error("refused");
      return {
        send: async (message) => {
          const { type, id, questions } = message;
          if (name === "good")
            handlers.onMessage(
              { type, id, questions, answers: [], additionals: [] },
              { address: "10.0.0.1", port: 5353 },
            );
        },
        close: () => {},
      };
    },
  });
  await clock.run(10_000);
  const { links } = await probing;
  assert.deepEqual(
    links.map(({ interface: name, received, problem }) => [name, received, problem]),
    [
      ["good", true, undefined],
      ["deaf", false, undefined],
      ["bad", false, "refused"],
    ],
  );
});
