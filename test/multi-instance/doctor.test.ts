// `dsync doctor` as a person runs it: beside a running instance, and alone.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Finding } from "../../src/cli/finding.ts";
import { DsyncProcess, runDsync } from "../support/dsync-process.ts";
import { waitFor } from "../support/wait.ts";

test("doctor beside a running instance, on its port, and with a port that is taken", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "dsync-doctor-"));
  const [one, two, idle] = [join(home, "one"), join(home, "two"), join(home, "idle")];
  for (const folder of [one, two, idle]) mkdirSync(folder);
  const first = await DsyncProcess.start({ folder: one, home });
  const second = await DsyncProcess.start({ folder: two, home, peers: [first.port], args: ["-n", "second"] });
  t.after(async () => {
    await Promise.all([first.stop(), second.stop()]);
    rmSync(home, { recursive: true, force: true });
  });
  await first.waitForEvent("in-sync");
  const { stdout } = await runDsync(["doctor", "-d", one, "--json"], home);
  const findings = JSON.parse(stdout) as readonly Finding[];
  const textOf = (check: string): string => findings.find((finding) => finding.check === check)?.text ?? "";
  assert.match(textOf("instance"), /is running on this folder/);
  assert.equal(textOf("port"), `dsync answers on TCP port ${first.port}.`);
  assert.ok(
    findings.some(
      ({ check, verdict, text }) => check === "peer" && verdict === "ok" && /^second .*connected/.test(text),
    ),
  );
  // What the live view and the doctor are told of peers.
  await first.waitForEvent("progress", { where: ({ peers }) => JSON.stringify(peers).includes('"state":"in-sync"') });
  const other = await DsyncProcess.start({ folder: idle, home, peers: [first.port], args: ["--share", "other"] });
  const refused = await waitFor(async () => (await first.status()).refused[0], { until: "the other share is refused" });
  assert.match(refused.reason, /share "other"/);
  await other.stop();
  const taken = await runDsync(["doctor", "-d", idle, "-p", String(first.port)], home);
  assert.equal(taken.code, 1);
  assert.match(taken.stdout, /^problem {2}TCP port \d+ is taken by another program\.\n {9}→ Choose another with -p/m);
  assert.match(taken.stdout, /\d problems?, \d+ warnings?\.\n$/);
});
