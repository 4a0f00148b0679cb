import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { turnEventLoop } from "../../test/support/fake-clock.ts";
import {
  memoryConnectionPair,
  type MemoryConnection,
  type MemoryConnectionOptions,
} from "../../test/support/memory-connection.ts";
import { protocolError } from "../core/errors.ts";
import { peerIdFromBytes } from "../core/ids.ts";
import { RECORD_PLAINTEXT_BYTES_MAX, SEND_QUEUE_BYTES_MAX } from "../core/limits.ts";
import type { Connection } from "../edge/network.ts";
import { tcpNetwork } from "../edge/tcp-network.ts";
import { nativeAead } from "../handshake/aead-native.ts";
import type { Channel } from "./channel.ts";
import { createChannel } from "./encrypted-channel.ts";
import type { ChunkMessage, Message } from "./messages.ts";
import { RecordSealer } from "./record-layer.ts";

const PING_FRAME = Buffer.from("030000000190", "hex");
const KEYS = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const;

function channelOver(connection: Connection, isDialer: boolean, leftover?: Uint8Array): Channel {
  const [sendKey, receiveKey] = isDialer ? KEYS : [KEYS[1], KEYS[0]];
  const secrets = {
    peerId: peerIdFromBytes(KEYS[0]),
    transcriptHash: KEYS[0],
    verification: KEYS[0],
    sendKey,
    receiveKey,
  };
  return createChannel({ connection, secrets, aead: nativeAead, isDialer, ...(leftover && { leftover }) });
}

function pair(options: MemoryConnectionOptions = {}): {
  readonly dialer: Channel;
  readonly acceptor: Channel;
  readonly connections: [MemoryConnection, MemoryConnection];
} {
  const connections = memoryConnectionPair(options);
  return { dialer: channelOver(connections[0], true), acceptor: channelOver(connections[1], false), connections };
}

function chunk(index: number, length: number): ChunkMessage {
  return { type: "chunk", id: 1, index, encoding: "raw", length, payload: Buffer.alloc(length, index) };
}

