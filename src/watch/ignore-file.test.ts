import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { IGNORE_FILE_BYTES_MAX } from "../core/limits.ts";
import { parsePath, type RelativePath } from "../core/path.ts";
import { createIgnoreFile, IgnoreFile } from "./ignore-file.ts";

function inFolder(action: (root: string) => void): void {
  const root = fs.mkdtempSync(join(tmpdir(), "dsync-ignore-file-"));
  try {
    action(root);
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

function pathOf(text: string): RelativePath {
  const path = parsePath(text);
  assert.ok(path !== undefined);
  return path;
}

test("it is created from the shipped text once, and never overwritten", () =>
  inFolder((root) => {
    const example = join(root, "example");
    fs.writeFileSync(example, "*.tmp\n");
    assert.equal(createIgnoreFile(root, example), true);
    fs.writeFileSync(join(root, ".dsyncignore"), "mine\n");
    assert.equal(createIgnoreFile(root, example), false);
    assert.equal(fs.readFileSync(join(root, ".dsyncignore"), "utf8"), "mine\n");
  }));

test("edits take effect, and --exclude comes after the file", () =>
  inFolder((root) => {
    const file = join(root, ".dsyncignore");
    fs.writeFileSync(file, "!a.log\n");
    const ignore = new IgnoreFile({ root, exclude: ["*.log"] });
    assert.deepEqual(ignore.rules.explain(pathOf("a.log"), false)?.source, "--exclude");
    assert.equal(ignore.reload(), false);
    fs.writeFileSync(file, "b\n");
    assert.equal(ignore.reload(), true);
    assert.equal(ignore.rules.isIgnored(pathOf("b"), false), true);
    fs.unlinkSync(file);
    assert.equal(ignore.reload(), true);
    assert.equal(ignore.rules.isIgnored(pathOf("b"), false), false);
    assert.equal(ignore.rules.isIgnored(pathOf("a.log"), false), true);
  }));

test("a file that cannot be read keeps the rules as they were", () =>
  inFolder((root) => {
    const file = join(root, ".dsyncignore");
    fs.writeFileSync(file, "b\n");
    const ignore = new IgnoreFile({ root, exclude: [] });
    fs.writeFileSync(file, "#".repeat(IGNORE_FILE_BYTES_MAX + 1));
    assert.equal(ignore.reload(), false);
    assert.equal(ignore.problem?.code, "EFBIG");
    assert.equal(ignore.rules.isIgnored(pathOf("b"), false), true);
    fs.unlinkSync(file);
    fs.mkdirSync(file);
    assert.equal(ignore.reload(), false);
    assert.equal(ignore.problem.code, "EISDIR");
  }));
