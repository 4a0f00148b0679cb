import assert from "node:assert/strict";
import { test } from "node:test";
import { peerIdFromBytes, type PeerId } from "../core/ids.ts";
import { GOODBYE_MS_MAX, INTERFACE_POLL_MS, SERVICE_TTL_SECONDS } from "../core/limits.ts";
import { FakeClock, turnEventLoop } from "../../test/support/fake-clock.ts";
import { incoming, MemoryMdns, type MemoryHost } from "../../test/support/memory-mdns.ts";
import { Discovery, type DiscoveryProblem } from "./discovery.ts";
import { MDNS_PORT } from "./mdns.ts";
import type { DiscoveryEvent } from "./peer-table.ts";
import { buildAnnouncement, SERVICE_TYPE, shareHash } from "./service-records.ts";

function peerId(number: number): PeerId {
  return peerIdFromBytes(new Uint8Array(32).fill(number));
}

class Lab {
  readonly clock = new FakeClock();
  readonly bus = new MemoryMdns();

  start(host: MemoryHost, id: number): Running {
    return new Running(this, host, id);
  }

  host(name: string, address: string): MemoryHost {
    const host = this.bus.host(name);
    host.plug("eth0", "home", address);
    return host;
  }
}

class Running {
  readonly events: DiscoveryEvent[] = [];
  readonly problems: DiscoveryProblem[] = [];
  readonly discovery: Discovery;

  constructor({ clock }: Lab, host: MemoryHost, id: number) {
    this.discovery = new Discovery({
      service: {
        peerId: peerId(id),
        name: host.name,
        shareHash: shareHash("default"),
        version: 1,
        port: 7000,
      },
      clock,
      random: { bytes: (length) => new Uint8Array(length), fraction: () => (id % 10) / 10 },
      interfaces: host.interfaces,
      openSocket: host.openSocket,
    });
    this.discovery.events.on((event) => this.events.push(event));
    this.discovery.problems.on((problem) => this.problems.push(problem));
    this.discovery.start();
  }

  /** `found 2` for peer 2. */
  get story(): readonly string[] {
    return this.events.map((event) => {
      const id = event.kind === "found" ? event.peer.peerId : event.peerId;
      return `${event.kind} ${Number.parseInt(id.slice(0, 2), 16)}`;
    });
  }

  get candidates(): readonly string[] {
    const found = this.events.findLast((event) => event.kind === "found");
    return found?.kind === "found"
      ? found.peer.candidates.map(({ host, port, interface: name }) => `${host} ${port} ${name}`)
      : [];
  }
}

test("two instances find each other once, at once, and keep each other while they run", async () => {
  const lab = new Lab();
  const alice = lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  await lab.clock.run(500);
  const bob = lab.start(lab.host("bob", "10.0.0.2/24"), 2);
  await lab.clock.run(1_500);
  assert.deepEqual(alice.story, ["found 2"]);
  assert.deepEqual(bob.story, ["found 1"]);
  assert.deepEqual(alice.candidates, ["10.0.0.2 7000 eth0"]);
  await lab.clock.run(SERVICE_TTL_SECONDS * 5_000);
  assert.deepEqual(alice.story, ["found 2"]);
  assert.deepEqual(bob.story, ["found 1"]);
});

test("whoever stops says goodbye, and is lost at once", async () => {
  const lab = new Lab();
  const alice = lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  const bob = lab.start(lab.host("bob", "10.0.0.2/24"), 2);
  await lab.clock.run(1_500);
  await bob.discovery.stop();
  assert.deepEqual(alice.story, ["found 2", "lost 2"]);
  const sent = lab.bus.sent.length;
  await alice.discovery.stop();
  await lab.clock.run(60_000);
  assert.equal(lab.bus.sent.length, sent + 1, "one goodbye, and then silence");
  assert.equal(lab.clock.pendingTimers, 0);
  assert.deepEqual(bob.story, ["found 1"], "no events after the end");
});

