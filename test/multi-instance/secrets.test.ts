// With -v and --json, and with -v in text: what is said holds neither the passphrase nor anything made of it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { machines, startPair, type Machine } from "../support/machines.ts";
import { waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

const MAIN = fileURLToPath(new URL("../../src/main.js", import.meta.url));
const PASSPHRASE = "unmistakable-4711";
const SECRETS = [
  PASSPHRASE,
  ...(["hex", "base64", "base64url"] as const).map((encoding) => Buffer.from(PASSPHRASE).toString(encoding)),
];

test("with -v and --json, whoever gets in and whoever does not, no event has the passphrase", async (t) => {
  const [a, b, guesser] = machines(t, 3) as [Machine, Machine, Machine];
  writeFiles(a.folder, { "a.txt": "a" });
  await startPair(a, b, ["-v", "--verify", "--passphrase", PASSPHRASE]);
  await guesser.start({ peers: [a.instance.port], args: ["-v", "--passphrase", "guess"] });
  for (const { instance } of [a, guesser]) await instance.waitForEvent("peer-refused");
  await waitForEqualTrees([a.folder, b.folder]);
  const all = [a, b, guesser].map(({ instance }) => instance);
  await Promise.all(all.map((instance) => instance.stop()));
  const said = all.map(({ events, stderr }) => JSON.stringify(events) + stderr).join("\n");
  assert.match(said, /"stopped"/);
  for (const secret of SECRETS) assert.ok(!said.includes(secret), secret);
});

test("an error with -v, which has a stack, has it neither", async (t) => {
  const [a] = machines(t, 1) as [Machine];
  await a.start({ args: ["--passphrase", PASSPHRASE] });
  const args = [MAIN, "-v", "-d", a.folder, "-p", "0", "--no-discovery", "--passphrase", PASSPHRASE];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"], HOME: a.home, XDG_STATE_HOME: `${a.home}/state` },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await waitFor(() => child.exitCode ?? undefined, { until: "it to end" });
  assert.equal(code, 3, said);
  for (const secret of SECRETS) assert.ok(!said.includes(secret), said);
});
