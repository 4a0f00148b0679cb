import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DEADLINE_MS } from "../../test/support/wait.ts";
import { DsyncError } from "../core/errors.ts";
import { LOCAL_REQUEST_BYTES_MAX, TRASH_PAGE_ITEMS } from "../core/limits.ts";
import type { StatusReport } from "../core/reports.ts";
import type { FolderAccess } from "./folder-access.ts";
import { instanceAccess } from "./instance-access.ts";
import { askInstance, LocalApi } from "./local-api.ts";
import { answerLocally, parseStatus, type LocalRequest } from "./local-messages.ts";
import { socketPathFor } from "./socket-path.ts";

const UID = process.getuid?.();

const STATUS: StatusReport = {
  running: true,
  folder: "/f",
  share: "default",
  name: "laptop",
  port: 9000,
  replicaId: "0123456789abcdef",
  merkleRoot: "00",
  inSync: false,
  peers: [
    { id: "ab", name: "pc", address: "h:1", inSync: false, pending: { files: 1, bytes: 2 }, verification: "a b c d" },
  ],
  pending: { files: 3, bytes: 4 },
  outgoing: { files: 1, bytes: 2 },
  failed: [{ path: "a", reason: "denied" }],
  conflicts: 1,
  halted: null,
  entries: 5,
  traffic: { sentBytes: 6, receivedBytes: 7 },
  refused: [],
  peerId: null,
};

/** Answers everything, with what it was asked where there is room for that. */
const ACCESS: FolderAccess = {
  status: async () => STATUS,
  conflicts: async () => [{ path: "c", original: "o", author: "pc", time: "2024", size: 1 }],
  trashList: async () => [{ item: "b/p", path: "p", time: "2024", kind: "symlink", size: 1 }],
  trashRestore: async (wanted) => wanted.map((item) => ({ item, restored: true, path: item })),
  trashEmpty: async () => ({ files: 1, bytes: 2, failed: [] }),
  ignoreTest: async (path, exclude) => ({
    path,
    ignored: true,
    rule: { pattern: exclude.join(), source: "--exclude", line: null },
  }),
};

let directory = "";
let socketPath = "";
let api: LocalApi | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dsync-api-"));
  socketPath = join(directory, "dsync", "key.sock");
});
afterEach(async () => {
  await api?.stop();
  api = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function start(handle: (request: LocalRequest) => Promise<unknown>): Promise<void> {
  api = await LocalApi.start({ socketPath, uid: UID, handle });
}

test("every request reaches the instance, and its answer comes back whole", async () => {
  await start((request) => answerLocally(ACCESS, request));
  const remote = instanceAccess({ socketPath, uid: UID });
  assert.deepEqual(await remote.status(), STATUS);
  assert.deepEqual(await remote.conflicts(), await ACCESS.conflicts());
  assert.deepEqual(await remote.trashList(), await ACCESS.trashList());
  assert.deepEqual(await remote.trashRestore(["a", "b\nc"]), await ACCESS.trashRestore(["a", "b\nc"]));
  assert.deepEqual(await remote.trashEmpty(), await ACCESS.trashEmpty());
  assert.deepEqual(await remote.ignoreTest("p/", ["x"]), await ACCESS.ignoreTest("p/", ["x"]));
});

test("an answer of many pieces, and many commands at once", async () => {
  const failed = Array.from({ length: 20_000 }, (_, index) => ({ path: `päth-${index}`, reason: "r".repeat(50) }));
  await start(async () => ({ ...STATUS, failed }));
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => askInstance({ socketPath, uid: UID }, { ask: "status" }, parseStatus)),
  );
  for (const answer of answers) assert.deepEqual(answer.failed, failed);
});

test("what the instance throws is told", async () => {
  await start(() => Promise.reject(new Error("the index is \u001bclosed")));
  await assert.rejects(instanceAccess({ socketPath, uid: UID }).status(), environmentError(/the index is \\x1bclosed/));
});

test("an answer of another shape is another version's", async () => {
  await start(async () => ({ ...STATUS, peers: [{}] }));
  await assert.rejects(instanceAccess({ socketPath, uid: UID }).status(), environmentError(/another version/));
});

test("nobody there", async () => {
  mkdirSync(dirname(socketPath), { mode: 0o700 });
  await assert.rejects(instanceAccess({ socketPath, uid: UID }).status(), environmentError(/nobody listens/));
});

