import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { peerIdFromBytes } from "../core/ids.ts";
import { MDNS_DATAGRAM_BYTES_MAX } from "../core/limits.ts";
import { localInterface } from "../../test/support/memory-mdns.ts";
import { waitFor } from "../../test/support/wait.ts";
import { isWorthDecoding } from "./datagram-filter.ts";
import type { IncomingMessage } from "./dns.ts";
import { openMdnsSocket } from "./mdns-socket.ts";
import type { MdnsSocket } from "./mdns.ts";
import { parseServices } from "./parse-services.ts";
import { buildAnnouncement, SERVICE_TYPE, shareHash } from "./service-records.ts";

const endpoint = { interface: localInterface("lo", "127.0.0.1/8"), family: "IPv4" } as const;
const service = {
  peerId: peerIdFromBytes(new Uint8Array(32).fill(7)),
  name: "Bob's mac ☃",
  shareHash: shareHash("default"),
  version: 1,
  port: 7000,
};
const answers = buildAnnouncement({
  service,
  addresses: ["127.0.0.1", "fe80::7"],
  ttlSeconds: 120,
  flush: true,
});

interface Opened {
  readonly socket: MdnsSocket;
  readonly messages: IncomingMessage[];
  readonly problems: Error[];
}

function open(port: number): Opened {
  const messages: IncomingMessage[] = [];
  const problems: Error[] = [];
  const onMessage = (message: IncomingMessage): void => void messages.push(message);
  return {
    socket: openMdnsSocket(endpoint, { onMessage, onProblem: (error) => problems.push(error) }, port),
    messages,
    problems,
  };
}

async function until(holds: () => boolean): Promise<void> {
  await waitFor(holds, { until: holds.toString(), intervalMs: 5 });
}

async function plainSocket(port = 0): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, port === 0 ? "127.0.0.1" : "0.0.0.0");
  await once(socket, "listening");
  return socket;
}

async function freePort(): Promise<number> {
  const socket = await plainSocket();
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

test("what one socket sends, another on the same machine and port reads", async () => {
  const port = await freePort();
  const [alice, bob] = [open(port), open(port)];
  try {
    await alice.socket.send({ type: "response", id: 0, questions: [], answers });
    await until(() => bob.messages.length > 0);
    const [message] = bob.messages;
    assert.ok(message !== undefined);
    const [found] = parseServices(message);
    assert.equal(found?.peerId, service.peerId);
    assert.equal(found?.name, service.name);
    assert.deepEqual(found?.addresses, ["127.0.0.1", "fe80::7"]);
    await bob.socket.send({
      type: "query",
      id: 4,
      questions: [{ name: "_http._tcp.local", type: "PTR" }],
      answers: [],
    });
    await bob.socket.send({
      type: "query",
      id: 5,
      questions: [{ name: SERVICE_TYPE, type: "ANY" }],
      answers: [],
    });
    await until(() => alice.messages.some(({ id }) => id === 5));
    assert.ok(!alice.messages.some(({ id }) => id === 4), "the filter stands before the decoder");
    assert.deepEqual(alice.problems, []);
  } finally {
    alice.socket.close();
    bob.socket.close();
  }
});

test("datagrams full of rubbish are swallowed", async () => {
  const port = await freePort();
  const { socket, messages, problems } = open(port);
  const sender = await plainSocket();
  try {
    await socket.send({ type: "response", id: 0, questions: [], answers });
    await until(() => messages.length === 1);
    const send = (bytes: Uint8Array): Promise<void> =>
      new Promise((resolve) => sender.send(bytes, port, "127.0.0.1", () => resolve()));
    const marker = Buffer.from("dsync");
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.alloc(20 + round * 5, round % 7 === 0 ? 0xc0 : round);
      bytes.writeUInt16BE(round % 2 === 0 ? 0x8000 : 0, 2);
      for (let offset = 4; offset < 12; offset += 2) bytes.writeUInt16BE(round % 9, offset);
      marker.copy(bytes, 13);
      await send(bytes);
      // Otherwise the socket's buffer overflows, and the rest is not read at all.
      if (round % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await socket.send({ type: "response", id: 9, questions: [], answers });
    await until(() => messages.some(({ id }) => id === 9));
    for (const message of messages)
      for (const found of parseServices(message)) assert.equal(found.peerId, service.peerId);
    assert.ok(messages.length > 10, "some of the rubbish can be decoded");
    assert.deepEqual(problems, [], "a sender's mistakes are not our problem");
  } finally {
    sender.close();
    socket.close();
  }
});

test("a port that another program keeps for itself is a problem, and sending does not hang", async () => {
  const holder = await plainSocket(await freePort());
  const { socket, problems } = open(holder.address().port);
  try {
    await socket.send({ type: "response", id: 0, questions: [], answers });
    await until(() => problems.length > 0);
    assert.match(String(problems[0]?.message), /EADDRINUSE/);
  } finally {
    socket.close();
    holder.close();
  }
});

test("closing is quiet, twice, and before it has opened", async () => {
  const { socket, messages, problems } = open(await freePort());
  const sent = socket.send({ type: "response", id: 0, questions: [], answers });
  socket.close();
  socket.close();
  await sent;
  await socket.send({ type: "response", id: 0, questions: [], answers });
  assert.deepEqual([messages, problems], [[], []]);
});

test("only what is about dsync, of a fit size, is decoded", () => {
  const datagram = (text: string, records = 1, size = 100): Buffer => {
    const bytes = Buffer.alloc(size);
    bytes.writeUInt16BE(records, 6);
    bytes.write(text, 12);
    return bytes;
  };
  assert.ok(isWorthDecoding(datagram("\x06_dsync\x04_tcp")));
  assert.ok(isWorthDecoding(datagram("\x06_DSync\x04_tcp")));
  assert.ok(isWorthDecoding(datagram("\x09_services\x07_dns-sd")));
  assert.ok(!isWorthDecoding(datagram("\x08_airplay")));
  assert.ok(!isWorthDecoding(datagram("dsync", 257)));
  assert.ok(isWorthDecoding(datagram("dsync", 1, MDNS_DATAGRAM_BYTES_MAX)));
  assert.ok(!isWorthDecoding(datagram("dsync", 1, MDNS_DATAGRAM_BYTES_MAX + 1)));
  assert.ok(!isWorthDecoding(Buffer.from("dsync")));
});
