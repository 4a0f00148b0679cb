import assert from "node:assert/strict";
import { test } from "node:test";
import { feed } from "../../test/support/feed-handshake.ts";
import { systemRandom } from "../edge/random.ts";
import { nativeAead } from "./aead-native.ts";
import { nobleAead } from "./aead-noble.ts";
import { startHandshake, type HandshakeOptions, type HandshakeStep } from "./handshake.ts";
import { HELLO_BYTES, HELLO_HEAD_BYTES, type Role } from "./hello.ts";
import { createIdentity } from "./identity.ts";
import { CLIENT_PROOF_BYTES, SERVER_PROOF_BYTES } from "./proof.ts";
import { OPENING_BYTES } from "./verification.ts";

const VERSION = 1;

function options(role: Role, changes: Partial<HandshakeOptions> = {}): HandshakeOptions {
  return {
    role,
    identity: createIdentity(systemRandom),
    aead: nativeAead,
    version: VERSION,
    ephemeralSecret: systemRandom.bytes(32),
    challenge: systemRandom.bytes(32),
    ...changes,
  };
}

/** Both sides of a handshake, with `onWire` between them. */
function converse(
  client: HandshakeOptions,
  server: HandshakeOptions,
  onWire: (bytes: Uint8Array, message: number) => Uint8Array = (bytes) => bytes,
) {
  const start = startHandshake(client);
  const answered = feed(startHandshake(server), onWire(start.output, 0));
  const proved = feed(start, onWire(answered.output, 1));
  const finished = feed(answered.step, onWire(proved.output, 2));
  return { client: proved.step, server: finished.step };
}

function reasonOf(step: HandshakeStep): string {
  return step.kind === "failed" ? step.reason : step.kind;
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 0x40;
  return changed;
}

test("both sides end up with each other's identity and matching keys", () => {
  for (const serverAead of [nativeAead, nobleAead]) {
    const client = options("client");
    const server = options("server", { aead: serverAead, expectedPeerId: client.identity.peerId });
    const result = converse({ ...client, expectedPeerId: server.identity.peerId }, server);
    assert.ok(result.client.kind === "done" && result.server.kind === "done");
    const [ofClient, ofServer] = [result.client.secrets, result.server.secrets];
    assert.equal(ofClient.peerId, server.identity.peerId);
    assert.equal(ofServer.peerId, client.identity.peerId);
    assert.deepEqual(ofClient.transcriptHash, ofServer.transcriptHash);
    assert.deepEqual(ofClient.verification, ofServer.verification);
    assert.deepEqual(ofClient.sendKey, ofServer.receiveKey);
    assert.deepEqual(ofClient.receiveKey, ofServer.sendKey);
    assert.notDeepEqual(ofClient.sendKey, ofClient.receiveKey);
  }
});

test("messages have their fixed sizes, and the server speaks only after a hello", () => {
  const client = startHandshake(options("client"));
  const server = startHandshake(options("server"));
  assert.equal(client.output.length, HELLO_BYTES);
  assert.equal(server.output.length, 0);
  const answered = feed(server, client.output);
  assert.equal(answered.output.length, HELLO_BYTES + SERVER_PROOF_BYTES);
  assert.equal(feed(client, answered.output).output.length, CLIENT_PROOF_BYTES);
});

test("the same instances never get the same keys twice", () => {
  const [client, server] = [options("client"), options("server")];
  const fresh = (old: HandshakeOptions) => ({ ...old, challenge: systemRandom.bytes(32) });
  const [first, second] = [converse(client, server), converse(client, fresh(server))];
  assert.ok(first.client.kind === "done" && second.client.kind === "done");
  assert.notDeepEqual(first.client.secrets.sendKey, second.client.secrets.sendKey);
  assert.notDeepEqual(first.client.secrets.transcriptHash, second.client.secrets.transcriptHash);
  assert.notDeepEqual(first.client.secrets.verification, second.client.secrets.verification);
});

test("a change to any byte of any message ends it for whoever is addressed", () => {
  const [client, server] = [options("client"), options("server")];
  const lengths = [HELLO_BYTES, HELLO_BYTES + SERVER_PROOF_BYTES, CLIENT_PROOF_BYTES];
  for (const [message, length] of lengths.entries()) {
    for (let at = 0; at < length; at++) {
      const result = converse(client, server, (bytes, index) => (index === message ? flip(bytes, at) : bytes));
      assert.notEqual(result.server.kind, "done", `server, message ${message}, byte ${at}`);
      if (message < 2) assert.notEqual(result.client.kind, "done", `client, message ${message}, byte ${at}`);
      assert.ok(
        result.server.kind === "failed" || result.client.kind === "failed",
        `nobody noticed byte ${at} of message ${message}`,
      );
    }
  }
});

test("what is changed is named", () => {
  const [client, server] = [options("client"), options("server")];
  const serverReason = (at: number) => reasonOf(converse(client, server, (b, m) => (m === 0 ? flip(b, at) : b)).server);
  const clientReason = (at: number) => reasonOf(converse(client, server, (b, m) => (m === 1 ? flip(b, at) : b)).client);
  assert.equal(serverReason(0), "not-dsync");
  assert.equal(serverReason(5), "not-dsync");
  assert.equal(serverReason(7), "version");
  assert.equal(serverReason(8), "version");
  assert.equal(clientReason(7), "version");
  assert.equal(clientReason(8), "version");
  assert.equal(clientReason(50), "bad-proof");
  assert.equal(clientReason(HELLO_BYTES + 1), "bad-proof");
  assert.equal(reasonOf(converse(client, server, (b, m) => (m === 2 ? flip(b, 1) : b)).server), "bad-proof");
});

