import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { parsePath, type RelativePath } from "../core/path.ts";
import { ignoreLines, parseIgnoreRules, type IgnoreRules } from "./ignore-rules.ts";

function pathOf(text: string): RelativePath {
  const path = parsePath(text);
  assert.ok(path !== undefined, text);
  return path;
}

function rulesOf(text: string): IgnoreRules {
  return parseIgnoreRules(ignoreLines(text, ".dsyncignore"));
}

test("the last matching line decides, and the verdict names it", () => {
  const rules = rulesOf("*.log\n!keep.log\n");
  assert.deepEqual(rules.explain(pathOf("a/b.log"), false), {
    ignored: true,
    source: ".dsyncignore",
    line: 1,
    pattern: "*.log",
  });
  assert.deepEqual(rules.explain(pathOf("a/keep.log"), false)?.line, 2);
  assert.equal(rules.isIgnored(pathOf("a/keep.log"), false), false);
  assert.equal(rules.explain(pathOf("a/b.txt"), false), undefined);
});

test("nothing below an ignored directory comes back", () => {
  const rules = rulesOf("build/\n!build/keep.txt\n");
  assert.equal(rules.isIgnored(pathOf("build/keep.txt"), false), true);
  assert.equal(rules.isIgnored(pathOf("build"), false), false);
  assert.equal(rules.isIgnored(pathOf("x/build/a/b"), false), true);
});

test("reserved names are ignored whatever the rules say", () => {
  const rules = rulesOf("!.dsync\n!.dsyncignore\n!*.part\n");
  for (const name of [".dsync", ".dsync/index", ".dsyncignore", "a/b.part", "a.part/b"]) {
    assert.equal(rules.explain(pathOf(name), false)?.source, "built in", name);
  }
});

test("a byte order mark and CRLF line ends are no part of a pattern", () => {
  const rules = rulesOf("\uFEFF*.tmp\r\nbuild/ \r\n");
  assert.equal(rules.isIgnored(pathOf("x.tmp"), false), true);
  assert.equal(rules.isIgnored(pathOf("build"), true), true);
});

test("brackets mean in minimatch what they mean in git, also with a caret first", () => {
  const rules = rulesOf("[\\^a]x\n");
  assert.equal(rules.isIgnored(pathOf("^x"), false), true);
  assert.equal(rules.isIgnored(pathOf("ax"), false), true);
  assert.equal(rules.isIgnored(pathOf("bx"), false), false);
});

test("patterns that cost too much are left out with a reason", () => {
  const rules = rulesOf(`${"a".repeat(2000)}\n${"a/**/".repeat(30)}b\n*.ok\n`);
  assert.deepEqual(
    rules.warnings.map(({ line }) => line.line),
    [1, 2],
  );
  assert.equal(rules.isIgnored(pathOf("x.ok"), false), true);
});

test("no pattern takes exponential time", () => {
  const rules = rulesOf(`${"*a".repeat(200)}b\n${"**/a*/".repeat(15)}b\n`);
  const started = performance.now();
  rules.isIgnored(pathOf(`${"a".repeat(250)}/`.repeat(15) + "c"), false);
  // It is 2 ms, or else more than a lifetime.
  assert.ok(performance.now() - started < 10_000);
});

test("100,000 paths against the usual rules take no seconds", () => {
  const usual =
    ".git\nnode_modules\n.DS_Store\nThumbs.db\ndesktop.ini\n*.tmp\n*.swp\n*~\n.~lock.*#\n._*\n*.sw[a-p]\n/out/**/x\n";
  const rules = rulesOf(usual);
  const paths = Array.from({ length: 100_000 }, (_, i) => pathOf(`dir${i % 1000}/sub/file-${i}.txt`));
  const before = process.cpuUsage();
  assert.equal(paths.filter((path) => rules.isIgnored(path, false)).length, 0);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 2_000_000, `${user + system} µs`);
});

