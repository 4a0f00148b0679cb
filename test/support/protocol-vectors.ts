// The test vectors of docs/protocol.md: one whole handshake in each mode, computed from fixed secrets.
// scripts/protocol-vectors.mjs prints them; src/pool/protocol-vector.test.ts compares the page with them.

import assert from "node:assert/strict";
import { selectAead } from "../../src/handshake/select-aead.ts";
import {
  CONFIRMATION_BYTES,
  startHandshake,
  type ChannelSecrets,
  type HandshakeStep,
} from "../../src/handshake/handshake.ts";
import { HELLO_BYTES, HELLO_HEAD_BYTES, SHARE_BYTES, type Role } from "../../src/handshake/hello.ts";
import { createIdentity } from "../../src/handshake/identity.ts";
import { passphraseBytes, startPassphraseExchange } from "../../src/handshake/passphrase-exchange.ts";
import { encodeMessage } from "../../src/pool/message-codec.ts";
import { PROTOCOL_VERSION } from "../../src/pool/messages.ts";
import { RecordSealer } from "../../src/pool/record-layer.ts";

/** Name → hex, in the order of the conversation. */
export type Vector = ReadonlyMap<string, string>;

/** In NFC the passphrase's bytes are `63 61 66 c3 a9`. */
const PASSPHRASE = "cafe\u0301";

/** 32 bytes: `first`, `first + 1`, and so on. */
function counting(first: number): Buffer {
  return Buffer.from(Array.from({ length: 32 }, (_, index) => first + index));
}

const INPUTS = {
  client: {
    identitySecret: counting(0x00),
    ephemeralSecret: counting(0x20),
    challenge: counting(0x40),
    scalarSecret: counting(0x60),
  },
  server: {
    identitySecret: counting(0x80),
    ephemeralSecret: counting(0xa0),
    challenge: counting(0xc0),
    scalarSecret: counting(0xe0),
  },
};

function start(role: Role, aead: ReturnType<typeof selectAead>, passphrase?: Uint8Array): HandshakeStep {
  const { identitySecret, ephemeralSecret, challenge, scalarSecret } = INPUTS[role];
  return startHandshake({
    role,
    identity: createIdentity({ bytes: () => identitySecret, fraction: () => 0 }),
    aead,
    version: PROTOCOL_VERSION,
    ephemeralSecret,
    challenge,
    passphrase: passphrase && { passphrase, scalarSecret },
  });
}

function receive(step: HandshakeStep, ...messages: readonly Uint8Array[]): HandshakeStep {
  let current = step;
  for (const bytes of messages) {
    assert.ok(
      current.kind === "reading" && current.bytesNeeded === bytes.length,
      "a message of the size that is needed",
    );
    current = current.receive(bytes);
  }
  return current;
}

function receiveHello(step: HandshakeStep, hello: Uint8Array): HandshakeStep {
  return receive(step, hello.subarray(0, HELLO_HEAD_BYTES), hello.subarray(HELLO_HEAD_BYTES));
}

function secretsOf(step: HandshakeStep): ChannelSecrets {
  assert.ok(step.kind === "done");
  return step.secrets;
}

/** Without a passphrase, and two records behind it. */
export function computeOpenVector(portable: boolean): Vector {
  const aead = selectAead({ portable });
  const client = start("client", aead);
  const answered = receiveHello(start("server", aead), client.output);
  const serverHello = answered.output.subarray(0, HELLO_BYTES);
  const serverProof = answered.output.subarray(HELLO_BYTES);
  const clientDone = receive(receiveHello(client, serverHello), serverProof);
  const serverSecrets = secretsOf(receive(answered, clientDone.output));
  const { transcriptHash, verification, sendKey, receiveKey, peerId } = secretsOf(clientDone);

  const sealer = new RecordSealer({ aead, key: sendKey });
  const records = [
    sealer.sealData(encodeMessage({ type: "want-channels", count: 3 })),
    sealer.sealClose({ code: "goodbye", detail: "bye" }),
  ];
  return toHex({
    "client identity secret": INPUTS.client.identitySecret,
    "client ephemeral secret": INPUTS.client.ephemeralSecret,
    "client opening": INPUTS.client.challenge,
    "server identity secret": INPUTS.server.identitySecret,
    "server ephemeral secret": INPUTS.server.ephemeralSecret,
    "server challenge": INPUTS.server.challenge,
    "client hello": client.output,
    "server hello": serverHello,
    "transcript hash": transcriptHash,
    "server identity key": Buffer.from(peerId, "hex"),
    "client identity key": Buffer.from(serverSecrets.peerId, "hex"),
    "server proof": serverProof,
    "client proof": clientDone.output,
    verification,
    "client record key": sendKey,
    "server record key": receiveKey,
    "record 0, want-channels 3": Buffer.concat(records[0] ?? []),
    "record 1, close": Buffer.concat(records[1] ?? []),
  });
}

/** With a passphrase: what is the same as in the open one is left out. */
export function computePassphraseVector(portable: boolean): Vector {
  const aead = selectAead({ portable });
  const passphrase = passphraseBytes(PASSPHRASE);
  const client = start("client", aead, passphrase);
  const opened = receiveHello(start("server", aead, passphrase), client.output);
  const shared = receiveHello(client, opened.output);
  const [clientShare, clientConfirmation] = cut(shared.output, SHARE_BYTES);
  const confirmed = receive(opened, shared.output);
  const [serverConfirmation, serverProof] = cut(confirmed.output, CONFIRMATION_BYTES);
  const clientDone = receive(shared, serverConfirmation, serverProof);
  secretsOf(receive(confirmed, clientDone.output));
  const { transcriptHash, verification, sendKey, receiveKey } = secretsOf(clientDone);

  const { scalarSecret } = INPUTS.server;
  const hellos = { clientHello: client.output, serverHello: opened.output };
  const exchange = startPassphraseExchange({ role: "server", passphrase, scalarSecret, ...hellos });
  return toHex({
    passphrase,
    "client scalar secret": INPUTS.client.scalarSecret,
    "server scalar secret": INPUTS.server.scalarSecret,
    "client hello": client.output,
    "server hello": opened.output,
    "client share": clientShare,
    "CPace key": exchange.finish(clientShare) ?? new Uint8Array(0),
    "transcript hash": transcriptHash,
    "client confirmation": clientConfirmation,
    "server confirmation": serverConfirmation,
    "server proof": serverProof,
    "client proof": clientDone.output,
    verification,
    "client record key": sendKey,
    "server record key": receiveKey,
  });
}

function cut(bytes: Uint8Array, at: number): readonly [Uint8Array, Uint8Array] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

function toHex(values: Readonly<Record<string, Uint8Array>>): Vector {
  return new Map(Object.entries(values).map(([name, bytes]) => [name, Buffer.from(bytes).toString("hex")]));
}

/** As a block of the page: a name on a line, its hex on the indented ones below. */
export function formatVector(fence: string, vector: Vector): string {
  const lines = Array.from(vector, ([name, hex]) => [
    name,
    ...(hex.match(/.{1,96}/g) ?? []).map((line) => `  ${line}`),
  ]);
  return ["```" + fence, ...lines.flat(), "```"].join("\n");
}
