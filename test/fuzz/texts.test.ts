// What comes from files and from commands: config, ignore files, state files, requests over the local socket.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseConfig } from "../../src/cli/config-file.ts";
import { parseLocalRequest } from "../../src/cli/local-messages.ts";
import { ShapeError } from "../../src/cli/shape.ts";
import { folderHolder } from "../../src/edge/folder-lock.ts";
import { readMarker } from "../../src/edge/folder-marker.ts";
import { readFolderRecord, writeFolderRecord } from "../../src/edge/folder-record.ts";
import { parseJsonObject } from "../../src/edge/read-json.ts";
import { ignoreLines, parseIgnoreRules } from "../../src/watch/ignore-rules.ts";
import { paths } from "../support/arbitraries.ts";
import { fuzz } from "../support/fuzz.ts";
import { mutatedText } from "../support/mutations.ts";
import { removeDirectory, temporaryDirectory } from "../support/trees.ts";

const anyText = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: "binary", maxLength: 200 }));

test("config files", () => {
  const valid = fc.constantFrom(
    'path = "/home/x"\nport = 9000\nname = "laptop"\npeer = ["10.0.0.1:9000", "host"]\nno_discovery = true\n',
    'exclude = ["*.tmp", "build/"]\nshare = "photos"\nrate_limit = "10MB/s"\ntrash_days = 30\nallow_remote = false\n',
    "[table]\na = { b = [1, 2, { c = 1979-05-27T07:32:00Z }] }\n[[list]]\nx = '''y'''\n",
  );
  fuzz(fc.oneof(mutatedText(valid), anyText), (text) => parseConfig(text, "dsync.toml"), { mayThrow: "usage" });
  fuzz(fc.nat(100_000), (depth) => parseConfig(`a = ${"[".repeat(depth)}`, "dsync.toml"), { mayThrow: "usage" });
});

test("ignore files", () => {
  const valid = fc.constantFrom(
    "# comment\n*.tmp\n!keep.tmp\n/build/\na/**/b\n**/node_modules\n[a-z]?.txt\n\\#x\n{a,b}*\n",
  );
  const braces = fc
    .integer({ min: 1, max: 20 })
    .map((count) => `${"{a,b}".repeat(count)}\n${"*a".repeat(count * 10)}b`);
  fuzz(fc.tuple(fc.oneof(mutatedText(valid), anyText, braces), paths, fc.boolean()), ([text, path, isDirectory]) => {
    const rules = parseIgnoreRules(ignoreLines(text, ".dsyncignore"));
    assert.equal(typeof rules.isIgnored(path, isDirectory), "boolean");
  });
});

test("requests of commands", () => {
  const valid = fc.constantFrom(
    '{"v":1,"ask":"status"}',
    '{"v":1,"ask":"trash-restore","wanted":["a/b","c"]}',
    '{"v":1,"ask":"ignore-test","target":"x","exclude":["*.tmp"]}',
  );
  const inputs = fc.oneof(
    mutatedText(valid),
    anyText,
    fc.json(),
    fc.nat(200_000).map((depth) => "[".repeat(depth)),
  );
  fuzz(inputs, (text) => {
    try {
      parseLocalRequest(parseJsonObject(text));
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
    }
  });
});

test("the folder's marker, its lock and its record", (t) => {
  const base = temporaryDirectory();
  t.after(() => removeDirectory(base));
  fs.mkdirSync(join(base, ".dsync"));
  const id = "0123456789abcdef";
  writeFolderRecord(base, { path: base, replicaId: id as never, device: "1", inode: "2" });
  const [record = ""] = fs.readdirSync(join(base, "folders"));
  const valid = fc.constantFrom(
    `{"replicaId":"${id}","directoryInode":"1","rootInode":"2","createdAt":"2026-01-01T00:00:00Z"}`,
    `{"path":${JSON.stringify(base)},"replicaId":"${id}","device":"1","inode":"2"}`,
    '{"pid":1,"startTime":"5","bootId":"x","host":"h","name":"n","since":"s","socketPath":null,"nonce":"00"}',
  );
  fuzz(fc.oneof(mutatedText(valid), anyText, fc.json()), (text) => {
    fs.writeFileSync(join(base, ".dsync/replica.json"), text);
    fs.writeFileSync(join(base, ".dsync/lock"), text);
    fs.writeFileSync(join(base, "folders", record), text);
    readMarker(base);
    folderHolder(base);
    readFolderRecord(base, base);
  });
});
