import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../edge/random.ts";
import { nativeAead } from "./aead-native.ts";
import { portableCurves } from "./curves-portable.ts";
import { startHandshake, type ChannelSecrets, type HandshakeStep } from "./handshake.ts";
import { encodeHello, ephemeralKeyOf, HELLO_BYTES, HELLO_HEAD_BYTES, type Role } from "./hello.ts";
import { createIdentity } from "./identity.ts";
import { deriveKeys, hashTranscript } from "./key-schedule.ts";
import { sealProof } from "./proof.ts";
import { commitTo, deriveVerification } from "./verification.ts";

const VERSION = 1;

function start(role: Role, challenge = systemRandom.bytes(32)): HandshakeStep {
  const ephemeralSecret = systemRandom.bytes(32);
  const identity = createIdentity(systemRandom);
  return startHandshake({ role, identity, aead: nativeAead, version: VERSION, ephemeralSecret, challenge });
}

function receive(step: HandshakeStep, bytes: Uint8Array): HandshakeStep {
  assert.ok(step.kind === "reading" && step.bytesNeeded === bytes.length, `wants ${bytes.length} bytes`);
  return step.receive(bytes);
}

function receiveHello(step: HandshakeStep, hello: Uint8Array): HandshakeStep {
  return receive(receive(step, hello.subarray(0, HELLO_HEAD_BYTES)), hello.subarray(HELLO_HEAD_BYTES));
}

function secretsOf(step: HandshakeStep): ChannelSecrets {
  assert.ok(step.kind === "done", step.kind === "failed" ? step.reason : step.kind);
  return step.secrets;
}

/** A whole handshake; what either side ends up with. */
function converse(client: HandshakeStep, server: HandshakeStep): readonly [ChannelSecrets, ChannelSecrets] {
  const answered = receiveHello(server, client.output);
  const greeted = receiveHello(client, answered.output.subarray(0, HELLO_BYTES));
  const done = receive(greeted, answered.output.subarray(HELLO_BYTES));
  return [secretsOf(done), secretsOf(receive(answered, done.output))];
}

test("both sides have the same value, and a relay that is the other side to both has two", () => {
  const [atClient, atRelay] = converse(start("client"), start("server"));
  const [fromRelay, atServer] = converse(start("client"), start("server"));
  assert.deepEqual(atClient.verification, atRelay.verification);
  assert.deepEqual(fromRelay.verification, atServer.verification);
  assert.notDeepEqual(atClient.verification, atServer.verification);
});

test("it depends on both hellos and on what opens the client's challenge", () => {
  const [clientHello, serverHello, opening] = [1, 2, 3].map((value) => Buffer.alloc(32, value)) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const other = Buffer.alloc(32, 9);
  const values = [
    { clientHello, serverHello, opening },
    { clientHello: other, serverHello, opening },
    { clientHello, serverHello: other, opening },
    { clientHello, serverHello, opening: other },
  ].map((input) => Buffer.from(deriveVerification(input)).toString("hex"));
  assert.equal(new Set(values).size, 4);
});

test("the server has said all that it says before it can know the value", () => {
  const opening = systemRandom.bytes(32);
  const client = start("client", opening);
  assert.equal(Buffer.from(client.output).includes(Buffer.from(opening)), false);
  assert.ok(Buffer.from(client.output).includes(Buffer.from(commitTo(opening))));
  const answered = receiveHello(start("server"), client.output);
  const greeted = receiveHello(client, answered.output.subarray(0, HELLO_BYTES));
  assert.equal(greeted.output.length, 0, "nothing before the server's proof");
});

/** What a client that computes everything itself sends: its proof opens the challenge of its hello with `opening`. */
function dishonestClient(challenge: Uint8Array, opening: Uint8Array): HandshakeStep {
  const identity = createIdentity(systemRandom);
  const ephemeralSecret = systemRandom.bytes(32);
  const ephemeralKey = portableCurves.x25519.publicKeyOf(ephemeralSecret);
  const clientHello = encodeHello({ role: "client", version: VERSION, mode: "open", ephemeralKey, challenge });
  const answered = receiveHello(start("server"), clientHello);
  const serverHello = answered.output.subarray(0, HELLO_BYTES);
  const sharedSecret = portableCurves.x25519.sharedSecret(ephemeralSecret, ephemeralKeyOf(serverHello));
  assert.ok(sharedSecret !== undefined);
  const transcriptHash = hashTranscript(clientHello, serverHello);
  const { clientProofKey: key } = deriveKeys({ sharedSecret, transcriptHash });
  const context = { aead: nativeAead, curves: portableCurves, key, role: "client", transcriptHash } as const;
  return receive(answered, sealProof(identity, context, opening));
}

test("a client cannot choose what opens its challenge when it knows the server's hello", () => {
  const opening = systemRandom.bytes(32);
  assert.equal(dishonestClient(commitTo(opening), opening).kind, "done", "the attack is made as a right client would");
  const late = dishonestClient(commitTo(opening), systemRandom.bytes(32));
  assert.equal(late.kind === "failed" && late.reason, "bad-proof");
});
