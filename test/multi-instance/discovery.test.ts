// Discovery between real processes: over loopback, over a cable between two network namespaces, and as avahi sees it.

import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DEADLINE_MS, waitFor } from "../support/wait.ts";
import {
  createNamespaces,
  whyNoNamespaces,
  type NamespacePair,
  type NetworkNamespace,
} from "../support/network-namespaces.ts";

const PROBE = fileURLToPath(new URL("../support/discovery-probe.js", import.meta.url));

interface ProbeLine {
  readonly kind: "found" | "lost" | "problem" | "stopped";
  readonly peerId?: string;
  readonly message?: string;
  readonly peer?: {
    readonly peerId: string;
    readonly name: string;
    readonly candidates: readonly {
      readonly host: string;
      readonly port: number;
      readonly interface: string;
    }[];
  };
}

/** Of one test, which waits for several things. */
const TEST_MS_MAX = 3 * DEADLINE_MS;

/** A discovery-probe process. */
class Probe {
  readonly #child: ChildProcess;
  readonly #lines: ProbeLine[] = [];
  readonly #ended: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "exit");
    assert.ok(child.stdout !== null);
    createInterface({ input: child.stdout }).on("line", (line) => this.#lines.push(JSON.parse(line) as ProbeLine));
  }

  async until(what: string, matches: (line: ProbeLine) => boolean): Promise<ProbeLine> {
    return waitFor(() => this.#lines.find(matches) ?? fail(this.#lines), { until: what });
  }

  /** The first address at which it found `id`. */
  async foundAt(id: string): Promise<string> {
    const { peer } = await this.until(`found ${id.slice(0, 2)}`, (line) => line.peer?.peerId === id);
    const [candidate] = peer?.candidates ?? [];
    return `${candidate?.host} ${candidate?.port}`;
  }

  async lost(id: string): Promise<void> {
    await this.until(`lost ${id.slice(0, 2)}`, (line) => line.kind === "lost" && line.peerId === id);
  }

  assertNoProblems(): void {
    assert.deepEqual(
      this.#lines.filter(({ kind }) => kind === "problem"),
      [],
    );
  }

  /** SIGTERM: it says goodbye. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGTERM");
    await this.#ended;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

const ids = ["a1", "b2", "c3"].map((byte) => byte.repeat(32));
const [aliceId = "", bobId = "", nextBobId = ""] = ids;
const stdio: SpawnOptions = { stdio: ["ignore", "pipe", "inherit"] };

const localProbe = (...args: readonly string[]): Probe => new Probe(spawn(process.execPath, [PROBE, ...args], stdio));
const probeIn = (namespace: NetworkNamespace, ...args: readonly string[]): Probe =>
  new Probe(namespace.spawn(process.execPath, [PROBE, ...args], stdio));

test("two processes on one machine find each other on loopback alone", { timeout: TEST_MS_MAX }, async () => {
  const alice = localProbe("7001", "alice", aliceId, "lo");
  const bob = localProbe("7002", "bob's mac.local", bobId, "lo");
  try {
    assert.equal(await alice.foundAt(bobId), "127.0.0.1 7002");
    assert.equal(await bob.foundAt(aliceId), "127.0.0.1 7001");
    await bob.stop();
    await alice.lost(bobId);
    alice.assertNoProblems();
  } finally {
    await Promise.all([alice.stop(), bob.stop()]);
  }
});

const skip = whyNoNamespaces();

for (const hasDefaultRoute of [false, true]) {
  const title = `two machines ${hasDefaultRoute ? "with" : "without"} a default route find each other, and lose who leaves`;
  test(title, { skip, timeout: TEST_MS_MAX }, async () => {
    await withMachines({ hasDefaultRoute }, async ({ left, right }) => {
      const alice = probeIn(left, "7001", "alice", aliceId);
      const bob = probeIn(right, "7002", "bob", bobId);
      try {
        assert.equal(await alice.foundAt(bobId), `${right.ipv4} 7002`);
        assert.equal(await bob.foundAt(aliceId), `${left.ipv4} 7001`);
        await bob.stop();
        await alice.lost(bobId);
        alice.assertNoProblems();
      } finally {
        await Promise.all([alice.stop(), bob.stop()]);
      }
    });
  });
}

test(
  "a killed instance that is started again is found under its new identity",
  { skip, timeout: TEST_MS_MAX },
  async () => {
    await withMachines({}, async ({ left, right }) => {
      const alice = probeIn(left, "7001", "alice", aliceId);
      const bob = probeIn(right, "7002", "bob", bobId);
      let nextBob: Probe | undefined;
      try {
        await alice.foundAt(bobId);
        await bob.kill();
        nextBob = probeIn(right, "7002", "bob", nextBobId);
        await alice.foundAt(nextBobId);
        await alice.lost(bobId);
        await nextBob.foundAt(aliceId);
      } finally {
        await Promise.all([alice.stop(), nextBob?.stop()]);
      }
    });
  },
);

test(
  "without IPv4, machines find each other by link-local addresses that can be dialled",
  { skip, timeout: TEST_MS_MAX },
  async () => {
    await withMachines({ isIpv6Only: true }, async ({ left, right }) => {
      const alice = probeIn(left, "7001", "alice", aliceId);
      const bob = probeIn(right, "7002", "bob", bobId);
      const [address = ""] = (await alice.foundAt(bobId)).split(" ");
      try {
        assert.match(address, /^fe80:.*%eth0$/);
        await assertDialable(left, right, address);
      } finally {
        await Promise.all([alice.stop(), bob.stop()]);
      }
    });
  },
);

test(
  "an address that comes later, and a cable that is plugged in again, are noticed",
  { skip, timeout: TEST_MS_MAX },
  async () => {
    await withMachines({ isIpv6Only: true }, async (machines) => {
      const { left, right } = machines;
      const alice = probeIn(left, "7001", "alice", aliceId);
      const bob = probeIn(right, "7002", "bob", bobId);
      try {
        await alice.foundAt(bobId);
        machines.addIpv4();
        await alice.until("found at IPv4", ({ peer }) => peer?.candidates[0]?.host === right.ipv4);
        await assertDialable(left, right, right.ipv4);
        machines.unplug();
        await alice.lost(bobId);
        await bob.lost(aliceId);
        machines.plugIn();
        const later = probeIn(right, "7003", "carol", nextBobId);
        try {
          await alice.foundAt(nextBobId);
        } finally {
          await later.stop();
        }
        alice.assertNoProblems();
      } finally {
        await Promise.all([alice.stop(), bob.stop()]);
      }
    });
  },
);

test(
  "avahi-browse shows the service, and avahi and dsync share the port",
  { skip: skip || whyNoAvahi(), timeout: TEST_MS_MAX },
  async (context) => {
    await withMachines({}, async ({ left, right }) => {
      const folder = mkdtempSync(join(tmpdir(), "dsync-avahi-"));
      const bus = `unix:path=${join(folder, "bus")}`;
      const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: bus };
      const children: ChildProcess[] = [];
      const probes: Probe[] = [];
      try {
        writeFileSync(join(folder, "bus.conf"), busConfiguration(bus));
        writeFileSync(join(folder, "avahi.conf"), "[server]\nuse-ipv4=yes\nuse-ipv6=yes\n");
        children.push(
          right.spawn("dbus-daemon", ["--nofork", `--config-file=${join(folder, "bus.conf")}`], {
            env,
            stdio: "ignore",
          }),
        );
        await waitFor(() => existsSync(join(folder, "bus")), { until: "the message bus runs" });
        // Its own /run, so that it does not meet another avahi of this machine.
        const avahi = `mount -t tmpfs tmpfs /run && mkdir /run/avahi-daemon && exec avahi-daemon --no-drop-root --no-rlimits --no-chroot -f ${folder}/avahi.conf`;
        children.push(right.spawn("sh", ["-c", avahi], { env, stdio: "ignore" }));
        const browse = (): string =>
          right.run("env", `DBUS_SYSTEM_BUS_ADDRESS=${bus}`, "avahi-browse", "-rpt", "_dsync._tcp");
        const canBrowse = await waitFor(() => browse() !== undefined, {
          until: "avahi runs",
          deadlineMs: 20_000,
        }).catch(() => false);
        if (!canBrowse) return context.skip("avahi-daemon does not run here");
        probes.push(probeIn(left, "7001", "alice", aliceId), probeIn(right, "7002", "bob", bobId));
        await probes[0]?.foundAt(bobId);

        const line = (name: string, id: string, host: string, port: number): string =>
          `${name}-${id.slice(0, 8)};_dsync._tcp;local;dsync-${id.slice(0, 16)}.local;${host};${port};`;
        const expected = [line("alice", aliceId, left.ipv4, 7001), line("bob", bobId, right.ipv4, 7002)];
        const isShown = (seen: string): boolean => expected.every((each) => seen.includes(each));
        const seen = await waitFor(() => [browse()].find(isShown) ?? fail(browse()), {
          until: "both are shown",
        });
        for (const text of [`"id=${aliceId}"`, '"v=1"', '"name=alice"', '"share='])
          assert.ok(seen.includes(text), seen);
        await probes[0]?.stop();
        await probes[1]?.lost(aliceId);
        await waitFor(() => !browse().includes("alice"), { until: "the goodbye is seen" });
      } finally {
        await Promise.all(probes.map((probe) => probe.stop()));
        for (const child of children.toReversed()) {
          const ended = once(child, "exit");
          if (child.exitCode !== null || !child.kill("SIGTERM")) continue;
          await ended;
        }
        rmSync(folder, { recursive: true });
      }
    });
  },
);

async function withMachines(
  options: Parameters<typeof createNamespaces>[0],
  action: (machines: NamespacePair) => Promise<void>,
): Promise<void> {
  const machines = createNamespaces(options);
  try {
    await action(machines);
  } finally {
    machines.delete();
  }
}

/** Connects from `client` to a server in `server`. */
async function assertDialable(client: NetworkNamespace, server: NetworkNamespace, host: string): Promise<void> {
  const listen = "require('net').createServer((socket) => socket.end()).listen(7010, '::', () => console.log('up'))";
  const child = server.spawn(process.execPath, ["-e", listen], stdio);
  try {
    assert.ok(child.stdout !== null);
    await once(child.stdout, "data");
    const dial = `require('net').connect(7010, '${host}', () => process.exit(0))`;
    client.run(process.execPath, "-e", dial);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

function whyNoAvahi(): string | false {
  for (const program of ["avahi-daemon", "avahi-browse", "dbus-daemon"]) {
    try {
      execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    } catch {
      return `needs ${program}`;
    }
  }
  return false;
}

/** A message bus on which everyone may do everything. */
function busConfiguration(address: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow receive_requested_reply="true"/>
  </policy>
</busconfig>`;
}

/** Not there yet: if it never comes, this is what there was. */
function fail(seen: unknown): never {
  throw new Error(typeof seen === "string" ? seen : JSON.stringify(seen));
}
