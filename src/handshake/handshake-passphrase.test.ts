// The handshake with a passphrase: who gets in, what is sent to whom before, and what a liar on the wire can do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { feed } from "../../test/support/feed-handshake.ts";
import { systemRandom } from "../edge/random.ts";
import { nativeAead } from "./aead-native.ts";
import { CONFIRMATION_BYTES, startHandshake, type HandshakeOptions, type HandshakeStep } from "./handshake.ts";
import { HELLO_BYTES, shareOf, SHARE_BYTES, withShare, type Role } from "./hello.ts";
import { createIdentity } from "./identity.ts";
import { passphraseBytes } from "./passphrase-exchange.ts";
import { CLIENT_PROOF_BYTES, SERVER_PROOF_BYTES } from "./proof.ts";

const IDENTITY = new Uint8Array(SHARE_BYTES);
/** A canonical encoding of no point: the field element 1 is negative. */
const NO_POINT = Uint8Array.from([1, ...new Uint8Array(SHARE_BYTES - 1)]);

function options(role: Role, passphrase: string | undefined): HandshakeOptions {
  const secret = passphrase === undefined ? undefined : passphraseBytes(passphrase);
  return {
    role,
    identity: createIdentity(systemRandom),
    aead: nativeAead,
    version: 1,
    ephemeralSecret: systemRandom.bytes(32),
    challenge: systemRandom.bytes(32),
    passphrase: secret && { passphrase: secret, scalarSecret: systemRandom.bytes(32) },
  };
}

interface Conversation {
  readonly client: HandshakeStep;
  readonly server: HandshakeStep;
  /** Each side's messages, in order, as they were sent. */
  readonly sent: readonly { readonly from: Role; readonly bytes: Uint8Array }[];
}

/** Lets both talk until neither says anything; `onWire` may change message number `index`. */
function converse(
  clientOptions: HandshakeOptions,
  serverOptions: HandshakeOptions,
  onWire: (bytes: Uint8Array, index: number) => Uint8Array = (bytes) => bytes,
): Conversation {
  const steps = { client: startHandshake(clientOptions), server: startHandshake(serverOptions) };
  const sent: { from: Role; bytes: Uint8Array }[] = [];
  let from: Role = "client";
  let output = steps.client.output;
  while (output.length > 0) {
    let rest = onWire(output, sent.length);
    sent.push({ from, bytes: output });
    const to: Role = from === "client" ? "server" : "client";
    const outputs: Uint8Array[] = [];
    for (let step = steps[to]; step.kind === "reading" && rest.length >= step.bytesNeeded; step = steps[to]) {
      steps[to] = step.receive(rest.subarray(0, step.bytesNeeded));
      rest = rest.subarray(step.bytesNeeded);
      outputs.push(steps[to].output);
    }
    from = to;
    output = Buffer.concat(outputs);
  }
  return { ...steps, sent };
}

function reasonOf(step: HandshakeStep): string {
  return step.kind === "failed" ? step.reason : step.kind;
}

test("the same passphrase lets both in, however its accents were typed", () => {
  const { client, server, sent } = converse(
    options("client", "caf\u00e9 au lait"),
    options("server", "cafe\u0301 au lait"),
  );
  assert.ok(client.kind === "done" && server.kind === "done");
  assert.deepEqual(client.secrets.sendKey, server.secrets.receiveKey);
  assert.deepEqual(client.secrets.receiveKey, server.secrets.sendKey);
  assert.deepEqual(client.secrets.transcriptHash, server.secrets.transcriptHash);
  assert.deepEqual(client.secrets.verification, server.secrets.verification);
  assert.deepEqual(
    sent.map(({ bytes }) => bytes.length),
    [
      HELLO_BYTES,
      HELLO_BYTES,
      SHARE_BYTES + CONFIRMATION_BYTES,
      CONFIRMATION_BYTES + SERVER_PROOF_BYTES,
      CLIENT_PROOF_BYTES,
    ],
  );
});

test("another passphrase: both know why, and no proof of identity is sent by either", () => {
  for (const [ours, theirs] of [
    ["right", "wrong"],
    ["right", "right "],
    ["Right", "right"],
  ]) {
    const { client, server, sent } = converse(options("client", ours), options("server", theirs));
    assert.equal(reasonOf(client), "passphrase-other");
    assert.equal(reasonOf(server), "passphrase-other");
    assert.deepEqual(
      sent.map(({ bytes }) => bytes.length),
      [HELLO_BYTES, HELLO_BYTES, SHARE_BYTES + CONFIRMATION_BYTES, CONFIRMATION_BYTES],
    );
    // What the server says then depends on nothing that could be tried out later.
    assert.deepEqual(Buffer.from(sent[3]?.bytes ?? []), Buffer.alloc(CONFIRMATION_BYTES));
  }
});

test("a passphrase on one side only: both know which, and only hellos are sent", () => {
  const there = converse(options("client", undefined), options("server", "secret"));
  assert.deepEqual([there.client, there.server].map(reasonOf), ["passphrase-missing", "passphrase-unused"]);
  const here = converse(options("client", "secret"), options("server", undefined));
  assert.deepEqual([here.client, here.server].map(reasonOf), ["passphrase-unused", "passphrase-missing"]);
  for (const { sent } of [there, here]) {
    assert.deepEqual(
      sent.map(({ bytes }) => bytes.length),
      [HELLO_BYTES, HELLO_BYTES],
    );
  }
});