/** Collects messages; `until` resolves when there are that many. */
function collect(channel: Channel): { readonly messages: Message[]; until(count: number): Promise<void> } {
  const messages: Message[] = [];
  let wake = () => {};
  channel.onMessage((message) => {
    messages.push(message);
    wake();
  });
  return {
    messages,
    async until(count) {
      while (messages.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

function assertSameChunks(messages: readonly Message[], sent: readonly ChunkMessage[]): void {
  assert.equal(messages.length, sent.length);
  for (const [at, message] of messages.entries()) {
    assert.ok(message.type === "chunk");
    assert.equal(message.index, sent[at]?.index);
    assert.ok(Buffer.from(message.payload).equals(sent[at]?.payload ?? Buffer.alloc(0)), `payload ${at}`);
  }
}

test("messages of all sizes arrive in order, whole, over tiny and large pieces", async () => {
  const sizes = [0, 1, 100, 5000, RECORD_PLAINTEXT_BYTES_MAX - 17, RECORD_PLAINTEXT_BYTES_MAX, 1024 * 1024, 3];
  const sent = sizes.map((size, index) => chunk(index, size));
  for (const cut of [undefined, (available: number) => Math.min(available, 777)]) {
    const { dialer, acceptor } = pair(cut === undefined ? {} : { cut });
    const received = collect(acceptor);
    for (const message of sent) dialer.send(message);
    await received.until(sent.length);
    assertSameChunks(received.messages, sent);
    assert.equal(acceptor.bytesReceived, dialer.bytesSent);
  }
});

test("single bytes do", async () => {
  const { dialer, acceptor } = pair({ cut: () => 1 });
  const received = collect(acceptor);
  const sent = [chunk(1, 2000), chunk(2, 0), chunk(3, 700)];
  for (const message of sent) dialer.send(message);
  await received.until(3);
  assertSameChunks(received.messages, sent);
});

test("what is sent in one turn leaves in one record", async () => {
  const { dialer, acceptor, connections } = pair();
  const received = collect(acceptor);
  for (let count = 0; count < 100; count++) dialer.send({ type: "ping" });
  assert.equal(connections[0].inFlightBytes, 0);
  await received.until(100);
  // Type, length and an empty MessagePack array for each; length, kind and tag once.
  assert.equal(dialer.bytesSent, 100 * 6 + 3 + 1 + 16);
});

test("both directions are independent, and a pair of channels tells its ends apart", async () => {
  const { dialer, acceptor } = pair();
  const [atDialer, atAcceptor] = [collect(dialer), collect(acceptor)];
  dialer.send({ type: "ping" });
  acceptor.send({ type: "pong" });
  await Promise.all([atDialer.until(1), atAcceptor.until(1)]);
  assert.deepEqual([atDialer.messages, atAcceptor.messages], [[{ type: "pong" }], [{ type: "ping" }]]);
  assert.deepEqual([dialer.isDialer, acceptor.isDialer], [true, false]);
});

test("nothing is read before there is a handler, and nothing is lost", async () => {
  const { dialer, acceptor } = pair();
  dialer.send({ type: "ping" });
  await turnEventLoop();
  assert.equal(acceptor.bytesReceived, 0);
  await collect(acceptor).until(1);
});

test("what came with the handshake is read first", async () => {
  const [first, second] = memoryConnectionPair();
  const early = new RecordSealer({ aead: nativeAead, key: KEYS[0] }).sealData([PING_FRAME]);
  const acceptor = channelOver(second, false, Buffer.concat(early));
  const received = collect(acceptor);
  await received.until(1);
  assert.deepEqual(received.messages, [{ type: "ping" }]);
  first.destroy();
});

test("a handler may be exchanged while it runs", async () => {
  const { dialer, acceptor } = pair();
  const seen: string[] = [];
  const second = new Promise<void>((resolve) => {
    acceptor.onMessage((message) => {
      seen.push(`first ${message.type}`);
      acceptor.onMessage((message) => {
        seen.push(`second ${message.type}`);
        resolve();
      });
    });
  });
  dialer.send({ type: "ping" });
  dialer.send({ type: "pong" });
  await second;
  assert.deepEqual(seen, ["first ping", "second pong"]);
});

test("a pause takes effect at once, also within a record, until it is lifted", async () => {
  const { dialer, acceptor } = pair();
  const indexes: number[] = [];
  let wake = () => {};
  acceptor.onMessage((message) => {
    assert.ok(message.type === "chunk");
    indexes.push(message.index);
    acceptor.pause();
    wake();
  });
  for (let index = 0; index < 3; index++) dialer.send(chunk(index, 10));
  for (let index = 0; index < 3; index++) {
    while (indexes.length <= index) await new Promise<void>((resolve) => (wake = resolve));
    await turnEventLoop();
    assert.equal(indexes.length, index + 1);
    acceptor.resume();
  }
  assert.deepEqual(indexes, [0, 1, 2]);
});

test("what was sent may be overwritten once the channel is writable", async () => {
  const { dialer, acceptor } = pair();
  const received = collect(acceptor);
  // The second one ends in the middle of a record.
  for (const [index, length] of [1000, RECORD_PLAINTEXT_BYTES_MAX + 1000].entries()) {
    const message = chunk(index, length);
    const sent = { ...message, payload: Buffer.from(message.payload) };
    dialer.send(message);
    await dialer.writable();
    message.payload.fill(99);
    await received.until(index + 1);
    assertSameChunks(received.messages.slice(index), [sent]);
  }
});

test("a sender that heeds congestion keeps memory bounded while its receiver pauses", async () => {
  const { dialer, acceptor, connections } = pair({ inFlightBytesMax: SEND_QUEUE_BYTES_MAX });
  const received = collect(acceptor);
  acceptor.pause();
  const size = 256 * 1024;
  let sentCount = 0;
  const sending = (async () => {
    for (; sentCount < 40; sentCount++) {
      dialer.send(chunk(sentCount, size));
      if (dialer.isCongested) await dialer.writable();
    }
  })();
  await turnEventLoop(20);
  assert.ok(dialer.isCongested);
  assert.ok(sentCount <= SEND_QUEUE_BYTES_MAX / size + 1, `${sentCount} sent`);
  acceptor.resume();
  await sending;
  await received.until(40);
  assert.ok(connections[0].inFlightBytesPeak < 2 * SEND_QUEUE_BYTES_MAX, `${connections[0].inFlightBytesPeak} bytes`);
});

test("a close arrives after everything that was sent, with its code", async () => {
  const { dialer, acceptor } = pair();
  const received = collect(acceptor);
  dialer.send(chunk(1, 600_000));
  dialer.send({ type: "ping" });
  dialer.close("other-share", "photos");
  dialer.send({ type: "pong" });
  assert.deepEqual(await acceptor.ended, { code: "other-share", byPeer: true, detail: "photos" });
  assert.deepEqual(await dialer.ended, { code: "other-share", byPeer: false, detail: "photos" });
  assert.deepEqual(
    received.messages.map((message) => message.type),
    ["chunk", "ping"],
  );
});

test("after a close of ours no handler is called, whatever still arrives", async () => {
  const { dialer, acceptor } = pair();
  const atDialer = collect(dialer);
  acceptor.onMessage(() => {});
  acceptor.send({ type: "ping" });
  dialer.close("goodbye");
  await dialer.ended;
  await acceptor.ended;
  assert.deepEqual(atDialer.messages, []);
  assert.equal(dialer.bytesReceived, 0);
});

test("an end without a close record is a loss, orderly or not", async () => {
  for (const cutOff of ["end", "destroy", "breakOff"] as const) {
    const { dialer, acceptor, connections } = pair();
    acceptor.onMessage(() => {});
    dialer.onMessage(() => {});
    connections[0][cutOff]();
    const end = await acceptor.ended;
    assert.deepEqual([end.code, end.byPeer], ["lost", false], cutOff);
  }
});

test("a paused channel still learns of its end, and of the code if it has come", async () => {
  for (const isClosed of [true, false]) {
    const [first, second] = memoryConnectionPair();
    const acceptor = channelOver(second, false);
    let count = 0;
    acceptor.onMessage(() => {
      count++;
      acceptor.pause();
    });
    const sealer = new RecordSealer({ aead: nativeAead, key: KEYS[0] });
    const records = [...sealer.sealData([PING_FRAME, PING_FRAME]), ...sealer.sealData([PING_FRAME])];
    if (isClosed) records.push(...sealer.sealClose({ code: "superfluous", detail: "" }));
    first.write([Buffer.concat(records)]);
    await turnEventLoop();
    first.breakOff();
    assert.equal((await acceptor.ended).code, isClosed ? "superfluous" : "lost");
    assert.equal(count, 1);
  }
});

test("an end releases those who wait for room", async () => {
  const { dialer, connections } = pair({ inFlightBytesMax: 1000 });
  dialer.send(chunk(0, 500_000));
  assert.equal(dialer.isCongested, true);
  const waiting = dialer.writable();
  connections[0].breakOff();
  await waiting;
  assert.equal(dialer.isCongested, false);
  await dialer.writable();
});

test("a handler that refuses a message closes the channel for both", async () => {
  const { dialer, acceptor } = pair();
  dialer.onMessage(() => {});
  let count = 0;
  acceptor.onMessage(() => {
    count++;
    throw protocolError("not now");
  });
  dialer.send({ type: "ping" });
  dialer.send({ type: "ping" });
  assert.deepEqual(await dialer.ended, { code: "protocol-error", byPeer: true, detail: "not now" });
  assert.deepEqual(await acceptor.ended, { code: "protocol-error", byPeer: false, detail: "not now" });
  assert.equal(count, 1);
});

test("bytes that are no record, and content that is no message, close it as well", async () => {
  const garbage = pair({ tamper: (bytes, from) => (from === "first" ? Buffer.alloc(bytes.length, 0xee) : bytes) });
  garbage.acceptor.onMessage(() => {});
  garbage.dialer.onMessage(() => {});
  garbage.dialer.send({ type: "ping" });
  assert.equal((await garbage.dialer.ended).code, "protocol-error");
  assert.equal((await garbage.acceptor.ended).code, "protocol-error");

  const [first, second] = memoryConnectionPair();
  const acceptor = channelOver(second, false);
  acceptor.onMessage(() => assert.fail("no message was sent"));
  first.resume();
  first.write(new RecordSealer({ aead: nativeAead, key: KEYS[0] }).sealData([Buffer.alloc(5, 0xff)]));
  const end = await acceptor.ended;
  assert.deepEqual([end.code, end.byPeer], ["protocol-error", false]);
});

test("a bug in a handler stops the process", () => {
  const script = `
    const { memoryConnectionPair } = await import(${JSON.stringify(new URL("../../test/support/memory-connection.js", import.meta.url))});
    const { createChannel } = await import(${JSON.stringify(new URL("encrypted-channel.js", import.meta.url))});
    const { nativeAead } = await import(${JSON.stringify(new URL("../handshake/aead-native.js", import.meta.url))});
    const key = Buffer.alloc(32);
    const secrets = { peerId: "", transcriptHash: key, verification: key, sendKey: key, receiveKey: key };
    const [a, b] = memoryConnectionPair().map((connection) => createChannel({ connection, secrets, aead: nativeAead }));
    b.onMessage(() => { throw new TypeError("a bug"); });
    a.send({ type: "ping" });
    setTimeout(() => {}, 5000);`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /TypeError: a bug/);
});

test("over TCP: megabytes both ways, then a goodbye", async () => {
  let onAccepted: (connection: Connection) => void = () => {};
  const accepted = new Promise<Connection>((resolve) => (onAccepted = resolve));
  const listener = await tcpNetwork.listen(0, onAccepted);
  const dialer = channelOver(await tcpNetwork.dial("127.0.0.1", listener.port, new AbortController().signal), true);
  const acceptor = channelOver(await accepted, false);
  await listener.close();
  const sent = Array.from({ length: 20 }, (_, index) => chunk(index, 1024 * 1024 - index));
  const [atDialer, atAcceptor] = [collect(dialer), collect(acceptor)];
  const stream = async (channel: Channel) => {
    for (const message of sent) {
      channel.send(message);
      if (channel.isCongested) await channel.writable();
    }
  };
  await Promise.all([stream(dialer), stream(acceptor)]);
  await Promise.all([atDialer.until(20), atAcceptor.until(20)]);
  assertSameChunks(atDialer.messages, sent);
  assertSameChunks(atAcceptor.messages, sent);
  dialer.close("goodbye");
  assert.deepEqual(await acceptor.ended, { code: "goodbye", byPeer: true, detail: "" });
  assert.equal((await dialer.ended).byPeer, false);
});
