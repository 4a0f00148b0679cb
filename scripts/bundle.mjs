// Puts the program together in dist/app: a few files instead of 300, which start in half the time. Packages stay outside.

import { chmodSync, rmSync } from "node:fs";
import { build } from "esbuild";

const OUT = "dist/app";

// Chunks have their content in their names: those of earlier builds would stay for ever.
rmSync(OUT, { recursive: true, force: true });
await build({
  entryPoints: { main: "src/main.ts", worker: "src/edge/worker.ts" },
  outdir: OUT,
  bundle: true,
  packages: "external",
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  logLevel: "warning",
});
chmodSync(`${OUT}/main.js`, 0o755);
