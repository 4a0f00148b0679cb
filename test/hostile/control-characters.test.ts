// Names, paths, authors and reasons with control characters: never as they are in anything that a terminal shows.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { escapeForTerminal } from "../../src/core/escape.ts";
import { runDsync } from "../support/dsync-process.ts";
import { announcement, fileAt, fileContent } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { machines, type Machine } from "../support/machines.ts";
import { assertServes } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const MAIN = fileURLToPath(new URL("../../app/main.js", import.meta.url));
const EVIL = "\x1b]0;owned\x07\x1b[2J\r\u202egnp\u2028\x9b";

/** All that a terminal may not get from a peer; lines end as they must. */
function assertHarmless(text: string, what: string): void {
  const bad = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.exec(text.replaceAll("\n", ""));
  assert.equal(bad, null, `${what}: ${JSON.stringify(text.slice(0, 2000))}`);
}

test("nothing that a peer chose reaches the terminal as it is", async (t) => {
  const [machine, honest] = machines(t, 2) as [Machine, Machine];
  const { folder, home } = machine;
  fs.writeFileSync(join(folder, `mine ${EVIL}`), "mine");
  const environment = { PATH: process.env["PATH"], HOME: home, XDG_RUNTIME_DIR: join(home, "run") };
  const args = [MAIN, "-d", folder, "-p", "0", "--no-discovery", "--verbose"];
  const child = spawn(process.execPath, args, { env: { ...environment, XDG_STATE_HOME: join(home, "state") } });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const status = async () => {
    const { stdout } = await runDsync(["status", "-d", folder, "--json"], home);
    return JSON.parse(stdout) as { port: number | null; entries: number; conflicts: number };
  };
  const port = await waitFor(
    async () => {
      const { port: listening, entries } = await status();
      return entries > 0 ? (listening ?? undefined) : undefined;
    },
    { until: "the instance" },
  );
  const peer = await HostilePeer.join(port, { name: EVIL });
  peer.announce([
    fileAt(`dir ${EVIL}/file ${EVIL}`, "content", { author: EVIL }),
    fileAt(`mine ${EVIL}`, "theirs", { author: EVIL, replica: 2, stamp: 5 }),
    announcement(`wrong ${EVIL}`, fileContent("never sent"), { author: EVIL }),
    { ...fileAt(`damaged ${EVIL}`, "content 2", { author: EVIL }), inline: Buffer.from("CONTENT 2") },
  ]);
  peer.send({ type: "stand", root: Buffer.alloc(16), pendingFiles: 0, pendingBytes: 0 });
  await waitFor(async () => (await status()).conflicts > 0, { until: "a conflict" });
  await waitFor(() => output.includes(escapeForTerminal(`damaged ${EVIL}`)), { until: "a problem" });
  for (const command of [["status"], ["conflicts"], ["trash", "list"], ["ignore", "test", `x ${EVIL}`]]) {
    const { stdout, stderr } = await runDsync([...command, "-d", folder], home);
    assertHarmless(stdout + stderr, command.join(" "));
  }
  const other = await HostilePeer.join(port, { name: EVIL, share: `share ${EVIL}`.slice(0, 20) });
  await other.closed();
  peer.sendRaw([Buffer.alloc(300, 0xff)]);
  await peer.closed();
  await waitFor(() => output.includes("share"), { until: "the refusal" });
  await assertServes({ folder, port, honest });
  child.kill("SIGTERM");
  await once(child, "exit");
  assertHarmless(output, "the live view");
  assert.ok(output.includes(escapeForTerminal(EVIL)));
});
