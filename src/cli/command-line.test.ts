import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_FLAGS } from "../../test/support/cli-values.ts";
import { DsyncError } from "../core/errors.ts";
import { parseCommandLine, type CommandLine, type RunFlags } from "./command-line.ts";
import { ALL_FLAGS } from "./flags.ts";
import { readCommandLine } from "./front.ts";
import { COMMANDS as ALL_COMMANDS } from "./commands.ts";
import { fullHelpText, helpText } from "./help.ts";

const RUNS: readonly (readonly [argv: readonly string[], flags: Partial<RunFlags>])[] = [
  [[], {}],
  [["-d", "x"], { path: "x" }],
  [["--path", "x"], { path: "x" }],
  [["--path=x y"], { path: "x y" }],
  [["-d/tmp/x"], { path: "/tmp/x" }],
  [["-d", "1"], { path: "1" }],
  [["-p", "0"], { port: 0 }],
  [["-p9001"], { port: 9001 }],
  [["--port", "65535"], { port: 65_535 }],
  [["-n", "my laptop"], { name: "my laptop" }],
  [["-n", "007"], { name: "007" }],
  [["-n", "a.b"], { name: "a.b" }],
  [
    ["-a", "h:1", "-a", "[::1]:2"],
    {
      peers: [
        { host: "h", port: 1 },
        { host: "::1", port: 2 },
      ],
    },
  ],
  [["--peer", "nas.local"], { peers: [{ host: "nas.local", port: 9000 }] }],
  [["-a", "10.0.0.1"], { peers: [{ host: "10.0.0.1", port: 9000 }] }],
  [["-a", "fe80::1%eth0"], { peers: [{ host: "fe80::1%eth0", port: 9000 }] }],
  [["-a", "localhost"], { peers: [{ host: "localhost", port: 9000 }] }],
  [["--no-discovery"], { noDiscovery: true }],
  [["--no-discovery=false"], { noDiscovery: false }],
  [["-e", "*.a", "--exclude", "!b", "--exclude=-x"], { exclude: ["*.a", "!b", "-x"] }],
  [["-v"], { verbose: true }],
  [["-qd", "x"], { quiet: true, path: "x" }],
  [["-q", "-q"], { quiet: true }],
  [["--json", "--allow-remote"], { json: true, allowRemote: true }],
  [["--verify"], { verify: true }],
  [["--share", "work"], { share: "work" }],
  [["--passphrase", "s3cret"], { passphrase: "s3cret" }],
  [["--passphrase-file", "f"], { passphraseFile: "f" }],
  [["--code"], { code: "" }],
  [["--code", "a-b-c"], { code: "a-b-c" }],
  [["--code=a-b-c"], { code: "a-b-c" }],
  [["--code", "--verbose"], { code: "", verbose: true }],
  [["--max-concurrent-transfers", "64"], { maxConcurrentTransfers: 64 }],
  [["--rate-limit", "20MB/s"], { rateLimitBytesPerSecond: 20_000_000 }],
  [["--rate-limit", "500KB/s"], { rateLimitBytesPerSecond: 500_000 }],
  [["--rate-limit", "500 kB"], { rateLimitBytesPerSecond: 500_000 }],
  [["--rate-limit", "1.5 MiB/s"], { rateLimitBytesPerSecond: 1_572_864 }],
  [["--rate-limit", "20mb/s"], { rateLimitBytesPerSecond: 20_000_000 }],
  [["--rate-limit", "2GiB"], { rateLimitBytesPerSecond: 2 ** 31 }],
  [["--trash-days", "0"], { trashDays: 0 }],
  [["--config", "c.toml"], { config: "c.toml" }],
];

for (const [argv, flags] of RUNS) {
  test(`dsync ${argv.join(" ")}`, () => {
    assert.deepEqual(parseCommandLine(argv), { command: "run", flags: { ...NO_FLAGS, ...flags } });
  });
}

const FOLDER = { path: undefined, config: undefined, json: false };

