// The package that `npm pack` makes: what is in it, and that it runs without the rest of the repository.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { inRepository, readDocument } from "../docs/documents.ts";
import { pack, whyNoNpm } from "../support/npm-pack.ts";
import { removeDirectory, temporaryDirectory } from "../support/trees.ts";

const REPOSITORY = inRepository(".");
/** Of node's own start and ours; the fastest of some runs, so that a busy machine is no failure. */
const RUNS = 8;
const START_MS_MAX = 150;

test("the package holds the program and its documents, and no test", { skip: whyNoNpm }, () => {
  const paths = new Set(pack("--dry-run").files.map(({ path }) => path));
  for (const path of ["package.json", "README.md", "LICENSE", "dsync.toml.example", ".dsyncignore.example"])
    assert.ok(paths.has(path), path);
  const { bin, man } = JSON.parse(readDocument("package.json")) as { bin: { dsync: string }; man: string[] };
  for (const path of [bin.dsync, ...man, "dist/app/worker.js", ...scripts()]) assert.ok(paths.has(path), path);
  const others = [...paths].filter((path) => /test|contract|\.map$|\.ts$|\.cache$/.test(path));
  assert.deepEqual(others, []);
  for (const path of [...paths].filter((path) => path.endsWith(".js"))) {
    const source = fs.readFileSync(join(REPOSITORY, path), "utf8");
    for (const [, wanted = ""] of source.matchAll(/(?:from|import\() ?"(\.{1,2}\/[^"]+)"/g)) {
      const target = normalize(join(dirname(path), wanted));
      assert.ok(paths.has(target), `${path} imports ${target}, which is not in the package`);
    }
  }
});

test("V8 takes the code that it made of the program when that was built", () => {
  const flags = pathToFileURL(join(REPOSITORY, "dist/src/edge/engine-flags.js")).href;
  const script = `
    import { readFileSync } from "node:fs";
    import { Script } from "node:vm";
    import { setEngineFlags } from "${flags}";
    function isTaken(filename) {
      const cachedData = readFileSync(filename + ".cache");
      return !new Script(readFileSync(filename, "latin1"), { filename, cachedData }).cachedDataRejected;
    }
    const isFirstTaken = isTaken("dist/app/main.cjs");
    setEngineFlags();
    const others = process.argv.slice(1).filter((path) => path !== "dist/app/main.cjs");
    console.log(isFirstTaken, others.length > 5, others.filter((path) => !isTaken(path)));`;
  const argv = ["--input-type=module", "-e", script, ...scripts()];
  assert.equal(execFileSync(process.execPath, argv, { cwd: REPOSITORY, encoding: "utf8" }), "true true []\n");
});

/** What the program is made of. */
function scripts(): readonly string[] {
  const names = fs.readdirSync(join(REPOSITORY, "dist/app"));
  return names.filter((name) => name.endsWith(".cjs")).map((name) => `dist/app/${name}`);
}

test("what was packed runs, and says its version at once", { skip: whyNoNpm }, (t) => {
  const base = temporaryDirectory();
  t.after(() => removeDirectory(base));
  const { filename } = pack("--pack-destination", base);
  execFileSync("tar", ["-xzf", join(base, filename), "-C", base]);
  fs.symlinkSync(join(REPOSITORY, "node_modules"), join(base, "package/node_modules"));
  const main = join(base, "package/dist/app/main.js");
  const { version } = JSON.parse(readDocument("package.json")) as { version: string };
  const run = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [main, ...args], {
      encoding: "utf8",
      env: { HOME: base, PATH: process.env["PATH"] },
    });
  const fastest = (work: () => void): number =>
    Math.min(
      ...Array.from({ length: RUNS }, () => {
        const startMs = performance.now();
        work();
        return performance.now() - startMs;
      }),
    );
  const startMs = fastest(() => assert.equal(run("--version"), `dsync ${version}\n`));
  const nodeMs = fastest(() => execFileSync(process.execPath, ["-e", "0"]));
  t.diagnostic(`--version takes ${startMs.toFixed(0)} ms, of which node itself ${nodeMs.toFixed(0)} ms`);
  // On a machine on which node alone takes half of that, the rest counts.
  assert.ok(startMs < Math.max(START_MS_MAX, nodeMs * 2), `${startMs} ms, node alone ${nodeMs} ms`);
  fs.mkdirSync(join(base, "folder"));
  assert.match(run("ignore", "test", "a.tmp", "-d", join(base, "folder")), /a\.tmp/);
});