// Every file and directory that patterns are held against, in git and here.
const FILES = [
  "a", "b", "ab", "abc", "aXb", "x.log", "-", "^", "!", "#", "]", "\\", "[", "a b", "a ", "{a,b}", "+(a)", ".a", "*",
  "d/a", "d/b", "d/ab", "d/x.log", "d/e/a", "d/e/b", "d/e/f/a", "d/e/f/x.log", "d/.a", "d/e/ab", "d/-/a", "d/#a",
  "foo/a", "foo/bar/a", "foo/bar/baz/x.log", "foo.d/a", "foo.d/.h/b", "a.d/d/e/a", "1", "2x", "foo/1/A", "B",
]; // prettier-ignore

const token = fc.constantFrom(
  "a", "b", "ab", "d", "e", "f", "foo", "bar", "x", ".log", ".", "*", "*", "**", "?", "/", "/", "/", "!", "#", " ",
  "[ab]", "[!a]", "[^b]", "[]a]", "[!]]", "[a-c]", "[c-a]", "[!c-a]", "[a-]", "[--0]", "[[:alpha:]]", "[[:digit:]x]",
  "[[:nope:]]", "[a/b]", "[/]", "[^/]", "[", "]", "\\", "\\*", "\\[", "\\a", "[\\]a]", "[\\^a]", "[^^]", "[a", "{a,b}", "+(a)",
  "[[:]", "[[:a]", "[*]", "[\\\\]", "[!-a]",
); // prettier-ignore
const patternText = fc.array(token, { minLength: 1, maxLength: 6 }).map((tokens) => tokens.join(""));
const simpleText = fc.constantFrom("a", "d/", "/d", "d/*", "!d/a", "foo/**", "**/a", "d/**/a", "*.log", "!*.log", "!a", "e", "*", "!d", "!d/", "foo/bar/", "d/e/**", "!**/a", "**/", "/**", "**"); // prettier-ignore

/** git reads `x**` before a slash like a globstar, against its own documentation; we follow the documentation. */
function isUndocumented(pattern: string): boolean {
  const literal = /^!?\/?(?:\\.|[^*?[\\])*/su.exec(pattern)?.[0] ?? "";
  return /^\*{2,}(\/|\\\/|$)/.test(pattern.slice(literal.length)) && literal !== "" && !/[!/]$/.test(literal);
}

test("verdicts and deciding lines are git's own", (context) => {
  if (spawnSync("git", ["--version"]).status !== 0) return context.skip("git is not installed");
  const root = mkdtempSync(join(tmpdir(), "dsync-ignore-"));
  try {
    assert.equal(spawnSync("git", ["init", "-q", root]).status, 0);
    for (const file of FILES.filter((name) => !FILES.some((other) => other.startsWith(`${name}/`)))) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), "");
    }
    const directories = new Set(FILES.flatMap((file) => parentsOf(file)));
    const paths = [...directories, ...FILES];
    const lists = fc.array(fc.oneof(patternText, simpleText, simpleText), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lists, (patterns) => {
        const text = patterns.filter((pattern) => !isUndocumented(pattern)).join("\n");
        const expected = askGit(root, text, paths);
        const rules = rulesOf(text);
        for (const path of paths) {
          const verdict = rules.explain(pathOf(path), directories.has(path));
          const mine = verdict === undefined ? "-" : `${verdict.line} ${verdict.ignored}`;
          assert.equal(mine, expected.get(path) ?? "-", `${JSON.stringify(text)} on ${JSON.stringify(path)}`);
        }
      }),
      { numRuns: 400 },
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

function parentsOf(file: string): string[] {
  const parts = file.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Path → `<line> <ignored>`, for the paths that a line speaks of. */
function askGit(root: string, text: string, paths: readonly string[]): Map<string, string> {
  writeFileSync(join(root, ".git/info/exclude"), text);
  const answer = spawnSync("git", ["-C", root, "check-ignore", "--no-index", "-v", "-z", "--stdin"], {
    input: paths.join("\0"),
    encoding: "utf8",
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  });
  assert.ok(answer.status === 0 || answer.status === 1, answer.stderr);
  const verdicts = new Map<string, string>();
  const fields = answer.stdout.split("\0");
  for (let i = 0; i + 3 < fields.length; i += 4) {
    const [, line, pattern, path] = fields.slice(i, i + 4);
    verdicts.set(path ?? "", `${line} ${pattern?.startsWith("!") !== true}`);
  }
  return verdicts;
}