test("a stop does not wait for a network that does not take the goodbye", async () => {
  const lab = new Lab();
  const host = lab.host("alice", "10.0.0.1/24");
  const open = host.openSocket;
  const discovery = new Discovery({
    service: { peerId: peerId(1), name: "alice", shareHash: shareHash("x"), version: 1, port: 1 },
    clock: lab.clock,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => 0 },
    interfaces: host.interfaces,
    openSocket: (...args) => ({ ...open(...args), send: () => new Promise(() => {}) }),
  });
  discovery.start();
  let isStopped = false;
  void discovery.stop().then(() => (isStopped = true));
  await lab.clock.run(GOODBYE_MS_MAX - 1);
  assert.equal(isStopped, false);
  await lab.clock.run(1);
  assert.equal(isStopped, true);
});

test("a crashed instance that starts again is lost under its old identity and found under its new one", async () => {
  const lab = new Lab();
  const alice = lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  const bob = lab.host("bob", "10.0.0.2/24");
  lab.start(bob, 2);
  await lab.clock.run(5_000);
  bob.isDown = true;
  lab.start(lab.host("bob", "10.0.0.2/24"), 3);
  await lab.clock.run(100);
  assert.deepEqual(alice.story, ["found 2", "lost 2", "found 3"]);
});

test("a crashed instance is lost when its announcement expires, and not much before", async () => {
  const lab = new Lab();
  const alice = lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  const bob = lab.host("bob", "10.0.0.2/24");
  lab.start(bob, 2);
  await lab.clock.run(60_000);
  bob.isDown = true;
  await lab.clock.run((SERVICE_TTL_SECONDS - 31) * 1_000);
  assert.deepEqual(alice.story, ["found 2"]);
  await lab.clock.run(31_000 + INTERFACE_POLL_MS);
  assert.deepEqual(alice.story, ["found 2", "lost 2"]);
});

test("an interface that appears later is used, and one that goes takes its peers along", async () => {
  const lab = new Lab();
  const host = lab.bus.host("alice");
  const alice = lab.start(host, 1);
  const bob = lab.start(lab.host("bob", "10.0.0.2/24"), 2);
  await lab.clock.run(10_000);
  assert.deepEqual(alice.story, []);
  host.plug("eth0", "home", "10.0.0.1/24");
  await lab.clock.run(INTERFACE_POLL_MS + 1_000);
  assert.deepEqual(alice.story, ["found 2"]);
  assert.deepEqual(bob.story, ["found 1"]);
  host.unplug("eth0");
  await lab.clock.run(INTERFACE_POLL_MS);
  assert.deepEqual(alice.story, ["found 2", "lost 2"]);
});

test("a new address on an interface is announced, without a goodbye", async () => {
  const lab = new Lab();
  const host = lab.host("alice", "10.0.0.1/24");
  lab.start(host, 1);
  const bob = lab.start(lab.host("bob", "10.0.0.2/24"), 2);
  await lab.clock.run(1_000);
  host.plug("eth0", "home", "10.0.0.77/24");
  await lab.clock.run(INTERFACE_POLL_MS + 1_000);
  assert.deepEqual(bob.story, ["found 1", "found 1"]);
  assert.deepEqual(bob.candidates, ["10.0.0.77 7000 eth0"]);
});