test("a mirror does not pass for a peer", () => {
  for (const role of ["client", "server"] as const) {
    const hello = startHandshake(options("client")).output;
    const mirrored = role === "client" ? hello : asServer(hello);
    assert.equal(reasonOf(feed(startHandshake(options(role)), mirrored).step), "reflection");
  }
  // A mirror that turns the role around still cannot prove anything.
  const client = startHandshake(options("client"));
  assert.equal(
    reasonOf(feed(client, Buffer.concat([asServer(client.output), new Uint8Array(SERVER_PROOF_BYTES)])).step),
    "bad-proof",
  );
});

function asServer(hello: Uint8Array): Uint8Array {
  const changed = Buffer.from(hello);
  changed[5] = "S".charCodeAt(0);
  return changed;
}

test("one server's proof, sent back as the client's, does not open", () => {
  const client = startHandshake(options("client"));
  const answered = feed(startHandshake(options("server")), client.output);
  const mirrored = Buffer.concat([answered.output.subarray(HELLO_BYTES), new Uint8Array(OPENING_BYTES)]);
  assert.equal(reasonOf(feed(answered.step, mirrored).step), "bad-proof");
});

test("a recorded client gets nowhere with a server that has a fresh challenge", () => {
  const [client, server] = [options("client"), options("server")];
  const recorded: Uint8Array[] = [];
  const first = converse(client, server, (bytes, message) => {
    if (message !== 1) recorded.push(bytes);
    return bytes;
  });
  assert.equal(first.server.kind, "done");
  const [hello, proof] = recorded as [Uint8Array, Uint8Array];
  const replayed = { ...server, challenge: systemRandom.bytes(32), ephemeralSecret: systemRandom.bytes(32) };
  assert.equal(reasonOf(feed(feed(startHandshake(replayed), hello).step, proof).step), "bad-proof");
  // Even if its ephemeral key came again.
  const onlyChallenge = { ...server, challenge: systemRandom.bytes(32) };
  assert.equal(reasonOf(feed(feed(startHandshake(onlyChallenge), hello).step, proof).step), "bad-proof");
});

test("a relay with an ephemeral key of its own does not get between two peers", () => {
  const ownKey = startHandshake(options("client")).output.subarray(HELLO_HEAD_BYTES, HELLO_HEAD_BYTES + 32);
  const result = converse(options("client"), options("server"), (bytes, message) => {
    const changed = Buffer.from(bytes);
    if (message < 2) changed.set(ownKey, HELLO_HEAD_BYTES);
    return changed;
  });
  assert.equal(reasonOf(result.client), "bad-proof");
  assert.equal(result.server.kind, "reading", "it has told nobody who the client is");
});

test("ephemeral keys of low order are refused", () => {
  const setKey = (bytes: Uint8Array) => {
    const changed = Buffer.from(bytes);
    changed.fill(0, HELLO_HEAD_BYTES, HELLO_HEAD_BYTES + 32);
    return changed;
  };
  const [client, server] = [options("client"), options("server")];
  assert.equal(reasonOf(converse(client, server, (b, m) => (m === 0 ? setKey(b) : b)).server), "low-order");
  assert.equal(reasonOf(converse(client, server, (b, m) => (m === 1 ? setKey(b) : b)).client), "low-order");
});

test("a signature by another key than the one shown is refused", () => {
  const impostor = { ...createIdentity(systemRandom), publicKey: createIdentity(systemRandom).publicKey };
  const asClient = converse(options("client", { identity: impostor }), options("server"));
  assert.equal(reasonOf(asClient.server), "bad-signature");
  const asServer = converse(options("client"), options("server", { identity: impostor }));
  assert.equal(reasonOf(asServer.client), "bad-signature");
});

test("our own identity is noticed by either side", () => {
  const identity = createIdentity(systemRandom);
  assert.equal(reasonOf(converse(options("client", { identity }), options("server", { identity })).client), "self");
  // The client would stop here; a changed one that goes on is noticed by the server.
  const client = options("client", { identity });
  const blind = { ...client, identity: { ...identity, peerId: createIdentity(systemRandom).peerId } };
  assert.equal(reasonOf(converse(blind, options("server", { identity })).server), "self");
});

test("another peer than the expected one is refused", () => {
  const expectedPeerId = createIdentity(systemRandom).peerId;
  assert.equal(reasonOf(converse(options("client", { expectedPeerId }), options("server")).client), "wrong-peer");
  assert.equal(reasonOf(converse(options("client"), options("server", { expectedPeerId })).server), "wrong-peer");
});

test("two versions tell each other, also if the rest of the hello has another size", () => {
  const server = startHandshake(options("server", { version: 2 }));
  const client = startHandshake(options("client"));
  const refused = feed(server, client.output.subarray(0, HELLO_HEAD_BYTES));
  assert.equal(reasonOf(refused.step), "version");
  assert.equal(refused.output.length, HELLO_BYTES);
  assert.equal(reasonOf(feed(client, refused.output.subarray(0, HELLO_HEAD_BYTES)).step), "version");
});

test("what is not dsync gets no answer", () => {
  const refused = feed(startHandshake(options("server")), Buffer.from("GET / HTTP/1.1\r\n"));
  assert.equal(reasonOf(refused.step), "not-dsync");
  assert.equal(refused.output.length, 0);
});
