import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { removeDirectory, temporaryDirectory } from "../../test/support/trees.ts";
import { parseCommandLine } from "./command-line.ts";
import { COMMANDS, SHELLS } from "./commands.ts";
import { completionScript } from "./completion.ts";
import { ALL_FLAGS } from "./flags.ts";

test("every flag that the parser knows, and every command, is in every script", () => {
  const flags = ALL_FLAGS.map(({ name }) => name);
  for (const shell of SHELLS) {
    const script = completionScript(shell);
    for (const name of flags) {
      const spelled = shell === "fish" ? `-l ${name} ` : `--${name}`;
      assert.ok(script.includes(spelled), `${shell}: ${name}`);
    }
    for (const { name, actions = [] } of COMMANDS)
      for (const word of [name, ...actions]) assert.match(script, new RegExp(`\\b${word}\\b`), `${shell}: ${word}`);
  }
});

test("every command of the table is one that is understood, with each of its actions", () => {
  for (const { name, actions = [""] } of COMMANDS) {
    for (const action of actions) {
      const words = [name, action, ...(["restore", "test"].includes(action) ? ["x"] : [])].filter(
        (word) => word !== "",
      );
      assert.doesNotThrow(() => parseCommandLine(words), words.join(" "));
    }
  }
  assert.throws(() => parseCommandLine(["completion", "tcsh"]), /bash, zsh, fish/);
  assert.deepEqual(parseCommandLine(["completion"]), { command: "completion", shell: undefined });
});

function hasShell(shell: string): false | string {
  return spawnSync(shell, ["--version"]).status === 0 ? false : `${shell} is not installed`;
}

test("bash completes commands, actions, flags, and no value that it cannot know", { skip: hasShell("bash") }, () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["st"], "status"],
    [["trash", "re"], "restore"],
    [["-d", "x", "--max"], "--max-concurrent-transfers"],
    [["--port", ""], ""],
    [["completion", ""], "bash zsh fish"],
    [["-d", "/et"], "/etc"],
  ];
  for (const [words, expected] of cases) {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const ask = `COMP_WORDS=(dsync ${quoted}); COMP_CWORD=${words.length}; _dsync; echo "\${COMPREPLY[*]}"`;
    const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", `${completionScript("bash")}\n${ask}`], {
      encoding: "utf8",
    });
    assert.equal(stdout.trim(), expected, `${words.join(" ")}: ${stderr}`);
  }
});

for (const [shell, flag] of [
  ["zsh", "-n"],
  ["fish", "--no-execute"],
] as const) {
  test(`${shell} can read its script`, { skip: hasShell(shell) }, () => {
    const directory = temporaryDirectory();
    try {
      const script = join(directory, "script");
      writeFileSync(script, completionScript(shell));
      const { status, stderr } = spawnSync(shell, [flag, script], { encoding: "utf8" });
      assert.equal(status, 0, stderr);
    } finally {
      removeDirectory(directory);
    }
  });
}
