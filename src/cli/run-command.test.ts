import assert from "node:assert/strict";
import { test } from "node:test";
import { DsyncError } from "../core/errors.ts";
import type { RestoreOutcome, StatusReport } from "../core/reports.ts";
import { parseCommandLine } from "./command-line.ts";
import { errorText, exitCodeOf } from "./exit-code.ts";
import type { FolderAccess } from "./folder-access.ts";
import { ignoreTarget } from "./ignore-target.ts";
import { runCommand, type CommandResult } from "./run-command.ts";

const EVIL = "a\u001b[2Jb\nc";

const STATUS: StatusReport = {
  running: true,
  folder: "/home/u/shared",
  share: "default",
  name: "laptop",
  port: 9000,
  replicaId: "0123456789abcdef",
  merkleRoot: "8f".repeat(16),
  inSync: false,
  peers: [
    {
      id: "3fa2b1c0".repeat(8),
      name: "pc",
      address: "192.168.1.20:9000",
      inSync: true,
      pending: { files: 0, bytes: 0 },
      verification: "otter maple copper lantern",
    },
    {
      id: "0".repeat(64),
      name: EVIL,
      address: "h:1",
      inSync: false,
      pending: { files: 2, bytes: 2000 },
      verification: null,
    },
  ],
  pending: { files: 4312, bytes: 1_500_000 },
  outgoing: { files: 2, bytes: 2000 },
  failed: [{ path: EVIL, reason: "Cannot write: permission denied." }],
  conflicts: 2,
  halted: null,
  entries: 5000,
  traffic: { sentBytes: 1, receivedBytes: 1 },
  refused: [],
  peerId: null,
};

const EMPTY: StatusReport = {
  ...STATUS,
  running: false,
  name: null,
  port: null,
  peers: [],
  pending: { files: 0, bytes: 0 },
  outgoing: { files: 0, bytes: 0 },
  failed: [],
  conflicts: 0,
};

const CONFLICTS = [{ path: EVIL, original: "a.txt", author: EVIL, time: "2024-05-01T10:00:00.000Z", size: 5 }];
const TRASH = [{ item: `batch/${EVIL}`, path: EVIL, time: "2024-05-01T10:00:00.000Z", kind: "file" as const, size: 5 }];

function run(argv: string, answers: Partial<FolderAccess> = {}): Promise<CommandResult> {
  const command = parseCommandLine(argv.split(" "));
  assert.ok(command.command !== "run" && command.command !== "help");
  assert.ok(command.command !== "version" && command.command !== "forget" && command.command !== "doctor");
  assert.ok(command.command !== "completion" && command.command !== "service");
  return runCommand(command, {
    status: async () => STATUS,
    conflicts: async () => CONFLICTS,
    trashList: async () => TRASH,
    trashRestore: async (wanted) => wanted.map((item): RestoreOutcome => ({ item, restored: false, reason: EVIL })),
    trashEmpty: async () => ({ files: 2, bytes: 3000, failed: [] }),
    ignoreTest: async (path) => ({ path, ignored: true, rule: { pattern: "*.tmp", source: ".dsyncignore", line: 7 } }),
    ...answers,
  });
}

test("status tells peers, what is pending, what failed and why, and conflicts", async () => {
  const { output, exitCode } = await run("status");
  assert.equal(exitCode, 0);
  assert.deepEqual(output.split("\n"), [
    "Not in sync yet (laptop on port 9000).",
    "Folder  /home/u/shared (5,000 entries)",
    "Share   default",
    `Root    ${"8f".repeat(16)}`,
    "Peers",
    "  pc  3fa2b1c0  192.168.1.20:9000  in sync  both sides must show: otter maple copper lantern",
    String.raw`  a\x1b[2Jb\x0ac  00000000  h:1  lacks 2 files, 2.0 KB`,
    "To send 2 files, 2.0 KB",
    "To come 4,312 files, 1.5 MB",
    "Skipped for now, and tried again:",
    String.raw`  a\x1b[2Jb\x0ac: Cannot write: permission denied.`,
    "2 conflict copies: dsync conflicts lists them.",
    "",
  ]);
});

const HEADLINES: readonly (readonly [status: Partial<StatusReport>, headline: RegExp])[] = [
  [{ inSync: true }, /^In sync \(laptop on port 9000\)\./],
  [{ peers: [], inSync: true }, /^Waiting for peers/],
  [{ halted: "the disk is full" }, /^Paused .*\n(.*\n)*Paused: the disk is full/],
  [EMPTY, /^No instance runs on this folder/],
];