test("a socket that a killed instance left behind is replaced, and a stopped one leaves none", async () => {
  mkdirSync(dirname(socketPath), { mode: 0o700 });
  writeFileSync(socketPath, "");
  await start((request) => answerLocally(ACCESS, request));
  assert.equal((await instanceAccess({ socketPath, uid: UID }).status()).name, "laptop");
  await api?.stop();
  api = undefined;
  assert.ok(!existsSync(socketPath));
});

test(
  "only this user can reach the directory; one that others can reach is refused",
  { skip: UID === undefined },
  async () => {
    await start((request) => answerLocally(ACCESS, request));
    assert.equal(statSync(dirname(socketPath)).mode & 0o777, 0o700);
    await api?.stop();
    api = undefined;
    chmodSync(dirname(socketPath), 0o755);
    await assert.rejects(
      LocalApi.start({ socketPath, uid: UID, handle: async () => 1 }),
      environmentError(/only this user/),
    );
    await assert.rejects(instanceAccess({ socketPath, uid: UID }).status(), environmentError(/only this user/));
    rmSync(dirname(socketPath), { recursive: true });
    const elsewhere = mkdtempSync(join(directory, "elsewhere-"));
    symlinkSync(elsewhere, dirname(socketPath));
    await assert.rejects(
      LocalApi.start({ socketPath, uid: UID, handle: async () => 1 }),
      environmentError(/only this user/),
    );
  },
);

const BAD_REQUESTS = [
  "x",
  "{}",
  "[]",
  '{"v":2,"ask":"status"}',
  '{"v":1,"ask":"burn"}',
  '{"v":1,"ask":"trash-restore","wanted":1}',
  "",
];

for (const request of BAD_REQUESTS) {
  test(`the request ${JSON.stringify(request)} never reaches the instance`, async () => {
    let asked = 0;
    await start(async () => asked++);
    const answer: unknown = JSON.parse(await send(`${request}\n`));
    assert.equal((answer as { ok: unknown }).ok, false);
    assert.equal(asked, 0);
  });
}

test("a request without end is cut off", { timeout: DEADLINE_MS }, async () => {
  await start(async () => 1);
  assert.equal(await send("x".repeat(LOCAL_REQUEST_BYTES_MAX + 1)), "");
});

test("stopping does not wait for a command that says nothing", async () => {
  await start(async () => 1);
  const silent = createConnection(socketPath);
  const closed = new Promise((resolve) => silent.on("close", resolve).on("error", () => {}));
  await new Promise((resolve) => silent.on("connect", resolve));
  await api?.stop();
  api = undefined;
  await closed;
});

test("where the socket is", () => {
  const linux = { environment: {}, system: "linux", temporary: "/tmp", uid: 1000 };
  const key = /^\/tmp\/dsync-1000\/([0-9a-f]{16})\.sock$/.exec(socketPathFor("/f", linux) ?? "")?.[1] ?? "none";
  const runtime = { ...linux, environment: { XDG_RUNTIME_DIR: "/run/user/1000" } };
  assert.equal(socketPathFor("/f", runtime), `/run/user/1000/dsync/${key}.sock`);
  assert.notEqual(socketPathFor("/g", runtime), socketPathFor("/f", runtime));
  const long = { ...linux, environment: { XDG_RUNTIME_DIR: `/${"x".repeat(100)}` } };
  assert.equal(socketPathFor("/f", long), `/tmp/dsync-1000/${key}.sock`);
  assert.equal(socketPathFor("/f", { ...long, temporary: `/${"x".repeat(100)}` }), null);
  assert.equal(socketPathFor("/f", { ...linux, system: "win32", uid: undefined }), `\\\\.\\pipe\\dsync-${key}`);
});

/** Sends bytes as they are, and resolves with all that comes back. */
function send(text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = createConnection(socketPath, () => socket.write(text));
    socket.on("data", (piece) => (received += piece.toString()));
    // Cut off while it still sends: the other side may reset.
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
  });
}

function environmentError(pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof DsyncError && error.code === "environment", String(error));
    assert.match(error.message, pattern);
    return true;
  };
}

test("a long list comes whole", async () => {
  const items = Array.from({ length: 2 * TRASH_PAGE_ITEMS + 1 }, (_, index) => ({
    item: `b/${index}`,
    path: `name, ${index}"`,
    time: "2024",
    kind: "file" as const,
    size: index,
  }));
  const access = { ...ACCESS, trashList: async () => items };
  api = await LocalApi.start({ socketPath, uid: UID, handle: (request) => answerLocally(access, request) });
  assert.deepEqual(await instanceAccess({ socketPath, uid: UID }).trashList(), items);
  assert.deepEqual(await instanceAccess({ socketPath, uid: UID }).conflicts(), await ACCESS.conflicts());
});
