// What programs do to files on one side while somebody reads them on the other: editors' ways to save, a database that
// is written to, files that change while they are sent.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DsyncProcess } from "../support/dsync-process.ts";
import { machines, startPair, type Machine } from "../support/machines.ts";
import {
  hashOf,
  incompressible,
  removeDirectory,
  temporaryDirectory,
  waitForEqualTrees,
  writeFiles,
} from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

/** A version of a document: every line says which, so that a mixture shows. Small ones travel with their announcement. */
function documentOf(version: number, lines: number): string {
  return `version ${version}\n`.repeat(lines);
}

/** Reads a file again and again, and prints what no version of the document looks like. Ends when its input does. */
const READER = `
  const fs = require("node:fs");
  const [file] = process.argv.slice(1);
  const sizes = new Set(JSON.parse(process.argv[2]));
  let reads = 0;
  process.stdin.resume().on("end", () => { console.log("reads", reads); process.exit(0); });
  const timer = setInterval(() => {
    for (let i = 0; i < 20; i++) {
      reads++;
      let text;
      try { text = fs.readFileSync(file, "latin1"); } catch (error) { console.log("missing", error.code); continue; }
      const first = text.slice(0, text.indexOf("\\n") + 1);
      const lines = text.split("\\n").length - 1;
      if (!sizes.has(lines) || text !== first.repeat(lines)) console.log("torn", text.length, lines, first);
    }
  }, 2);
`;

interface Reader {
  /** What it complained about, once it has ended. */
  end(): Promise<readonly string[]>;
}