test("each network hears of its own addresses only, although the kernel mixes what arrives", async () => {
  const lab = new Lab();
  const host = lab.host("alice", "10.0.0.1/24");
  host.plug("wlan0", "office", "10.1.0.1/24", "fe80::1/64");
  const alice = lab.start(host, 1);
  const atHome = lab.start(lab.host("bob", "10.0.0.2/24"), 2);
  const carol = lab.bus.host("carol");
  carol.plug("en1", "office", "10.1.0.3/24", "fe80::3/64");
  const atOffice = lab.start(carol, 3);
  await lab.clock.run(1_500);
  assert.deepEqual(atHome.story, ["found 1"]);
  assert.deepEqual(atHome.candidates, ["10.0.0.1 7000 eth0"]);
  assert.deepEqual(atOffice.story, ["found 1"]);
  assert.deepEqual(atOffice.candidates, ["10.1.0.1 7000 en1", "fe80::1%en1 7000 en1"]);
  assert.deepEqual(alice.story.toSorted(), ["found 2", "found 3"]);
  for (const event of alice.events) {
    if (event.kind !== "found") continue;
    const expected = event.peer.peerId === peerId(2) ? "eth0" : "wlan0";
    assert.deepEqual(new Set(event.peer.candidates.map((candidate) => candidate.interface)), new Set([expected]));
  }
});

test("a peer seen on two networks is one peer, lost once", async () => {
  const lab = new Lab();
  const hosts = [0, 1].map((index) => lab.bus.host(`host ${index}`));
  for (const [index, host] of hosts.entries()) {
    host.plug("eth0", "home", `10.0.0.${index + 1}/24`);
    host.plug("wlan0", "office", `10.1.0.${index + 1}/24`);
  }
  const [first, second] = hosts.map((host, index) => lab.start(host, index + 1));
  await lab.clock.run(3_000);
  assert.deepEqual(first?.candidates, ["10.0.0.2 7000 eth0", "10.1.0.2 7000 wlan0"]);
  hosts[1]?.unplug("wlan0");
  await lab.clock.run(SERVICE_TTL_SECONDS * 2_000);
  assert.ok(!first?.story.includes("lost 2"), "still there on the other network");
  await second?.discovery.stop();
  assert.equal(first?.story.filter((line) => line === "lost 2").length, 1);
});

test("IPv6 alone is enough", async () => {
  const lab = new Lab();
  const alice = lab.start(lab.host("alice", "fe80::1/64"), 1);
  const bob = lab.start(lab.host("bob", "fe80::2/64"), 2);
  await lab.clock.run(1_500);
  assert.deepEqual(alice.candidates, ["fe80::2%eth0 7000 eth0"]);
  assert.deepEqual(bob.candidates, ["fe80::1%eth0 7000 eth0"]);
});

test("an IPv6 neighbour is known by the interface it is behind", async () => {
  const lab = new Lab();
  const host = lab.host("alice", "fe80::1/64");
  host.plug("wlan0", "office", "fe80::1/64");
  const alice = lab.start(host, 1);
  const bob = lab.bus.host("bob");
  bob.plug("eth0", "office", "fe80::2/64");
  lab.start(bob, 2);
  await lab.clock.run(1_500);
  assert.deepEqual(alice.story, ["found 2"]);
  assert.deepEqual(alice.candidates, ["fe80::2%wlan0 7000 wlan0"]);
});

test("an announcement from another port than a responder's is not believed", async () => {
  const lab = new Lab();
  const alice = lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  const service = { peerId: peerId(2), name: "bob", shareHash: shareHash("default"), version: 1, port: 7000 };
  const answers = buildAnnouncement({ service, addresses: ["10.0.0.2"], ttlSeconds: 120, flush: true });
  const message = incoming({ type: "response", id: 0, questions: [], answers });
  lab.bus.inject("home IPv4", message, { address: "10.0.0.2", port: 40_000 });
  assert.deepEqual(alice.story, []);
  lab.bus.inject("home IPv4", message, { address: "10.0.0.2", port: MDNS_PORT });
  assert.deepEqual(alice.story, ["found 2"]);
});

test("a cable that is pulled just before sending is no problem", async () => {
  const lab = new Lab();
  const host = lab.host("alice", "10.0.0.1/24");
  const alice = lab.start(host, 1);
  await lab.clock.run(500);
  host.unplug("eth0");
  host.sendError = new Error("send ENETUNREACH");
  await lab.clock.run(10_000);
  assert.deepEqual(alice.problems, []);
});

