// docs/dsync.1: made from the tables of flags and commands, complete, and good roff.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { ALL_FLAGS } from "../../src/cli/flags.ts";
import { DsyncError, type ErrorCode } from "../../src/core/errors.ts";
import { inRepository, readDocument } from "./documents.ts";

const CODES: Readonly<Record<ErrorCode, true>> = {
  usage: true,
  environment: true,
  "folder-held": true,
  "folder-changed": true,
  index: true,
  protocol: true,
};

/** As a person reads it. */
function section(name: string): string {
  const [, ...sections] = readDocument("docs/dsync.1").split(/^\.SH /m);
  const found = sections.find((each) => each.startsWith(`${name}\n`));
  assert.ok(found !== undefined, `no section ${name}`);
  return found.replaceAll(/\\f[BIR]|\\&/g, "").replaceAll(String.raw`\-`, "-");
}

test("the man page is what the script makes of the tables: npm run man", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [inRepository("scripts/man-page.mjs")], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  assert.equal(readDocument("docs/dsync.1"), stdout);
});

test("every flag, command, action and exit code is in the man page", () => {
  const options = section("OPTIONS");
  for (const { name, letter, value } of ALL_FLAGS) {
    const usage = `${letter === undefined ? "" : `-${letter}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
    assert.ok(options.includes(`\n${usage}\n`), usage);
  }
  const commands = section("COMMANDS");
  for (const { name, usage = name, actions = [] } of COMMANDS) {
    const [, about] = commands.split(`\n.TP\n${usage}\n`);
    assert.ok(about !== undefined, usage);
    const [own = ""] = about.split("\n.TP\n", 1);
    for (const action of actions) assert.ok(`${usage} ${own}`.includes(action), `${usage}: ${action}`);
  }
  const exits = section("EXIT STATUS");
  for (const code of [0, ...Object.keys(CODES).map((code) => exitCodeOf(new DsyncError(code as ErrorCode, "")))])
    assert.ok(exits.includes(`.TP\n${code}\n`), String(code));
});

const groff = spawnSync("groff", ["--version"]).status === 0;

test("groff sets the page without a warning", { skip: groff ? false : "groff is not installed" }, () => {
  const { status, stdout, stderr } = spawnSync("groff", ["-man", "-ww", "-Tutf8", inRepository("docs/dsync.1")], {
    encoding: "utf8",
  });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /keeps a folder identical/);
});
