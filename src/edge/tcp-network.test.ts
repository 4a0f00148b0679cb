import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { test } from "node:test";
import { DEADLINE_MS } from "../../test/support/wait.ts";
import { errnoOf } from "../core/errors.ts";
import { SEND_QUEUE_BYTES_MAX } from "../core/limits.ts";
import type { Connection, ConnectionEnd, Listener } from "./network.ts";
import { plainAddress, tcpNetwork } from "./tcp-network.ts";

const never = new AbortController().signal;

/** A connection from both its ends. */
async function connected(host = "127.0.0.1"): Promise<{ near: Connection; far: Connection; listener: Listener }> {
  let onAccepted: (connection: Connection) => void = () => {};
  const accepted = new Promise<Connection>((resolve) => (onAccepted = resolve));
  const listener = await tcpNetwork.listen(0, onAccepted);
  const near = await tcpNetwork.dial(host, listener.port, never);
  return { near, far: await accepted, listener };
}

function endOf(connection: Connection): Promise<ConnectionEnd> {
  return new Promise((resolve) => connection.onEnd(resolve));
}

/** Resolves with all bytes once the connection has ended. */
function readAll(connection: Connection): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  connection.onData((bytes) => pieces.push(Uint8Array.from(bytes)));
  connection.resume();
  return endOf(connection).then(() => Buffer.concat(pieces));
}

test("IPv4 arrives at a dual-stack listener under its own name", async () => {
  const { near, far, listener } = await connected();
  assert.deepEqual([near.remote, far.remote.host], [{ host: "127.0.0.1", port: listener.port }, "127.0.0.1"]);
  near.destroy();
  await listener.close();
});

test("mapped addresses become plain, zones stay", () => {
  assert.equal(plainAddress("::ffff:10.1.2.3"), "10.1.2.3");
  assert.equal(plainAddress("fe80::1%eth0"), "fe80::1%eth0");
  assert.equal(plainAddress("::1"), "::1");
});

test("nothing arrives before resume, everything written before end does", async () => {
  const { near, far, listener } = await connected();
  let isEarly = true;
  far.onData(() => assert.equal(isEarly, false));
  near.write([Buffer.from("a"), Buffer.from("bc")]);
  near.write([Buffer.alloc(3_000_000, 1)]);
  near.end();
  // A round on another connection: by then, something would have arrived on this one.
  const other = await connected();
  other.near.end();
  await Promise.all([readAll(other.far), other.listener.close()]);
  isEarly = false;
  const bytes = await readAll(far);
  assert.equal(bytes.length, 3_000_003);
  assert.equal(bytes.subarray(0, 4).toString("hex"), "61626301");
  await listener.close();
});

test("all bytes arrive as they were written, at both ends of many connections at once", async () => {
  const contents = Array.from({ length: 6 }, (_, i) => randomBytes(1_000_000 + i));
  const pairs = await Promise.all(contents.map(() => connected()));
  const received = await Promise.all(
    pairs.flatMap(({ near, far }, i) => {
      const content = contents[i] ?? Buffer.alloc(0);
      // A pause in the middle, as a consumer makes it that cannot keep up.
      const atNear = readAll(near);
      const atFar = readAll(far);
      near.pause();
      setImmediate(() => near.resume());
      for (const end of [near, far]) {
        end.write([content]);
        end.end();
      }
      return [atNear, atFar];
    }),
  );
  for (const [i, bytes] of received.entries()) assert.ok(bytes.equals(contents[Math.floor(i / 2)] ?? Buffer.alloc(0)));
  await Promise.all(pairs.map(({ listener }) => listener.close()));
});

test("write asks to wait when much is queued, and drains when it has left", async () => {
  const { near, far, listener } = await connected();
  // The kernel takes a few megabytes; the other end reads none.
  let written = 0;
  const drained = new Promise<void>((resolve) => near.onDrain(resolve));
  while (near.write([new Uint8Array(100_000)])) written += 100_000;
  assert.ok(written <= SEND_QUEUE_BYTES_MAX, `${written} bytes without a pause`);
  near.write([new Uint8Array(10_000_000)]);
  far.onData(() => {});
  far.resume();
  await drained;
  near.end();
  far.end();
  await Promise.all([endOf(near), endOf(far)]);
  await listener.close();
});

test("an end is orderly, also when the other side's bytes were never read", { timeout: DEADLINE_MS }, async (t) => {
  // Without the timer that would cut it short.
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { near, far, listener } = await connected();
  far.write([Buffer.from("never read")]);
  near.write([Buffer.from("last words")]);
  near.end();
  assert.equal((await readAll(far)).toString(), "last words");
  assert.equal((await endOf(near)).error, undefined);
  await listener.close();
});

test("an end does not wait long for a side that does not take it", async () => {
  const { near, far, listener } = await connected();
  near.write([new Uint8Array(20_000_000)]);
  near.end();
  await endOf(near);
  far.destroy();
  await listener.close();
});

test("whoever asks after the end is told", async () => {
  const { near, far, listener } = await connected();
  near.destroy();
  await endOf(near);
  await endOf(near);
  far.resume();
  await endOf(far);
  assert.equal(near.write([Buffer.from("ignored")]), true);
  await listener.close();
});

test("a port in use, a port nobody listens on and an abort are errors with their causes", async () => {
  const listener = await tcpNetwork.listen(0, () => {});
  await assert.rejects(
    tcpNetwork.listen(listener.port, () => {}),
    (error) => errnoOf(error) === "EADDRINUSE",
  );
  await listener.close();
  await assert.rejects(tcpNetwork.dial("127.0.0.1", listener.port, never), (e) => errnoOf(e) === "ECONNREFUSED");
  const reason = new Error("given up");
  await assert.rejects(tcpNetwork.dial("127.0.0.1", listener.port, AbortSignal.abort(reason)), reason);
  const controller = new AbortController();
  const dialing = tcpNetwork.dial("127.0.0.1", listener.port, controller.signal);
  controller.abort(reason);
  await assert.rejects(dialing, reason);
});

test("a closed listener frees its port and leaves connections alone", async () => {
  const { near, far, listener } = await connected();
  await listener.close();
  const again = createServer();
  await new Promise<void>((resolve, reject) => again.once("error", reject).listen(listener.port, "::", resolve));
  await new Promise((resolve) => again.close(resolve));
  near.write([Buffer.from("still here")]);
  near.end();
  assert.equal((await readAll(far)).toString(), "still here");
});
