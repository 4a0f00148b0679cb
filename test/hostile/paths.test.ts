// A peer announces paths that lead out of the folder, into dsync's own directory, or that are none.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileAt } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const NOT_PATHS = [
  "../outside/secret",
  "a/../../outside/secret",
  "/etc/dsync-was-here",
  "./a",
  "a//b",
  "a/",
  "..",
  ".",
  "",
  "nul\0byte",
  "a\u0308 not composed",
  `${"x/".repeat(2048)}x`,
  "\u{1F4A5}".repeat(1025),
];

test("what is no path breaks the protocol", async (t) => {
  const victim = await startVictim(t);
  for (const path of NOT_PATHS) {
    const peer = await HostilePeer.join(victim.port);
    peer.announce([fileAt("innocent.txt", "fine"), fileAt(path, "evil")]);
    const { code } = await peer.closed();
    assert.equal(code, "protocol-error", JSON.stringify(path));
  }
  assert.equal(fs.existsSync(join(victim.folder, "innocent.txt")), false, "a message that breaks the protocol counts");
  await victim.assertUnharmed();
});

test("backslashes and drive letters are letters like any other here, and stay inside the folder", async (t) => {
  const victim = await startVictim(t);
  const peer = await HostilePeer.join(victim.port);
  const names = ["..\\outside\\secret", "C:\\dsync", "C:relative", "\\\\server\\share"];
  peer.announce(names.map((name) => fileAt(name, name)));
  for (const name of names) await waitFor(() => fs.existsSync(join(victim.folder, name)), { until: name });
  await victim.assertUnharmed();
});

test("what never syncs is not written, whatever its case", async (t) => {
  const victim = await startVictim(t, { ".dsyncignore": "node_modules/\n" });
  const peer = await HostilePeer.join(victim.port);
  const before = fs.readFileSync(join(victim.folder, ".dsyncignore"), "utf8");
  const reserved = [
    ".dsync/index/data.mdb",
    ".dsync/lock",
    ".dsync/new",
    ".DSYNC/x",
    ".dsyncignore",
    "sub/.DsyncIgnore",
    "download.part",
    "sub/movie.PART",
    "node_modules/evil.js",
  ];
  peer.announce([...reserved.map((path) => fileAt(path, "evil", { counter: 2 ** 50 })), fileAt("last.txt", "last")]);
  await waitFor(() => fs.existsSync(join(victim.folder, "last.txt")), { until: "what came with it" });
  for (const path of [".dsync/new", ".DSYNC", "download.part", "sub/movie.PART", "node_modules"]) {
    assert.equal(fs.existsSync(join(victim.folder, path)), false, path);
  }
  assert.equal(fs.readFileSync(join(victim.folder, ".dsyncignore"), "utf8"), before);
  await victim.assertUnharmed();
  peer.destroy();
});

test("what the shipped ignore file names is not written, in the case that it is written in", async (t) => {
  const victim = await startVictim(t);
  const defaults = fs.readFileSync(join(victim.folder, ".dsyncignore"), "utf8");
  assert.match(defaults, /^\.git$/m, "the folder has the shipped defaults");
  const peer = await HostilePeer.join(victim.port);
  const ignored = [".git/hooks/post-checkout", "sub/.git/hooks/x", ".git", ".dsync/x", ".DSync/x"];
  // By design: patterns tell case apart, as gitignore's do. Where a disk does not, a name that only answers to another
  // spelling is not taken for the real one (spelling.ts).
  const otherCase = ".GIT/hooks/x";
  // By design: dsync's own directory is only at the top.
  const deeper = "sub/.dsync/x";
  const written = [otherCase, deeper, "last.txt"];
  peer.announce([...ignored, ...written].map((path) => fileAt(path, "evil")));
  for (const path of written) await waitFor(() => fs.existsSync(join(victim.folder, path)), { until: path });
  for (const path of [".git", "sub/.git", ".dsync/x", ".DSync"]) {
    assert.equal(fs.existsSync(join(victim.folder, path)), false, path);
  }
  assert.equal(peer.close, undefined, "it is legal: the other side may have other rules");
  await victim.assertUnharmed();
  peer.destroy();
});