const COMMANDS: readonly (readonly [argv: readonly string[], commandLine: CommandLine])[] = [
  [["status"], { command: "status", ...FOLDER }],
  [["status", "-d", "x", "--json"], { command: "status", ...FOLDER, path: "x", json: true }],
  [["-d", "x", "conflicts", "--config", "c"], { command: "conflicts", path: "x", config: "c", json: false }],
  [["trash", "list"], { command: "trash", action: "list", ...FOLDER }],
  [["trash", "empty", "-d", "x"], { command: "trash", action: "empty", ...FOLDER, path: "x" }],
  [["trash", "restore", "a", "1"], { command: "trash", action: "restore", items: ["a", "1"], ...FOLDER }],
  [["ignore", "test", "5", "-e", "x"], { command: "ignore-test", target: "5", exclude: ["x"], ...FOLDER }],
  [["ignore", "test", "--", "-x"], { command: "ignore-test", target: "-x", exclude: [], ...FOLDER }],
  [["forget", "-d", "x"], { command: "forget", ...FOLDER, path: "x" }],
  [["service", "status"], { command: "service", action: "status", ...FOLDER }],
  [["service", "uninstall", "-d", "x"], { command: "service", action: "uninstall", ...FOLDER, path: "x" }],
  [
    ["service", "install", "-d", "x", "--json", "-p", "1"],
    { command: "service", action: "install", flags: { ...NO_FLAGS, path: "x", port: 1, json: true }, json: true },
  ],
  [["--version"], { command: "version" }],
  [["status", "-V"], { command: "version" }],
  [["-h"], { command: "help", text: helpText() }],
  [["-d", "x", "--help"], { command: "help", text: helpText() }],
];

for (const [argv, commandLine] of COMMANDS) {
  test(`dsync ${argv.join(" ")}`, async () => {
    assert.deepEqual(parseCommandLine(argv), commandLine);
    assert.deepEqual(await readCommandLine(argv), commandLine);
  });
}

/** Every message names the flag or word, the value, and what would be right. */
const ERRORS: readonly (readonly [argv: readonly string[], ...parts: readonly string[]])[] = [
  [["-p", "abc"], "--port", "abc", "0 to 65535"],
  [["-p", "70000"], "--port", "70000", "0 to 65535"],
  [["-p", "-1"], "--port", "-1"],
  [["-p", "1e3"], "--port", "1e3"],
  [["-p", "0x10"], "--port", "0x10"],
  [["-p"], "--port", "needs a value"],
  [["-p", "1", "-p", "2"], "--port", "2 times"],
  [["-d", "x", "-d", "y"], "--path", "2 times"],
  [["-d", ""], "--path", "needs a value"],
  [["-n", ""], "--name", "needs a value"],
  [["-n", " "], "--name", "1 to 63 bytes"],
  [["-n", "a\nb"], "--name", "control characters"],
  [["-n", "x".repeat(64)], "--name", "63 bytes"],
  [["-n", "ä".repeat(32)], "--name", "63 bytes"],
  [["--share", "\u001b[31m"], "--share", String.raw`\\x1b`],
  [["-a", "nohost"], "--peer", "nohost", "host:port"],
  [["-a", "h:0"], "--peer", "h:0"],
  [["-a", "h:70000"], "--peer", "h:70000"],
  [["-a", "h:x"], "--peer", "h:x"],
  [["-a", "[::1"], "--peer", "[::1"],
  [["-a", "[1.2.3.4]:5"], "--peer", "[1.2.3.4]:5"],
  [["-a", "1.2.3.4.5:7"], "--peer", "1.2.3.4.5:7"],
  [["-a", "a b:7"], "--peer", "a b:7"],
  [["-a"], "--peer", "needs a value"],
  [["--rate-limit", "fast"], "--rate-limit", "fast", "20MB/s"],
  [["--rate-limit", "100kbit/s"], "--rate-limit", "100kbit/s"],
  [["--rate-limit", "20Mb/s"], "--rate-limit", "20Mb/s"],
  [["--rate-limit", "0MB/s"], "--rate-limit", "0MB/s"],
  [["--rate-limit", "20"], "--rate-limit", "20"],
  [["--max-concurrent-transfers", "0"], "--max-concurrent-transfers", "0", "1 to 64"],
  [["--max-concurrent-transfers", "65"], "--max-concurrent-transfers", "65"],
  [["--trash-days", "-1"], "--trash-days", "-1", "0 (no trash)"],
  [["--trash-days", "1.5"], "--trash-days", "1.5"],
  [["-e", ""], "--exclude", "needs a value"],
  [["-q", "-v"], "--quiet", "--verbose"],
  [["--passphrase", "a", "--passphrase-file", "b"], "--passphrase", "--passphrase-file"],
  [["--passphrase", "a", "--code"], "--passphrase", "--code"],
  [["--passphrase-file", "a", "--code", "b"], "--passphrase-file", "--code"],
  [["--passphrase", ""], "--passphrase needs a value"],
  [["--code", "a", "--code", "b"], "--code is given 2 times"],
  [["--quiet=perhaps"], "--quiet", "no value"],
  [["--prot", "1"], "--prot", "--port"],
  [["--nodiscovery"], "--nodiscovery", "--no-discovery"],
  [["--no-quiet"], "--no-quiet"],
  [["-z"], "-z"],
  [["--share.x", "1"], "--share.x"],
  [["--__proto__", "1"], "There is no flag"],
  [["--constructor", "1"], "There is no flag"],
  [["statsu"], "statsu", "status"],
  [["./shared"], "./shared", "dsync -d ./shared"],
  [["status", "now"], "status", "now"],
  [["status", "-p", "1"], "status", "--port"],
  [["trash"], "list", "restore", "empty"],
  [["trash", "burn"], "list", "restore", "empty"],
  [["trash", "restore"], "trash restore", "item"],
  [["ignore"], "dsync ignore test <path>"],
  [["ignore", "test"], "dsync ignore test <path>"],
];

