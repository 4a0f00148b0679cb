// Runs the compiled tests with node's own runner, as an explicit list of files: Node 20 has no test globs.
// `node scripts/run-tests.mjs [folder ...]` limits the run to test files below those folders (src, test, test/multi-instance).
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const folders = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ["src", "test"];
const files = folders
  .flatMap((folder) =>
    readdirSync(join("dist", folder), { recursive: true, encoding: "utf8" }).map((name) => join("dist", folder, name)),
  )
  .filter((name) => name.endsWith(".test.js"))
  .toSorted();
if (files.length === 0) {
  console.error(`No test files below ${folders.join(", ")}.`);
  process.exit(1);
}
const result = spawnSync(process.execPath, ["--test", "--test-concurrency=2", "--test-reporter=spec", ...files], {
  stdio: "inherit",
});
process.exit(result.status ?? 1);
