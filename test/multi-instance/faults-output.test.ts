// Whoever reads the events stops reading: what waits for it is bounded, and the instance goes on.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DsyncProcess } from "../support/dsync-process.ts";
import { machines, type Machine } from "../support/machines.ts";
import { waitFor } from "../support/wait.ts";

test("20,000 files while nobody reads the events", async (t) => {
  const [a] = machines(t, 1) as [Machine];
  // 11 MB of events.
  const directory = "d".repeat(200);
  fs.mkdirSync(join(a.folder, directory));
  const count = 20_000;
  for (let index = 0; index < count; index++) {
    fs.writeFileSync(join(a.folder, directory, `${"f".repeat(200)} ${index}`), "");
  }
  const instance = DsyncProcess.launch({ folder: a.folder, home: a.home });
  t.after(() => instance.kill());
  instance.pauseReading();
  await waitFor(async () => (await instance.status()).entries === count + 1, {
    until: "all to be found",
    intervalMs: 300,
  });
  instance.resumeReading();
  const dropped = await instance.waitForEvent("dropped");
  const changed = instance.events.filter(({ event }) => event === "changed").length;
  assert.ok(Number(dropped["count"]) >= count + 1 - changed, `${changed} told, ${String(dropped["count"])} dropped`);
  const toldBytes = instance.events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
  assert.ok(toldBytes < 9 * 2 ** 20, `${toldBytes} bytes had waited`);
  // And later ones are told again.
  fs.writeFileSync(join(a.folder, "later"), "");
  await instance.waitForEvent("changed", { where: ({ path }) => path === "later" });
  assert.equal(await instance.stop(), 0);
});
