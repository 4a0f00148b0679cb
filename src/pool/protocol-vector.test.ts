// The test vector in docs/protocol.md is what the code produces. (Tests run from the top of the repository.)

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { selectAead } from "../handshake/select-aead.ts";
import { startHandshake, type ChannelSecrets, type HandshakeStep } from "../handshake/handshake.ts";
import { HELLO_BYTES, HELLO_HEAD_BYTES, type Role } from "../handshake/hello.ts";
import { createIdentity } from "../handshake/identity.ts";
import { encodeMessage, PROTOCOL_VERSION } from "./messages.ts";
import { RecordSealer } from "./record-layer.ts";

/** 32 bytes: `first`, `first + 1`, and so on. */
function counting(first: number): Buffer {
  return Buffer.from(Array.from({ length: 32 }, (_, index) => first + index));
}

const INPUTS = {
  client: { identitySecret: counting(0x00), ephemeralSecret: counting(0x20), challenge: counting(0x40) },
  server: { identitySecret: counting(0x80), ephemeralSecret: counting(0xa0), challenge: counting(0xc0) },
};

function receive(step: HandshakeStep, bytes: Uint8Array): HandshakeStep {
  assert.ok(step.kind === "reading" && step.bytesNeeded === bytes.length, "a message of the size that is needed");
  return step.receive(bytes);
}

function secretsOf(step: HandshakeStep): ChannelSecrets {
  assert.ok(step.kind === "done");
  return step.secrets;
}

function computeVector(portable: boolean): Map<string, string> {
  const aead = selectAead({ portable });
  const start = (role: Role) => {
    const { identitySecret, ephemeralSecret, challenge } = INPUTS[role];
    const identity = createIdentity({ bytes: () => identitySecret, fraction: () => 0 });
    return startHandshake({ role, identity, aead, version: PROTOCOL_VERSION, ephemeralSecret, challenge });
  };
  const client = start("client");
  const clientHello = client.output;
  const headRead = receive(start("server"), clientHello.subarray(0, HELLO_HEAD_BYTES));
  const answered = receive(headRead, clientHello.subarray(HELLO_HEAD_BYTES));
  const serverHello = answered.output.subarray(0, HELLO_BYTES);
  const serverProof = answered.output.subarray(HELLO_BYTES);
  const helloRead = receive(
    receive(client, serverHello.subarray(0, HELLO_HEAD_BYTES)),
    serverHello.subarray(HELLO_HEAD_BYTES),
  );
  const clientDone = receive(helloRead, serverProof);
  const serverSecrets = secretsOf(receive(answered, clientDone.output));
  const { transcriptHash, sendKey, receiveKey } = secretsOf(clientDone);

  const sealer = new RecordSealer({ aead, key: sendKey });
  const records = {
    "record 0, want-channels 3": sealer.sealData(encodeMessage({ type: "want-channels", count: 3 })),
    "record 1, close": sealer.sealClose({ code: "goodbye", detail: "bye" }),
  };
  const values = {
    "client identity secret": INPUTS.client.identitySecret,
    "client ephemeral secret": INPUTS.client.ephemeralSecret,
    "client challenge": INPUTS.client.challenge,
    "server identity secret": INPUTS.server.identitySecret,
    "server ephemeral secret": INPUTS.server.ephemeralSecret,
    "server challenge": INPUTS.server.challenge,
    "client hello": clientHello,
    "server hello": serverHello,
    "transcript hash": transcriptHash,
    "server identity key": Buffer.from(secretsOf(clientDone).peerId, "hex"),
    "client identity key": Buffer.from(serverSecrets.peerId, "hex"),
    "server proof": serverProof,
    "client proof": clientDone.output,
    "client record key": sendKey,
    "server record key": receiveKey,
    ...Object.fromEntries(Object.entries(records).map(([name, pieces]) => [name, Buffer.concat(pieces)])),
  };
  return new Map(Object.entries(values).map(([name, bytes]) => [name, Buffer.from(bytes).toString("hex")]));
}

/** The block fenced as `vector`: a name on a line, its hex on the indented ones below. */
function readVector(page: string): Map<string, string> {
  const block = /^```vector\n(.*?)^```/ms.exec(page)?.[1] ?? "";
  const vector = new Map<string, string>();
  let name = "";
  for (const line of block.split("\n")) {
    if (line.startsWith(" ")) vector.set(name, (vector.get(name) ?? "") + line.trim());
    else name = line;
  }
  return vector;
}

test("the vector in docs/protocol.md is what either cipher produces", () => {
  const written = readVector(readFileSync("docs/protocol.md", "utf8"));
  assert.deepEqual(written, computeVector(false));
  assert.deepEqual(written, computeVector(true));
});
