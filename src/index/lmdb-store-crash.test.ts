// kill -9 at any moment: everything committed is there, every turn is there whole or not at all, what is derived fits
// the records, and no dot comes twice. The seed of a failed run is in its message; DSYNC_TEST_SEED replays the same turns.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { contentAfter } from "../../test/support/index-turns.ts";
import { randomFrom, testSeed } from "../../test/support/seeded.ts";
import { verifyTables } from "../../test/support/verify-tables.ts";
import { systemClock } from "../edge/clock.ts";
import { openEnvironment } from "./lmdb-environment.ts";
import { LmdbTables } from "./lmdb-tables.ts";
import { openLmdbStoreReadOnly } from "./lmdb-store.ts";
import { hash } from "./store-contract.ts";

const KILLS = 20;
const LINES_MAX = 40;
const WRITER = fileURLToPath(new URL("../../test/support/index-writer.js", import.meta.url));

/** What a killed writer had said. */
interface Said {
  readonly opened: string | undefined;
  readonly turns: number;
  readonly firstDot: number;
  readonly lastDot: number;
}

test("an index survives kill -9 at any moment", async () => {
  const seed = testSeed();
  const random = randomFrom(seed);
  const directory = await mkdtemp(join(tmpdir(), "dsync-crash-"));
  try {
    let turns = 0;
    let lastDot = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const where = `seed ${seed}, kill ${kill}`;
      const said = await writeUntilKilled({
        directory,
        seed,
        afterLines: 1 + Math.floor(random() * LINES_MAX),
        random,
      });
      assert.ok(said.firstDot > lastDot, `${where}: dot ${said.firstDot} after ${lastDot}`);
      if (kill > 0) assert.equal(said.opened, "crash", where);
      lastDot = said.lastDot;
      const found = checkIndex({ directory, seed, where });
      assert.ok(
        found >= Math.max(turns, said.turns),
        `${where}: ${said.turns} turns were committed, ${found} are there`,
      );
      turns = found;
    }
    assert.ok(turns > KILLS, "the writer came far enough for the test to mean something");
  } finally {
    await rm(directory, { recursive: true });
  }
});

async function writeUntilKilled(options: {
  readonly directory: string;
  readonly seed: number;
  readonly afterLines: number;
  readonly random: () => number;
}): Promise<Said> {
  const child = spawn(process.execPath, [WRITER, options.directory, String(options.seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    // A little later than the line, at an arbitrary point of what follows it.
    if (lines.length === options.afterLines) setTimeout(() => child.kill("SIGKILL"), options.random() * 3);
  }
  assert.equal(child.exitCode, null, "the writer ended by itself");
  const numbersOf = (word: string): number[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.slice(word.length + 1)));
  const dots = numbersOf("dot");
  return {
    opened: lines[0]?.slice("open ".length),
    turns: numbersOf("turns").at(-1) ?? 0,
    firstDot: dots[0] ?? Infinity,
    lastDot: dots.at(-1) ?? 0,
  };
}

/** Returns how many turns the index holds. */
function checkIndex(options: { readonly directory: string; readonly seed: number; readonly where: string }): number {
  const { directory, seed, where } = options;
  const store = openLmdbStoreReadOnly({ directory, clock: systemClock, hash });
  const turns = Number(Buffer.from(store.getMeta("turns") ?? Buffer.from("0")).toString());
  const expected = contentAfter(seed, turns);
  const found = new Map([...store.inSubtree([])].map((record) => [record.path as string, record]));
  assert.equal(found.size, expected.size, where);
  for (const [path, record] of expected) assert.deepEqual(found.get(path), record, where);
  const tables = new LmdbTables(openEnvironment(directory, true), { directory, clock: systemClock, readOnly: true });
  verifyTables(tables, hash);
  void tables.abandon();
  void store.close();
  return turns;
}
