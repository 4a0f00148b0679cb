// README.md and the documents: complete tables, links that lead somewhere, a recording that shows no private path.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { ALL_FLAGS } from "../../src/cli/flags.ts";
import { inRepository, readDocument } from "./documents.ts";

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  ...readdirSync(inRepository("docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`),
];

/** How a heading is called in a link: as on GitHub. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test("every link between documents leads to a file, and to a heading in it", () => {
  const broken: string[] = [];
  for (const document of DOCUMENTS) {
    const text = readDocument(document);
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)];
    for (const [, link = "", source = ""] of links) {
      const [path = "", anchor] = (link === "" ? source : link).split("#");
      if (/^[a-z]+:/.test(path)) continue;
      const target = path === "" ? document : join(dirname(document), path);
      if (!existsSync(inRepository(target))) broken.push(`${document}: ${path}`);
      else if (anchor !== undefined && !anchorsOf(readDocument(target)).includes(anchor))
        broken.push(`${document}: ${path}#${anchor}`);
    }
  }
  assert.deepEqual(broken, []);
});

test("README.md has every flag and every command, with its actions", () => {
  const readme = readDocument("README.md");
  const [flags = "", commands = ""] = [/^## Flags$.*?^Commands,/ms, /^Commands,.*?^## /ms].map(
    (part) => part.exec(readme)?.[0],
  );
  for (const { name, letter } of ALL_FLAGS) {
    const spelling = letter === undefined ? `--${name}` : `-${letter}`;
    assert.match(flags, new RegExp(`\`[^\`]*${spelling}\\b[^\`]*\``), spelling);
  }
  for (const { name, actions = [] } of COMMANDS) {
    const row = commands.split("\n").find((line) => line.startsWith(`| \`dsync ${name}`));
    assert.ok(row !== undefined, name);
    for (const action of actions) assert.ok(row.includes(action), `${name} ${action}`);
  }
});

test("README.md begins with the recording, in a light and a dark version that show what was really there", () => {
  const readme = readDocument("README.md");
  for (const theme of ["light", "dark"]) {
    const name = `docs/session-${theme}.svg`;
    assert.ok(readme.slice(0, 400).includes(name), name);
    const svg = readDocument(name);
    for (const text of ["dsync -d ~/shared", "waiting for peers", "in sync with 1 peer", "conflict in notes.txt"])
      assert.ok(svg.includes(text), `${name}: ${text}`);
    assert.doesNotMatch(svg, /\/tmp\/|\/root\//);
    for (const tag of ["g", "text", "svg", "defs"]) {
      const count = (pattern: string): number => svg.match(new RegExp(pattern, "g"))?.length ?? 0;
      assert.equal(count(`<${tag}[ >]`), count(`</${tag}>`), tag);
    }
    const used = [...svg.matchAll(/href="#(l\d+)"/g)].map(([, id]) => id);
    for (const id of new Set(used)) assert.ok(svg.includes(`<g id="${id}">`), id);
  }
});
