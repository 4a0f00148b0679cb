import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NO_FLAGS } from "../../test/support/cli-values.ts";
import { DsyncError } from "../core/errors.ts";
import type { RunFlags } from "./command-line.ts";
import type { Config } from "./config-file.ts";
import { resolveOptions, type Options } from "./options.ts";
import type { Platform } from "./platform.ts";
import { NO_SETTINGS, type Settings } from "./settings.ts";

const directory = mkdtempSync(join(tmpdir(), "dsync-options-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const PLATFORM: Platform = {
  environment: {},
  system: "linux",
  home: "/home/u",
  cwd: "/start",
  hostName: "host",
  temporary: "/tmp",
  uid: 1000,
};

function options(
  flags: Partial<RunFlags>,
  settings: Partial<Settings> = {},
  platform: Partial<Platform> = {},
): Options {
  const config: Config = { file: "/etc/x/dsync.toml", settings: { ...NO_SETTINGS, ...settings }, warnings: [] };
  return resolveOptions({ ...NO_FLAGS, path: "f", ...flags }, config, { ...PLATFORM, ...platform });
}

test("the defaults", () => {
  assert.deepEqual(options({}), {
    folder: "/start/f",
    port: { value: 9000, explicit: false },
    name: "host",
    peers: [],
    discovery: true,
    exclude: [],
    verbosity: "normal",
    json: false,
    share: "default",
    passphrase: undefined,
    makesCode: false,
    maxConcurrentTransfers: 4,
    rateLimitBytesPerSecond: undefined,
    trashDays: 14,
    allowRemote: false,
    verify: false,
  });
});

test("the command line wins over the config file", () => {
  const flags = { port: 0, name: "a", share: "s", maxConcurrentTransfers: 1, rateLimitBytesPerSecond: 5, trashDays: 0 };
  const settings = {
    port: 1,
    name: "b",
    share: "t",
    maxConcurrentTransfers: 2,
    rateLimitBytesPerSecond: 6,
    trashDays: 9,
  };
  assert.deepEqual(options(flags, settings), { ...options({}), ...flags, port: { value: 0, explicit: true } });
});

test("the config file wins over the defaults, and its port is asked for explicitly", () => {
  const settings = { port: 9000, name: "b", noDiscovery: true, allowRemote: true, trashDays: 0 };
  const resolved = options({}, settings);
  assert.deepEqual(resolved.port, { value: 9000, explicit: true });
  assert.deepEqual(
    [resolved.name, resolved.discovery, resolved.allowRemote, resolved.trashDays],
    ["b", false, true, 0],
  );
});

test("peers and patterns add up, the command line's last", () => {
  const [a, b] = [
    { host: "a", port: 1 },
    { host: "b", port: 2 },
  ];
  const resolved = options({ peers: [a], exclude: ["!x"] }, { peers: [b], exclude: ["x"] });
  assert.deepEqual(
    [resolved.peers, resolved.exclude],
    [
      [b, a],
      ["x", "!x"],
    ],
  );
});

const FOLDERS: readonly (readonly [path: string | undefined, fromConfig: string | undefined, folder: string])[] = [
  ["f", undefined, "/start/f"],
  [".", undefined, "/start"],
  ["../x/", undefined, "/x"],
  ["/a/b", undefined, "/a/b"],
  ["~/b", undefined, "/home/u/b"],
  ["~", undefined, "/home/u"],
  ["~b", undefined, "/start/~b"],
  [undefined, "g", "/etc/x/g"],
  [undefined, "~/g", "/home/u/g"],
  ["f", "g", "/start/f"],
];

for (const [path, fromConfig, folder] of FOLDERS) {
  test(`folder ${path} with ${fromConfig} in the config file`, () => {
    assert.equal(options({ path }, { path: fromConfig }).folder, folder);
  });
}

test("no folder at all shows the usage", () => {
  assert.throws(() => options({ path: undefined }), usageWith("Usage: dsync -d <folder>"));
});

test("the name comes from the host, made to fit", () => {
  assert.equal(options({}, {}, { hostName: "" }).name, "dsync-instance");
  assert.equal(options({}, {}, { hostName: "a\u0007b" }).name, "ab");
  assert.equal(options({}, {}, { hostName: "ä".repeat(60) }).name, "ä".repeat(31));
});

test("quiet and verbose", () => {
  assert.equal(options({ quiet: true }).verbosity, "quiet");
  assert.equal(options({ verbose: true }).verbosity, "verbose");
});

test("the passphrase: command line, environment, config file, in this order", () => {
  const [onCommandLine, inConfig, empty] = ["a", "b", "c"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(onCommandLine, "from a file\r\n");
  writeFileSync(inConfig, " from the config \nits second line\n");
  writeFileSync(empty, "\n");
  const environment = { DSYNC_PASSPHRASE: "from the environment" };
  const settings = { passphraseFile: inConfig };
  assert.equal(options({ passphrase: "given" }, settings, { environment }).passphrase, "given");
  assert.equal(options({ passphraseFile: onCommandLine }, settings, { environment }).passphrase, "from a file");
  assert.equal(options({}, settings, { environment }).passphrase, "from the environment");
  assert.equal(options({}, settings).passphrase, " from the config ");
  assert.equal(options({ code: "APPLE bread--butter" }, settings, { environment }).passphrase, "apple-bread-butter");
  assert.deepEqual(options({ code: "" }, settings, { environment }).passphrase, undefined);
  assert.equal(options({ code: "" }).makesCode, true);
  assert.throws(() => options({ code: "apple-bread-buter" }), usageWith("Did you mean butter?"));
  assert.throws(() => options({ passphraseFile: empty }), usageWith("empty"));
  assert.throws(() => options({ passphraseFile: "missing" }), usageWith("/start/missing: there is no such file"));
  assert.throws(
    () => options({}, {}, { environment: { DSYNC_PASSPHRASE: "" } }),
    usageWith("DSYNC_PASSPHRASE is set but empty"),
  );
});

function usageWith(part: string) {
  return (error: unknown) => {
    assert.ok(error instanceof DsyncError && error.code === "usage", String(error));
    assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    return true;
  };
}
