// The README's table of dependencies is what is installed. (Tests run from the top of the repository.)

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

interface Manifest {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, "utf8")) as Manifest;
}

test("the README names every dependency, its licence and its own dependencies, and no other", () => {
  const section = /^## Dependencies\n(.*?)^## /ms.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const written = rows.map(([, name, use, licence, own]) => {
    assert.notEqual(use, "");
    return [name, licence, own];
  });
  const { dependencies = {}, optionalDependencies = {} } = manifest("package.json");
  const installed = Object.keys({ ...dependencies, ...optionalDependencies }).map((name) => {
    const { license, dependencies: own = {} } = manifest(`node_modules/${name}/package.json`);
    const names = Object.keys(own).map((each) => `\`${each}\``);
    return [`\`${name}\``, license, names.length === 0 ? "–" : names.join(", ")];
  });
  assert.deepEqual(written, installed);
});