test("whoever says in its hello that it uses none, or one, gains nothing", () => {
  // The flag is turned around in both directions: a downgrade by somebody between two that use a passphrase.
  const { client, server } = converse(options("client", "secret"), options("server", "secret"), (bytes, index) => {
    const changed = Buffer.from(bytes);
    if (index <= 1) changed[8] = 0;
    return changed;
  });
  assert.notEqual(client.kind, "done");
  assert.notEqual(server.kind, "done");
});

test("the very same hellos give other shares: only the scalar tells them apart", () => {
  const [client, server] = [options("client", "secret"), options("server", "secret")];
  const first = converse(client, server);
  const again = { passphrase: passphraseBytes("secret"), scalarSecret: systemRandom.bytes(32) };
  const second = converse(client, { ...server, passphrase: again });
  const shareIn = ({ sent }: Conversation) => Buffer.from(shareOf(sent[1]?.bytes ?? new Uint8Array(0)));
  assert.notDeepEqual(shareIn(first), shareIn(second));
});

test("a change to any byte of any message ends it for whoever is addressed", () => {
  const [client, server] = [options("client", "secret"), options("server", "secret")];
  const lengths = converse(client, server).sent.map(({ bytes }) => bytes.length);
  assert.equal(lengths.length, 5);
  // Scalar multiplications are slow in JavaScript: every byte of what is new in this mode, some of the rest.
  for (const [message, length] of lengths.entries()) {
    const step = message === 2 ? 1 : 5;
    for (let at = 0; at < length; at += step) {
      const { client: atClient, server: atServer } = converse(client, server, (bytes, index) =>
        index === message ? flip(bytes, at) : bytes,
      );
      const where = `message ${message}, byte ${at}`;
      assert.notEqual(atServer.kind, "done", `server: ${where}`);
      if (message < 4) assert.notEqual(atClient.kind, "done", `client: ${where}`);
      assert.ok([atClient.kind, atServer.kind].includes("failed"), `nobody noticed ${where}`);
    }
  }
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 0x40;
  return changed;
}

test("a server's share and zeros, sent back, do not pass for a client that knows it", () => {
  const client = startHandshake(options("client", undefined)).output;
  const hello = Buffer.from(client);
  hello[8] = 1;
  const server = startHandshake(options("server", "secret"));
  const answered = feed(server, hello);
  const mirrored = Buffer.concat([shareOf(answered.output), Buffer.alloc(CONFIRMATION_BYTES)]);
  assert.equal(reasonOf(feed(answered.step, mirrored).step), "passphrase-other");
});

test("a client's confirmation, sent back to it, is no server's", () => {
  const client = startHandshake(options("client", "secret"));
  const hello = Buffer.from(client.output);
  hello[5] = "S".charCodeAt(0);
  hello.set(flip(client.output, 10).subarray(9, 41), 9);
  const share = converse(options("client", "secret"), options("server", "secret")).sent[1]?.bytes ?? client.output;
  const opened = feed(client, withShare(hello, shareOf(share)));
  assert.equal(opened.output.length, SHARE_BYTES + CONFIRMATION_BYTES);
  assert.equal(reasonOf(feed(opened.step, opened.output.subarray(SHARE_BYTES)).step), "passphrase-other");
});

test("the identity and what is no point are refused as shares, by either side", () => {
  for (const bad of [IDENTITY, NO_POINT, new Uint8Array(SHARE_BYTES).fill(0xff)]) {
    const [client, server] = [options("client", "secret"), options("server", "secret")];
    const fromServer = converse(client, server, (bytes, index) => (index === 1 ? withShare(bytes, bad) : bytes));
    assert.equal(reasonOf(fromServer.client), "low-order");
    assert.equal(fromServer.sent.length, 2);
    const fromClient = converse(client, server, (bytes, index) =>
      index === 2 ? Buffer.concat([bad, bytes.subarray(SHARE_BYTES)]) : bytes,
    );
    assert.equal(reasonOf(fromClient.server), "low-order");
    assert.equal(fromClient.sent.length, 3);
  }
});

test("a recorded client gets nowhere: a server's share is new each time", () => {
  const [client, server] = [options("client", "secret"), options("server", "secret")];
  const recorded = converse(client, server);
  assert.equal(recorded.server.kind, "done");
  const fresh = { passphrase: passphraseBytes("secret"), scalarSecret: systemRandom.bytes(32) };
  let step = startHandshake({ ...server, passphrase: fresh });
  for (const { from, bytes } of recorded.sent) if (from === "client") step = feed(step, bytes).step;
  assert.equal(reasonOf(step), "passphrase-other");
});

test("a relay between two that know it, with an ephemeral key of its own, does not get between them", () => {
  const [client, server, relay] = [options("client", "secret"), options("server", "secret"), options("client", "x")];
  const ownKey = startHandshake(relay).output.subarray(9, 41);
  const result = converse(client, server, (bytes, index) => {
    const changed = Buffer.from(bytes);
    if (index <= 1) changed.set(ownKey, 9);
    return changed;
  });
  assert.deepEqual([result.client, result.server].map(reasonOf), ["passphrase-other", "passphrase-other"]);
});