test("alone, an instance hears itself, finds nobody and does not answer itself", async () => {
  const lab = new Lab();
  const alice = lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  await lab.clock.run(600_000);
  assert.deepEqual(alice.events, []);
  const count = (type: string): number => lab.bus.sent.filter(({ message }) => message.type === type).length;
  assert.equal(count("response"), count("query"), "both once a round");
  assert.ok(count("query") <= 5 + 600 / 30, `${count("query")} rounds in ten minutes`);
});

test("when it is quiet, one instance asks for all, and everyone is heard", async () => {
  const lab = new Lab();
  const hosts = Array.from({ length: 10 }, (_, index) => lab.host(`host ${index}`, `10.0.0.${index + 1}/24`));
  const all = hosts.map((host, index) => lab.start(host, index + 1));
  await lab.clock.run(120_000);
  const before = lab.bus.sent.length;
  await lab.clock.run(600_000);
  const sent = lab.bus.sent.slice(before);
  const rounds = sent.filter(({ message }) => message.type === "query").length;
  assert.ok(rounds >= 18 && rounds <= 40, `${rounds} rounds in ten minutes`);
  for (const host of hosts) {
    const heard = sent.filter((datagram) => datagram.host === host.name && datagram.message.type === "response").length;
    assert.ok(heard >= 18 && heard <= 40, `${host.name}: ${heard} announcements in ten minutes`);
  }
  for (const one of all) assert.equal(one.story.length, hosts.length - 1);
});

test("a flood of questions gets an answer a second, and so does one with every field wrong", async () => {
  const lab = new Lab();
  const alice = lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  await lab.clock.run(10_000);
  const before = lab.bus.sent.length;
  const query = { type: "query", id: 0, answers: [], additionals: [] } as const;
  const source = { address: "10.0.0.9", port: MDNS_PORT };
  for (let count = 0; count < 500; count++) {
    lab.bus.inject("home IPv4", { ...query, questions: [{ name: SERVICE_TYPE.toUpperCase(), type: "PTR" }] }, source);
    lab.bus.inject("home IPv4", { ...query, questions: [null, 7, { name: 1, type: [] }, {}] }, source);
    await lab.clock.run(10);
  }
  const answers = lab.bus.sent.slice(before).filter(({ message }) => message.type === "response").length;
  assert.ok(answers >= 4 && answers <= 7, `${answers} answers in five seconds`);
  assert.deepEqual(alice.events, []);
});

test("a one-shot question is answered to its asker alone, with its own number, unless it comes from elsewhere", async () => {
  const lab = new Lab();
  lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  await lab.clock.run(10_000);
  const before = lab.bus.sent.length;
  const questions = [{ name: SERVICE_TYPE, type: "ANY" }];
  const query = { type: "query", id: 77, questions, answers: [], additionals: [] } as const;
  const asker = { address: "10.0.0.9", port: 40_000 };
  lab.bus.inject("home IPv4", query, { ...asker, address: "192.0.2.1" });
  lab.bus.inject("home IPv4", query, asker);
  lab.bus.inject("home IPv4", query, asker);
  await turnEventLoop();
  const [answer, ...others] = lab.bus.sent.slice(before);
  assert.deepEqual(others, [], "one answer at a time");
  assert.deepEqual(answer?.destination, asker);
  assert.equal(answer?.message.id, 77);
  assert.deepEqual(answer?.message.questions, questions);
  for (const record of answer?.message.answers ?? []) {
    assert.ok(record.ttl <= 10);
    assert.equal(record.flush, false);
  }
});

