// Puts the program together in dist/app: a few files instead of 400, which start in half the time. Packages of plain
// JavaScript come into it, with their licences beside; those with native parts find these by where they are installed,
// and stay outside. docs/decisions/0015-the-program-is-a-few-files.md has the numbers.

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const OUT = "dist/app";
/** What starts with one of these comes into the program, and what it needs itself. */
const INSIDE = ["@noble/", "minimatch", "smol-toml", "yargs"];

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

const { dependencies, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const packages = Object.keys({ ...dependencies, ...optionalDependencies });

// Chunks have their content in their names: those of earlier builds would stay for ever.
rmSync(OUT, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { main: "src/main.ts", worker: "src/edge/worker.ts" },
  outdir: OUT,
  bundle: true,
  external: packages.filter((name) => !INSIDE.some((start) => name.startsWith(start))),
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  metafile: true,
  plugins: [parserAlone],
  logLevel: "warning",
});
const inside = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
writeFileSync(`${OUT}/LICENCES.txt`, licencesOf(inside));
chmodSync(`${OUT}/main.js`, 0o755);

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