for (const [status, headline] of HEADLINES) {
  test(`status begins with ${headline.source}`, async () => {
    assert.match((await run("status", { status: async () => ({ ...STATUS, ...status }) })).output, headline);
  });
}

test("many failed paths are cut, and counted", async () => {
  const failed = Array.from({ length: 1_021 }, (_, index) => ({ path: `p${index}`, reason: "r" }));
  const { output } = await run("status", { status: async () => ({ ...STATUS, failed }) });
  assert.match(output, /\n {2}p19: r\n {2}… and 1,001 more/);
});

test("--json is the report itself", async () => {
  assert.deepEqual(JSON.parse((await run("status --json")).output), STATUS);
  assert.deepEqual(JSON.parse((await run("conflicts --json")).output), CONFLICTS);
  assert.deepEqual(JSON.parse((await run("trash list --json")).output), TRASH);
  assert.deepEqual(JSON.parse((await run("trash empty --json")).output), { files: 2, bytes: 3000, failed: [] });
  assert.equal((JSON.parse((await run("ignore test a --json")).output) as { ignored: boolean }).ignored, true);
});

test("conflicts and trash, with and without something in them", async () => {
  assert.match(
    (await run("conflicts")).output,
    /^a\\x1b\[2Jb\\x0ac\n {2}by a\\x1b.*5 B; the other version is a\.txt\n$/,
  );
  assert.equal((await run("conflicts", { conflicts: async () => [] })).output, "No conflict copies.\n");
  assert.match((await run("trash list")).output, /^2024-05-0\d \d\d:00 {7}5 B {2}batch\/a\\x1b\[2Jb\\x0ac\n$/);
  assert.equal((await run("trash list", { trashList: async () => [] })).output, "The trash is empty.\n");
});

test("what could not be restored or removed makes the exit code 1", async () => {
  const failed = await run("trash restore a");
  assert.deepEqual(failed, { output: `${String.raw`Not restored: a: a\x1b[2Jb\x0ac`}\n`, exitCode: 1 });
  const restored = await run("trash restore a", {
    trashRestore: async () => [{ item: "a", restored: true, path: "a.restored" }],
  });
  assert.deepEqual(restored, { output: "Restored a.restored\n", exitCode: 0 });
  assert.deepEqual(await run("trash empty"), { output: "Removed 2 files, 3.0 KB.\n", exitCode: 0 });
  const stuck = await run("trash empty", {
    trashEmpty: async () => ({ files: 0, bytes: 0, failed: [{ path: "p", reason: "busy" }] }),
  });
  assert.equal(stuck.exitCode, 1);
});

test("ignore test names the line", async () => {
  assert.equal((await run("ignore test a.tmp")).output, "a.tmp is ignored, by .dsyncignore, line 7: *.tmp\n");
  const none = await run("ignore test a", { ignoreTest: async (path) => ({ path, ignored: false, rule: null }) });
  assert.equal(none.output, "a is not ignored: no line matches it.\n");
});

test("the path that ignore test means", () => {
  assert.equal(ignoreTarget("a/b", "/f", "/f"), "a/b");
  assert.equal(ignoreTarget("b/", "/f", "/f/a"), "a/b/");
  assert.equal(ignoreTarget("/f/a", "/f", "/"), "a");
  assert.equal(ignoreTarget("a", "/f", "/elsewhere"), "a");
  assert.equal(ignoreTarget("../f/a", "/f", "/g"), "a");
  assert.equal(ignoreTarget("..a", "/f", "/f"), "..a");
  for (const target of ["/g", "..", "/f", "/ff"]) {
    assert.throws(() => ignoreTarget(target, "/f", "/f"), /not inside/, target);
  }
});

test("exit codes and messages", () => {
  const codes = (["usage", "environment", "folder-held", "folder-changed", "index", "protocol"] as const).map((code) =>
    exitCodeOf(new DsyncError(code, "")),
  );
  assert.deepEqual(codes, [2, 1, 3, 4, 1, 1]);
  assert.equal(exitCodeOf(new Error("bug")), 1);
  const error = new DsyncError("usage", "Which folder?", { cause: new Error("the cause") });
  assert.equal(errorText(error, false), "dsync: Which folder?\n");
  assert.match(errorText(error, true), /^dsync: Which folder\?\n( {4}at .*\n)+Caused by: the cause\n( {4}at .*\n)+$/);
  assert.equal(errorText(Object.assign(new Error("disk full"), { code: "ENOSPC" }), false), "dsync: disk full\n");
  assert.match(errorText(new Error("bug"), false), /^dsync: bug\nThis should not .* --verbose .*\n$/);
});