test("who knows our record is not told again; who asks for an address is", async () => {
  const lab = new Lab();
  lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  await lab.clock.run(10_000);
  const source = { address: "10.0.0.9", port: MDNS_PORT };
  const known = { type: "PTR", name: SERVICE_TYPE, data: `alice-01010101.${SERVICE_TYPE}` };
  const ask = async (questions: readonly unknown[], answers: readonly unknown[]): Promise<number> => {
    const before = lab.bus.sent.filter(({ message }) => message.type === "response").length;
    lab.bus.inject("home IPv4", { type: "query", id: 0, questions, answers, additionals: [] }, source);
    await lab.clock.run(1_500);
    return lab.bus.sent.filter(({ message }) => message.type === "response").length - before;
  };
  const forAll = { name: SERVICE_TYPE, type: "PTR" };
  assert.equal(await ask([forAll], [{ ...known, ttl: SERVICE_TTL_SECONDS }]), 0);
  assert.equal(await ask([forAll], [{ ...known, ttl: 10 }]), 1, "about to expire there");
  assert.equal(await ask([forAll], [{ ...known, ttl: "long" }]), 1);
  const forAddress = { name: "dsync-0101010101010101.local", type: "A" };
  assert.equal(await ask([forAll, forAddress], [{ ...known, ttl: SERVICE_TTL_SECONDS }]), 1);
  assert.equal(await ask([{ name: "printer.local", type: "A" }], []), 0);
});

test("trouble on an interface is reported once, tried again, and over when it is over", async () => {
  const lab = new Lab();
  const host = lab.host("alice", "10.0.0.1/24");
  host.openError = Object.assign(new Error("bind EADDRINUSE 0.0.0.0:5353"), { code: "EADDRINUSE" });
  const alice = lab.start(host, 1);
  const bob = lab.start(lab.host("bob", "10.0.0.2/24"), 2);
  await lab.clock.run(10_000);
  assert.equal(alice.problems.length, 1);
  assert.equal(alice.problems[0]?.interface, "eth0");
  assert.match(alice.problems[0]?.message ?? "", /eth0.*EADDRINUSE.*Another program/);
  host.openError = undefined;
  await lab.clock.run(INTERFACE_POLL_MS + 1_000);
  assert.deepEqual(alice.story, ["found 2"]);
  assert.deepEqual(bob.story, ["found 1"]);
  await lab.clock.run(INTERFACE_POLL_MS);
  host.sendError = Object.assign(new Error("send ENETUNREACH"), { code: "ENETUNREACH" });
  await lab.clock.run(120_000);
  assert.equal(alice.problems.length, 2, "a new one, after it had worked");
  assert.match(alice.problems[1]?.message ?? "", /ENETUNREACH/);
});

test("a list of interfaces that cannot be read is a problem, not a crash", async () => {
  const lab = new Lab();
  const host = lab.host("alice", "10.0.0.1/24");
  let isReadable = false;
  const problems: DiscoveryProblem[] = [];
  const discovery = new Discovery({
    service: { peerId: peerId(1), name: "alice", shareHash: shareHash("x"), version: 1, port: 1 },
    clock: lab.clock,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => 0 },
    interfaces: () => {
      if (!isReadable) throw new Error("EACCES");
      return host.interfaces();
    },
    openSocket: host.openSocket,
  });
  discovery.problems.on((problem) => problems.push(problem));
  discovery.start();
  await lab.clock.run(20_000);
  assert.deepEqual(
    problems.map((problem) => problem.interface),
    [undefined],
  );
  isReadable = true;
  await lab.clock.run(INTERFACE_POLL_MS);
  assert.ok(lab.bus.sent.length > 0);
});

test("after a suspension it announces and asks again", async () => {
  const lab = new Lab();
  lab.start(lab.host("alice", "10.0.0.1/24"), 1);
  await lab.clock.run(100_000);
  const before = lab.bus.sent.length;
  lab.clock.jump(3_600_000);
  await lab.clock.run(INTERFACE_POLL_MS);
  const types = lab.bus.sent.slice(before).map(({ message }) => message.type);
  assert.ok(types.includes("response") && types.includes("query"), String(types));
});