function startReader(t: TestContext, file: string, lines: readonly number[]): Reader {
  const child = spawn(process.execPath, ["-e", READER, file, JSON.stringify(lines)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  let isClosed = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.on("close", () => (isClosed = true));
  t.after(() => child.kill("SIGKILL"));
  return {
    end: async () => {
      child.stdin.end();
      await waitFor(() => isClosed, { until: "the reader to end" });
      const said = output.split("\n").filter((line) => line !== "");
      const reads = Number(said.pop()?.split(" ")[1]);
      assert.ok(reads > 100, `only ${reads} reads`);
      return said;
    },
  };
}

/**
 * Saves while the instance stands still. Otherwise a busy machine, which may stop this process in the middle for longer
 * than a file needs to count as settled, or as deleted, would have half of it synced.
 */
function saveAtOnce({ pid }: DsyncProcess, save: () => void): void {
  process.kill(pid, "SIGSTOP");
  try {
    save();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

type Save = (file: string, content: string) => void;

const SAVES: Readonly<Record<string, Save>> = {
  "vim, the old one renamed aside": (file, content) => {
    fs.renameSync(file, `${file}~`);
    fs.writeFileSync(file, content);
    fs.unlinkSync(`${file}~`);
  },
  "vim, a swap file and a trial of the directory": (file, content) => {
    const directory = file.slice(0, file.lastIndexOf("/"));
    fs.writeFileSync(join(directory, ".document.txt.swp"), "swap");
    fs.writeFileSync(join(directory, "4913"), "");
    fs.unlinkSync(join(directory, "4913"));
    fs.renameSync(file, `${file}~`);
    fs.writeFileSync(file, content);
    fs.unlinkSync(`${file}~`);
    fs.unlinkSync(join(directory, ".document.txt.swp"));
  },
  "emacs, a backup that stays and a lock that leads nowhere": (file, content) => {
    const lock = join(file.slice(0, file.lastIndexOf("/")), ".#document.txt");
    fs.symlinkSync("person@machine.1234:1", lock);
    fs.rmSync(`${file}~`, { force: true });
    fs.renameSync(file, `${file}~`);
    fs.writeFileSync(file, content);
    fs.unlinkSync(lock);
  },
  "an office, a temporary file renamed over": (file, content) => {
    const directory = file.slice(0, file.lastIndexOf("/"));
    const lock = join(directory, ".~lock.document.txt#");
    fs.writeFileSync(lock, ",person,machine;");
    fs.writeFileSync(join(directory, "lu1234abcd.tmp"), content);
    fs.renameSync(join(directory, "lu1234abcd.tmp"), file);
    fs.unlinkSync(lock);
  },
  "an office, deleted and renamed to": (file, content) => {
    fs.writeFileSync(`${file}.new`, content);
    fs.unlinkSync(file);
    fs.renameSync(`${file}.new`, file);
  },
  "a hard link as backup": (file, content) => {
    fs.linkSync(file, `${file}.bak`);
    fs.writeFileSync(`${file}.tmp`, content);
    fs.renameSync(`${file}.tmp`, file);
    fs.unlinkSync(`${file}.bak`);
  },
};

function hasTool(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

test("editors' ways to save: on the other side always one whole version", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const lineCounts = [100, 30_000];
  const file = join(a.folder, "texts/document.txt");
  let version = 100;
  writeFiles(a.folder, { "texts/document.txt": documentOf(version, 100) });
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  const reader = startReader(t, join(b.folder, "texts/document.txt"), lineCounts);
  const saves = new Map(Object.entries(SAVES));
  if (hasTool("sed", "--version")) {
    saves.set("sed -i", (at, content) => {
      const [before, after] = [fs.readFileSync(at, "latin1"), content].map((text) => text.slice(0, text.indexOf("\n")));
      execFileSync("sed", ["-i", `s/${before}/${after}/`, at]);
    });
  }
  // Not vim itself, for the same reason: it fills the new file with many writes.
  // Backups and temporary files of editors do not sync: it is the document that counts.
  for (const [name, save] of saves) {
    for (const lines of lineCounts) {
      for (const pauseMs of [0, 60]) {
        saveAtOnce(a.instance, () => save(file, documentOf(++version, lines)));
        await sleep(pauseMs);
      }
    }
    const last = `version ${version}\n`;
    await waitFor(() => fs.readFileSync(join(b.folder, "texts/document.txt"), "latin1").startsWith(last), {
      until: `the last version of ${name}`,
      intervalMs: 50,
    });
  }
  assert.deepEqual(await reader.end(), []);
  const status = await a.instance.waitForSync();
  assert.equal(status.conflicts, 0);
  assert.deepEqual(status.failed, []);
});

const WRITER = `
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma journal_mode=wal")
db.execute("create table if not exists t (id integer primary key, text text)")
end = time.time() + float(sys.argv[2])
while time.time() < end:
    db.execute("begin")
    for i in range(20):
        db.execute("insert into t (text) values (?)", ("x" * 500,))
    db.execute("delete from t where id % 7 = 3")
    db.execute("commit")
    time.sleep(0.01)
print(db.execute("select count(*) from t").fetchone()[0], flush=True)
if len(sys.argv) > 3: time.sleep(600)
`;

const CHECKER = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute("pragma integrity_check").fetchone()[0], db.execute("select count(*) from t").fetchone()[0])
`;

test(
  "a database that is written to: whole when it is quiet",
  { skip: hasTool("python3", "-c", "import sqlite3") ? false : "needs python3 with sqlite3" },
  async (t) => {
    const [a, b] = machines(t, 2) as [Machine, Machine];
    await startPair(a, b);
    const database = join(a.folder, "data.db");
    const check = (count: string): void => {
      const copy = temporaryDirectory();
      t.after(() => removeDirectory(copy));
      for (const name of fs.readdirSync(b.folder)) {
        if (name.startsWith("data.db")) fs.copyFileSync(join(b.folder, name), join(copy, name));
      }
      const said = execFileSync("python3", ["-c", CHECKER, join(copy, "data.db")], { encoding: "utf8" });
      assert.equal(said.trim(), `ok ${count}`);
    };
    // Closed as it should be: the log is merged and gone.
    const ended = execFileSync("python3", ["-c", WRITER, database, "1.5"], { encoding: "utf8" });
    await waitForEqualTrees([a.folder, b.folder]);
    check(ended.trim());
    // Killed: the log stays beside it.
    const writer = spawn("python3", ["-c", WRITER, database, "1.5", "wait"], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => writer.kill("SIGKILL"));
    let count = "";
    writer.stdout.setEncoding("utf8").on("data", (text: string) => (count += text));
    await waitFor(() => count !== "", { until: "the writer to have written" });
    writer.kill("SIGKILL");
    assert.ok(fs.existsSync(`${database}-wal`));
    // Not the third file: it is memory that programs share, changes without a change of its times, and is made anew.
    const isEqual = (name: string): boolean => {
      const [from, to] = [join(a.folder, name), join(b.folder, name)];
      return fs.existsSync(to) && hashOf(from) === hashOf(to);
    };
    await waitFor(() => isEqual("data.db") && isEqual("data.db-wal"), { until: "an equal database", intervalMs: 100 });
    check(count.trim());
    assert.equal((await a.instance.waitForSync()).conflicts, 0);
  },
);

test("files that grow, shrink, change and vanish while they are sent", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  const names = ["grows", "shrinks", "vanishes", "is replaced", "is emptied", "is renamed", "becomes a directory"];
  for (const [index, name] of names.entries()) {
    fs.writeFileSync(join(a.folder, name), incompressible(2_000_000, index + 1));
  }
  await startPair(a, b, ["--rate-limit", "10MB/s"]);
  const staging = join(b.folder, ".dsync/staging");
  const hasBegun = (): boolean =>
    fs.readdirSync(staging).length > 0 || names.some((name) => fs.existsSync(join(b.folder, name)));
  await waitFor(hasBegun, { until: "a transfer to begin", intervalMs: 5 });
  const at = (name: string): string => join(a.folder, name);
  for (let round = 0; round < 10; round++) {
    fs.appendFileSync(at("grows"), incompressible(100_000, 100 + round));
    fs.truncateSync(at("shrinks"), 2_000_000 - (round + 1) * 150_000);
    if (round === 2) fs.rmSync(at("vanishes"));
    if (round === 3) fs.writeFileSync(at("is replaced"), incompressible(3_000_000, 200));
    if (round === 4) fs.truncateSync(at("is emptied"));
    if (round === 5) fs.renameSync(at("is renamed"), at("has been renamed"));
    if (round === 6) {
      fs.rmSync(at("becomes a directory"));
      writeFiles(a.folder, { "becomes a directory/file": "x" });
    }
    await sleep(40);
  }
  await waitForEqualTrees([a.folder, b.folder]);
  const status = await b.instance.waitForSync();
  assert.deepEqual([status.failed, status.conflicts], [[], 0]);
});

test("a log that is appended to all the time holds nothing else up, and is equal in the end", async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeFiles(a.folder, { "app.log": incompressible(300_000, 1), "doc.txt": "first" });
  await startPair(a, b);
  await waitForEqualTrees([a.folder, b.folder]);
  let lines = 0;
  const append = (): void => fs.appendFileSync(join(a.folder, "app.log"), `line ${lines++}\n`);
  const timer = setInterval(append, 20);
  t.after(() => clearInterval(timer));
  for (const version of ["second", "third", "fourth"]) {
    const before = lines;
    await waitFor(() => lines > before + 50, { until: "the log to grow" });
    writeFiles(a.folder, { [`beside it/${version}.txt`]: version });
    fs.writeFileSync(join(b.folder, "doc.txt"), version);
    await waitFor(() => fs.readFileSync(join(a.folder, "doc.txt"), "utf8") === version, { until: version });
    await waitFor(() => fs.existsSync(join(b.folder, `beside it/${version}.txt`)), { until: `${version} beside it` });
  }
  // Nor is the log held up until it is quiet.
  const copy = join(b.folder, "app.log");
  await waitFor(() => fs.statSync(copy).size > 300_000, { until: "a part of the log" });
  clearInterval(timer);
  await waitForEqualTrees([a.folder, b.folder]);
  assert.ok(fs.readFileSync(copy, "latin1").endsWith(`line ${lines - 1}\n`));
  const status = await a.instance.waitForSync();
  assert.deepEqual([status.failed, status.conflicts], [[], 0]);
});
