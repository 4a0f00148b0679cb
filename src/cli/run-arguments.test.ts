import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "./command-line.ts";
import { FLAGS } from "./flags.ts";
import type { Platform } from "./platform.ts";
import { runArguments } from "./run-arguments.ts";

const PLATFORM: Platform = {
  environment: {},
  system: "linux",
  home: "/home/u",
  cwd: "/cwd",
  hostName: "host",
  temporary: "/tmp",
  uid: 1000,
};

/** Every flag but those that no service gets. */
const GIVEN = [
  ["-d", "f", "-p", "0", "--name=-odd name-", "-a", "[fe80::1]:1", "-a", "h.example:2", "--no-discovery"],
  ["--exclude=-x", "-e", "*.iso $HOME", "--share", "a b", "--passphrase-file", "p", "--max-concurrent-transfers", "3"],
  ["--rate-limit", "1.5MiB/s", "--trash-days", "0", "--allow-remote", "--verify", "--config", "~/c.toml", "--verbose"],
].flat();
const NOT_FOR_SERVICES = new Set(["passphrase", "code", "json", "version", "help", "quiet"]);

test("what was given comes back from its arguments, with files absolute", () => {
  const line = parseCommandLine(GIVEN);
  assert.ok(line.command === "run");
  const words = runArguments("/real/f", line.flags, PLATFORM);
  assert.deepEqual(parseCommandLine(words), {
    command: "run",
    flags: { ...line.flags, path: "/real/f", passphraseFile: "/cwd/p", config: "/home/u/c.toml" },
  });
  for (const { name } of FLAGS) {
    if (NOT_FOR_SERVICES.has(name)) continue;
    assert.ok(
      words.some((word) => word === `--${name}` || word.startsWith(`--${name}=`)),
      `--${name} is left out`,
    );
  }
});

test("what was not given is left to the config file and the defaults", () => {
  const line = parseCommandLine(["-q"]);
  assert.ok(line.command === "run");
  assert.deepEqual(runArguments("/f", line.flags, PLATFORM), ["--path=/f", "--quiet"]);
});
