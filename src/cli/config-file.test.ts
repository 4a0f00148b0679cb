import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DsyncError } from "../core/errors.ts";
import { defaultConfigFile, parseConfig, readConfig } from "./config-file.ts";
import { NO_SETTINGS } from "./settings.ts";

const directory = mkdtempSync(join(tmpdir(), "dsync-config-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const EXAMPLE = readFileSync(exampleFile("dsync.toml.example"), "utf8");

/** Beside package.json, from the sources as from the compiled tests. */
function exampleFile(name: string): string {
  return join(process.cwd(), name);
}

test("the example parses without a warning and says everything", () => {
  // The only key that is commented out: the file that it names would have to exist.
  const { settings, warnings } = parseConfig(EXAMPLE.replace("# passphrase_file", "passphrase_file"), "example");
  assert.deepEqual(warnings, []);
  assert.deepEqual(settings, {
    path: "~/shared",
    port: 9000,
    name: "laptop",
    peers: [
      { host: "192.168.1.20", port: 9000 },
      { host: "fd00::20", port: 9000 },
      { host: "nas.local", port: 9000 },
    ],
    noDiscovery: false,
    exclude: ["*.iso", "/build/"],
    share: "default",
    passphraseFile: "~/.config/dsync/passphrase",
    maxConcurrentTransfers: 4,
    rateLimitBytesPerSecond: 20_000_000,
    trashDays: 14,
    allowRemote: false,
  });
});

test("the example documents every key", () => {
  const keys =
    "path port name peer no_discovery max_concurrent_transfers exclude share passphrase_file rate_limit trash_days allow_remote";
  for (const key of keys.split(" ")) assert.match(EXAMPLE, new RegExp(`^#.*\\n(# )?${key} = `, "m"), key);
  assert.equal(EXAMPLE.match(/^(# )?[a-z_]+ = /gm)?.length, keys.split(" ").length);
});

test("one peer may stand alone", () => {
  assert.deepEqual(parseConfig('peer = "h:1"', "f").settings.peers, [{ host: "h", port: 1 }]);
});

const WARNINGS: readonly (readonly [toml: string, ...parts: readonly string[]])[] = [
  ["prot = 1", "f, line 1", "prot", "Did you mean port?"],
  ["\n\nnoDiscovery = true", "f, line 3", "noDiscovery", "no_discovery"],
  ["zzzzzzzzz = 1", "zzzzzzzzz", "The keys are: path, port"],
  ["[peers]\na = 1", "f, line 1", "peers", "Did you mean peer?"],
];

for (const [toml, ...parts] of WARNINGS) {
  test(`${JSON.stringify(toml)} is warned of`, () => {
    const { settings, warnings } = parseConfig(toml, "f");
    assert.deepEqual(settings, NO_SETTINGS);
    assert.equal(warnings.length, 1);
    for (const part of parts) assert.ok(warnings[0]?.includes(part), `${warnings[0]} lacks ${part}`);
  });
}

const ERRORS: readonly (readonly [toml: string, ...parts: readonly string[]])[] = [
  ['name = "a"\nport = "9000"', "f, line 2", "port", '"9000"', "0 to 65535"],
  ["port = 70000", "f, line 1", "port is 70000"],
  ["port = 1.5", "port is 1.5"],
  ["port = 99999999999999999999", "f, line 1"],
  ["path = 5", "path is 5", "in quotes"],
  ['path = ""', "path"],
  ['name = "a\\nb"', "name", "control characters"],
  ["peer = 1", "peer is 1", "a string or an array"],
  ['peer = ["h:1", 2]', "peer is 2", "host:port"],
  ['peer = "nohost"', "peer", "nohost"],
  ['exclude = "*.a"', "exclude", "an array of strings"],
  ['no_discovery = "yes"', "no_discovery", "true or false"],
  ["allow_remote = 1", "allow_remote is 1"],
  ['rate_limit = "fast"', "rate_limit", "20MB/s"],
  ["rate_limit = 5", "rate_limit is 5", "in quotes"],
  ["trash_days = -1", "trash_days is -1"],
  ["max_concurrent_transfers = 0", "max_concurrent_transfers is 0"],
  ["share = 2024-01-01", "share"],
  ["a = 1\nport = = 1", "f, line 2, at port"],
  ['name = "open', "f, line 1, at name"],
  ["port = 1\nport = 2", "f, line 2, at port"],
];

for (const [toml, ...parts] of ERRORS) {
  test(`${JSON.stringify(toml)} is refused`, () => {
    assert.throws(() => parseConfig(toml, "f"), usageWith(parts));
  });
}

test("a file that --config names must be there, the usual one need not", () => {
  const missing = join(directory, "missing.toml");
  assert.deepEqual(readConfig({ explicit: undefined, usual: missing }), {
    file: undefined,
    settings: NO_SETTINGS,
    warnings: [],
  });
  assert.throws(() => readConfig({ explicit: missing, usual: undefined }), usageWith([missing, "no such file"]));
});

test("an explicit file replaces the usual one", () => {
  const usual = join(directory, "usual.toml");
  const explicit = join(directory, "explicit.toml");
  writeFileSync(usual, 'name = "usual"\nport = 1');
  writeFileSync(explicit, '\uFEFFname = "explicit"\r\n');
  const config = readConfig({ explicit, usual });
  assert.deepEqual(config, { file: explicit, settings: { ...NO_SETTINGS, name: "explicit" }, warnings: [] });
});

test("the usual place", () => {
  const platform = {
    home: "/home/u",
    system: "linux",
    cwd: "/",
    hostName: "",
    temporary: "/tmp",
    uid: 1,
    environment: {},
  };
  assert.equal(defaultConfigFile(platform), "/home/u/.config/dsync/dsync.toml");
  assert.equal(defaultConfigFile({ ...platform, environment: { XDG_CONFIG_HOME: "/c" } }), "/c/dsync/dsync.toml");
  assert.equal(
    defaultConfigFile({ ...platform, environment: { XDG_CONFIG_HOME: "c" } }),
    "/home/u/.config/dsync/dsync.toml",
  );
  assert.equal(defaultConfigFile({ ...platform, home: "" }), undefined);
  const windows = { ...platform, system: "win32", environment: { APPDATA: "C:\\A" } };
  assert.equal(defaultConfigFile(windows), "C:\\A\\dsync\\dsync.toml");
});

function usageWith(parts: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof DsyncError && error.code === "usage", String(error));
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    return true;
  };
}
