#!/usr/bin/env node
// What is started as dist/app/main.js, and on each worker thread as dist/app/worker.js: runs the script of that name, main.cjs
// or worker.cjs, and those that it asks for, from the code that V8 made of them when they were built (scripts/bundle.mjs). That
// takes less time than compiling them. V8 does not take what another version of it made, and compiles the script then.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

/** What a script is: a function, which gets what an ES module has by itself, and returns what the module exports. */
type Program = (require: (id: string) => unknown, moduleUrl: string) => unknown;

const require = createRequire(import.meta.url);

runScript(fileURLToPath(import.meta.url).replace(/\.js$/, ".cjs"));

function runScript(filename: string): unknown {
  const source = readFileSync(filename, "latin1");
  const script = new Script(source, { filename, cachedData: readCode(`${filename}.cache`) });
  return (script.runInThisContext() as Program)(requireHere, import.meta.url);
}

function requireHere(id: string): unknown {
  return id.startsWith("./") ? runScript(fileURLToPath(new URL(id, import.meta.url))) : require(id);
}

function readCode(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
