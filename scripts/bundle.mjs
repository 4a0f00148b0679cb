// Puts the program together in dist/app: a few scripts instead of 400 modules, and what V8 makes of them. Packages of plain
// JavaScript come into it, with their licences beside; those with native parts find these by where they are installed,
// and stay outside. Why, with numbers: docs/decisions/0015-the-program-is-a-few-files.md, 0023-compiled-when-it-is-built.md.

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { build } from "esbuild";
import { setEngineFlags } from "../dist/src/edge/engine-flags.js";

const OUT = "dist/app";
const LAUNCHER = "src/launch.ts";
const SCRIPTS = {
  main: "src/main.ts",
  "command-line": "src/cli/command-line.ts",
  "start-workers": "src/cli/start-workers.ts",
  run: "src/cli/run.ts",
  worker: "src/edge/worker.ts",
  completion: "src/cli/completion.ts",
  "run-doctor": "src/cli/run-doctor.ts",
  "run-folder-command": "src/cli/run-folder-command.ts",
  "run-service": "src/cli/run-service.ts",
};
/** What starts with one of these comes into the program, and what it needs itself. */
const INSIDE = ["@noble/", "chokidar", "minimatch", "multicast-dns", "smol-toml", "yargs"];

/** Of yargs the parser alone is used: what prints help, translates and measures text stays out with this. */
const parserAlone = {
  name: "parser-alone",
  setup(builder) {
    builder.onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === parserAlone || !/node_modules\/yargs\/helpers\//.test(from.importer)) return undefined;
      const found = await builder.resolve(path, { ...from, pluginData: parserAlone });
      return { ...found, sideEffects: false };
    });
  },
};

/** What is imported when it is needed is a script of its own, with all that it needs. */
const asScripts = {
  name: "as-scripts",
  setup(builder) {
    builder.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path }) => {
      if (kind !== "dynamic-import") return undefined;
      const script = basename(path, ".ts");
      if (SCRIPTS[script] === undefined) throw new Error(`${path} is imported when it is needed, and is no script.`);
      return { path: `./${script}.cjs`, external: true };
    });
  },
};

const { dependencies, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const packages = Object.keys({ ...dependencies, ...optionalDependencies });

rmSync(OUT, { recursive: true, force: true });
const shared = { outdir: OUT, bundle: true, platform: "node", target: "node20", sourcemap: true, logLevel: "warning" };
await build({ ...shared, format: "esm", entryPoints: { main: LAUNCHER, worker: LAUNCHER } });
const { metafile } = await build({
  ...shared,
  entryPoints: SCRIPTS,
  external: packages.filter((name) => !INSIDE.some((start) => name.startsWith(start))),
  // Functions of what the launcher gives them: V8 keeps code of scripts alone, and not of ES modules.
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  banner: { js: "(function (require, moduleUrl) { const module = { exports: {} };" },
  footer: { js: "return module.exports; })" },
  define: { "import.meta.url": "moduleUrl" },
  supported: { "dynamic-import": false },
  metafile: true,
  plugins: [parserAlone, asScripts],
});
const inside = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
writeFileSync(`${OUT}/LICENCES.txt`, licencesOf(inside));
chmodSync(`${OUT}/main.js`, 0o755);
const [first, ...others] = Object.keys(SCRIPTS);
keepCodeOf(`${OUT}/${first}.cjs`);
// The first one sets these before it asks for the others; code that was made without them is not taken.
setEngineFlags();
for (const script of others) keepCodeOf(`${OUT}/${script}.cjs`);

/** Keeps what V8 makes of a script: of all its functions, since most are called in the first moments. */
function keepCodeOf(path) {
  // What is ASCII alone is read faster, and takes half the memory. The rest is in comments and regular expressions.
  const escape = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const source = readFileSync(path, "utf8").replaceAll(/[^\0-\x7f]/g, escape);
  writeFileSync(path, source);
  setFlagsFromString("--no-lazy");
  const script = new Script(source, { filename: resolve(path) });
  // It would be taken by a V8 with the same flags alone.
  setFlagsFromString("--lazy");
  writeFileSync(`${path}.cache`, script.createCachedData());
}

/** The licences of all packages that these files are from. */
function licencesOf(files) {
  const directories = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  return [...new Set(directories.filter((directory) => directory !== undefined))]
    .toSorted((a, b) => a.localeCompare(b))
    .map((directory) => {
      const name = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
      if (name === undefined) throw new Error(`${directory} has no licence file.`);
      const { name: packageName, version } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
      return `${packageName} ${version}\n\n${readFileSync(join(directory, name), "utf8").trim()}\n`;
    })
    .join(`\n${"-".repeat(72)}\n\n`);
}
