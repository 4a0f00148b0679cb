import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, turnEventLoop } from "../../test/support/fake-clock.ts";
import { memoryConnectionPair, type MemoryConnectionOptions } from "../../test/support/memory-connection.ts";
import { HANDSHAKE_MS_MAX } from "../core/limits.ts";
import type { Connection, ConnectionEnd } from "../edge/network.ts";
import { systemRandom } from "../edge/random.ts";
import { nativeAead } from "./aead-native.ts";
import type { Role } from "./hello.ts";
import { createIdentity } from "./identity.ts";
import { passphraseBytes } from "./passphrase-exchange.ts";
import { performHandshake, type HandshakeOutcome, type PerformHandshakeOptions } from "./perform-handshake.ts";
import { CLIENT_PROOF_BYTES } from "./proof.ts";

function options(role: Role, changes: Partial<PerformHandshakeOptions> = {}): PerformHandshakeOptions {
  return {
    role,
    identity: createIdentity(systemRandom),
    aead: nativeAead,
    version: 1,
    random: systemRandom,
    clock: new FakeClock(),
    signal: new AbortController().signal,
    ...changes,
  };
}

function endOf(connection: Connection): Promise<ConnectionEnd> {
  return new Promise((resolve) => connection.onEnd(resolve));
}

function reasonOf(outcome: HandshakeOutcome): string {
  return outcome.kind === "failed" ? outcome.reason : outcome.kind;
}

async function converse(wire: MemoryConnectionOptions, changes: Partial<PerformHandshakeOptions> = {}) {
  const [first, second] = memoryConnectionPair(wire);
  const client = performHandshake(first, options("client"));
  const server = performHandshake(second, options("server", changes));
  return { first, second, client: await client, server: await server };
}

test("both sides are secured, whole messages or single bytes", async () => {
  for (const cut of [(available: number) => available, () => 1]) {
    const clock = new FakeClock();
    const { client, server } = await converse({ cut }, { clock });
    assert.ok(client.kind === "secured" && server.kind === "secured");
    assert.deepEqual(client.secrets.sendKey, server.secrets.receiveKey);
    assert.equal(server.leftover.length, 0);
    assert.equal(clock.pendingTimers, 0);
  }
});

test("what arrives right behind the handshake is handed on, and the rest waits", async () => {
  const [first, second] = memoryConnectionPair();
  const server = performHandshake(second, options("server"));
  // The client's proof and its first record in one piece.
  const glued: Connection = Object.create(first, {
    write: {
      value: (pieces: readonly Uint8Array[]) => {
        const bytes = Buffer.concat(pieces);
        return first.write([
          bytes.length === CLIENT_PROOF_BYTES ? Buffer.concat([bytes, Buffer.from("first record")]) : bytes,
        ]);
      },
    },
    onData: { value: first.onData.bind(first) },
    onEnd: { value: first.onEnd.bind(first) },
    resume: { value: () => first.resume() },
    pause: { value: () => first.pause() },
  });
  const client = await performHandshake(glued, options("client"));
  assert.equal(client.kind, "secured");
  const outcome = await server;
  assert.ok(outcome.kind === "secured");
  assert.equal(Buffer.from(outcome.leftover).toString(), "first record");

  first.write([Buffer.from("second record")]);
  await turnEventLoop();
  assert.equal(first.inFlightBytes, "second record".length);
  const later = new Promise<string>((resolve) => second.onData((bytes) => resolve(Buffer.from(bytes).toString())));
  second.resume();
  assert.equal(await later, "second record");
});

test("one that does not finish in time is dropped", async () => {
  const [first, second] = memoryConnectionPair();
  const clock = new FakeClock();
  const outcome = performHandshake(second, options("server", { clock }));
  first.resume();
  first.write([Buffer.from("dsync")]);
  await clock.run(HANDSHAKE_MS_MAX - 1);
  assert.equal(clock.pendingTimers, 1);
  await clock.run(1);
  assert.equal(reasonOf(await outcome), "timeout");
  await endOf(first);
});

test("an abort drops it, also one that came before", async () => {
  for (const early of [true, false]) {
    const [first, second] = memoryConnectionPair();
    const controller = new AbortController();
    const clock = new FakeClock();
    if (early) controller.abort();
    const outcome = performHandshake(second, options("server", { signal: controller.signal, clock }));
    controller.abort();
    assert.equal(reasonOf(await outcome), "aborted");
    assert.equal(clock.pendingTimers, 0);
    await endOf(first);
  }
});

test("the other side's end is told from a failure", async () => {
  const [first, second] = memoryConnectionPair();
  const outcome = performHandshake(second, options("server"));
  first.resume();
  first.end();
  assert.equal(reasonOf(await outcome), "ended");
});

test("both sides of two versions know why", async () => {
  const { client, server } = await converse({}, { version: 7 });
  assert.equal(reasonOf(client), "version");
  assert.equal(reasonOf(server), "version");
});

test("two passphrases: both sides know why, and both connections end", async () => {
  const [first, second] = memoryConnectionPair({ cut: () => 7 });
  const [right, wrong] = [passphraseBytes("right"), passphraseBytes("wrong")];
  const client = performHandshake(first, options("client", { passphrase: right }));
  const server = performHandshake(second, options("server", { passphrase: wrong }));
  assert.equal(reasonOf(await client), "passphrase-other");
  assert.equal(reasonOf(await server), "passphrase-other");
  await Promise.all([endOf(first), endOf(second)]);
});

test("the secrets of a handshake are wiped when it is over, well or badly", async () => {
  for (const passphrase of ["right", "wrong"]) {
    const given: Uint8Array[] = [];
    const random = {
      ...systemRandom,
      bytes: (length: number) => {
        const bytes = Uint8Array.from(systemRandom.bytes(length));
        given.push(bytes);
        return bytes;
      },
    };
    const [first, second] = memoryConnectionPair();
    const client = performHandshake(first, options("client", { random, passphrase: passphraseBytes(passphrase) }));
    const server = performHandshake(second, options("server", { passphrase: passphraseBytes("right") }));
    await Promise.all([client, server]);
    // The challenge alone is no secret.
    assert.equal(given.length, 3);
    assert.equal(given.filter((bytes) => bytes.every((byte) => byte === 0)).length, 2);
  }
});

test("a tampered handshake ends the connection of both", async () => {
  const tamper = (bytes: Uint8Array, from: "first" | "second") => {
    if (from === "first") return bytes;
    const changed = Buffer.from(bytes);
    changed[60] = (changed[60] ?? 0) ^ 1;
    return changed;
  };
  const { first, second, client, server } = await converse({ tamper });
  assert.equal(reasonOf(client), "bad-proof");
  assert.equal(reasonOf(server), "ended");
  await Promise.all([endOf(first), endOf(second)]);
});

test("a flood instead of a hello is cut off at once", async () => {
  const [first, second] = memoryConnectionPair();
  const outcome = performHandshake(second, options("server"));
  first.resume();
  first.write([new Uint8Array(1_000_000)]);
  assert.equal(reasonOf(await outcome), "not-dsync");
  await endOf(first);
});
