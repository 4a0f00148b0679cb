// Handshakes that are replayed, reflected, never end, or are none; and peers that greet wrongly after a right one.

import assert from "node:assert/strict";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { HANDSHAKES_PER_ADDRESS_MAX, SESSIONS_PER_ADDRESS_MAX } from "../../src/core/limits.ts";
import { systemRandom } from "../../src/edge/random.ts";
import { encodeHello, HELLO_BYTES } from "../../src/handshake/hello.ts";
import { OPENING_BYTES } from "../../src/handshake/verification.ts";
import { PROTOCOL_VERSION } from "../../src/pool/messages.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

/** A bare connection: what came back, and whether it has ended. */
class Line {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  hasEnded = false;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (bytes) => (this.received = Buffer.concat([this.received, bytes])));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.hasEnded = true));
  }

  ended(): Promise<true> {
    return waitFor(() => (this.hasEnded ? true : undefined), { until: "the connection to end" });
  }

  answer(bytes: number): Promise<true> {
    return waitFor(() => (this.received.length >= bytes ? true : undefined), { until: `${bytes} bytes` });
  }
}

function clientHello(): Uint8Array {
  return encodeHello({
    role: "client",
    version: PROTOCOL_VERSION,
    mode: "open",
    ephemeralKey: systemRandom.bytes(32),
    challenge: systemRandom.bytes(32),
  });
}

test("a hello that comes back, and a proof that comes back, prove nothing", async (t) => {
  const victim = await startVictim(t);
  const first = new Line(victim.port);
  first.socket.write(clientHello());
  await first.answer(HELLO_BYTES + 112);
  const serverHello = first.received.subarray(0, HELLO_BYTES);
  const serverProof = first.received.subarray(HELLO_BYTES);

  const reflected = new Line(victim.port);
  reflected.socket.write(serverHello);
  await reflected.ended();
  assert.equal(reflected.received.length, 0);

  first.socket.write(Buffer.concat([serverProof, Buffer.alloc(OPENING_BYTES)]));
  await first.ended();
  await victim.assertUnharmed();
  assert.equal((await victim.machine.instance.status()).peers.length, 1, "the honest one alone");
});

test("a recorded handshake is of no use a second time", async (t) => {
  const victim = await startVictim(t);
  let recorded = Buffer.alloc(0);
  const recorder = createServer((client) => {
    const server = connect(victim.port, "127.0.0.1");
    client.on("data", (bytes) => (recorded = Buffer.concat([recorded, bytes])));
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => recorder.listen(0, "127.0.0.1", resolve));
  t.after(() => recorder.close());
  const { port } = recorder.address() as AddressInfo;
  const peer = await HostilePeer.join(port);
  assert.equal(peer.close, undefined);
  peer.destroy();
  await waitFor(async () => (await victim.machine.instance.status()).peers.length === 0, { until: "it to be gone" });
  const joined = (): number => victim.machine.instance.events.filter(({ event }) => event === "peer-joined").length;
  assert.equal(joined(), 1);

  const line = new Line(victim.port);
  line.socket.write(recorded);
  await line.ended();
  assert.ok(recorded.length > HELLO_BYTES + 112);
  assert.equal(joined(), 1);
  await victim.assertUnharmed();
});

test("handshakes that never end are cut off, are few, and are named once", async (t) => {
  const victim = await startVictim(t);
  const before = victim.memoryBytes();
  const lines = Array.from({ length: 200 }, () => new Line(victim.port));
  for (const line of lines) line.socket.write(clientHello().subarray(0, 50));
  const open = (): number => lines.filter(({ hasEnded }) => !hasEnded).length;
  await waitFor(() => open() <= HANDSHAKES_PER_ADDRESS_MAX, { until: "most to be refused" });
  await waitFor(() => open() === 0, { until: "the rest to time out" });
  assert.ok(victim.memoryBytes() - before < 50 * 1024 * 1024);
  const { events } = victim.machine.instance;
  const refusals = events.filter(({ event }) => event === "peer-refused");
  assert.ok(refusals.length <= 2, JSON.stringify(refusals));
  await victim.assertUnharmed();
});

test("random bytes are answered with nothing", async (t) => {
  const victim = await startVictim(t);
  for (const bytes of [Buffer.alloc(500), systemRandom.bytes(500), Buffer.from("GET / HTTP/1.1\r\n\r\n")]) {
    const line = new Line(victim.port);
    line.socket.write(bytes);
    await line.ended();
    assert.equal(line.received.length, 0);
  }
  await victim.assertUnharmed();
});

test("one address does not take all sessions", async (t) => {
  const victim = await startVictim(t);
  const peers: HostilePeer[] = [];
  for (let count = 0; count <= SESSIONS_PER_ADDRESS_MAX; count++) peers.push(await HostilePeer.join(victim.port));
  assert.equal(peers.pop()?.close?.code, "overload");
  for (const peer of peers) assert.equal(peer.close, undefined);
  for (const peer of peers) peer.destroy();
  await waitFor(async () => (await victim.machine.instance.status()).peers.length === 0, { until: "all to be gone" });
  await victim.assertUnharmed();
});

test("who breaks the protocol again and again is not let in for a while", async (t) => {
  const victim = await startVictim(t);
  let refused = 0;
  for (let attempt = 0; attempt < 60 && refused === 0; attempt++) {
    try {
      const peer = await HostilePeer.join(victim.port);
      peer.sendFrame(99, Buffer.alloc(0));
      await waitFor(() => peer.hasEnded || peer.close !== undefined, { until: "the end" });
    } catch {
      refused++;
    }
  }
  assert.equal(refused, 1);
  const { events } = victim.machine.instance;
  assert.ok(events.filter(({ event }) => event === "peer-refused").length <= 1);
  await victim.assertUnharmed();
});

test("who comes and goes again and again is not let in for a while", async (t) => {
  const victim = await startVictim(t);
  const { events } = victim.machine.instance;
  const left = (): number => events.filter(({ event }) => event === "peer-left").length;
  let isRefused = false;
  for (let visit = 0; visit < 60 && !isRefused; visit++) {
    try {
      const peer = await HostilePeer.join(victim.port);
      peer.destroy();
      await waitFor(() => left() > visit, { until: "it to be noticed" });
    } catch {
      isRefused = true;
    }
  }
  assert.ok(isRefused);
  await victim.assertUnharmed();
});

test("hellos that are wrong close the channel and nothing else", async (t) => {
  const victim = await startVictim(t);
  const greet = async (payload: readonly Uint8Array[]): Promise<string | undefined> => {
    const peer = await HostilePeer.connect(victim.port);
    for (const bytes of payload) peer.sendFrame(1, bytes);
    return (await peer.closed()).code;
  };
  assert.equal(await greet([Buffer.from([0x90])]), "protocol-error");
  assert.equal(await greet([Buffer.from([0x95, 0xa1, 0x78, 0xa1, 0x78, 0xa1, 0x78, 0xc0, 0x00])]), "protocol-error");
  assert.equal(await greet([]), "timeout");
  const other = await HostilePeer.join(victim.port, { share: "another" });
  assert.equal((await other.closed()).code, "other-share");
  const twice = await HostilePeer.join(victim.port);
  twice.sendFrame(1, Buffer.from([0x90]));
  assert.equal((await twice.closed()).code, "protocol-error");
  await victim.assertUnharmed();
});