for (const [argv, ...parts] of ERRORS) {
  test(`dsync ${JSON.stringify(argv)} is refused`, () => {
    assert.throws(
      () => parseCommandLine(argv),
      (error) => {
        assert.ok(error instanceof DsyncError, String(error));
        assert.equal(error.code, "usage");
        for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
        return true;
      },
    );
  });
}

test("whatever is given, it is a command line or a usage error, and nothing is printed", (context) => {
  const log = context.mock.method(console, "log", () => {});
  const error = context.mock.method(console, "error", () => {});
  const word = fc.oneof(
    fc.constantFrom(
      ...ALL_FLAGS.map(({ name }) => `--${name}`),
      "-d",
      "-p",
      "-a",
      "-q",
      "--",
      "-",
      "status",
      "trash",
      "help",
    ),
    fc.string({ unit: "binary" }),
    fc.string().map((text) => `--${text}`),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      try {
        assert.ok(parseCommandLine(argv).command);
      } catch (thrown) {
        assert.ok(thrown instanceof DsyncError && thrown.code === "usage", String(thrown));
      }
    }),
  );
  assert.equal(log.mock.callCount() + error.mock.callCount(), 0);
});

test("the help fits a terminal of 24 lines and names every flag; with --verbose it explains each", () => {
  for (const [text, linesMax] of [
    [helpText(), 23],
    [fullHelpText(), 48],
  ] as const) {
    const lines = text.trimEnd().split("\n");
    for (const line of lines) assert.ok(line.length <= 80, line);
    assert.ok(lines.length <= linesMax, `${lines.length} lines`);
    for (const { name } of ALL_FLAGS) assert.ok(text.includes(`--${name}`), name);
    for (const { name } of ALL_COMMANDS) assert.ok(text.includes(`  ${name} `), name);
    assert.equal(lines.filter((line) => line.startsWith("  dsync ")).length, 3, "three examples");
  }
  for (const { help } of ALL_FLAGS) assert.ok(fullHelpText().includes(help), help);
  assert.deepEqual(parseCommandLine(["--help", "--verbose"]), { command: "help", text: fullHelpText() });
});
