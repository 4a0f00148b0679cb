// A disk that is really full: a small tmpfs, filled to the last byte. Needs the right to mount.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { verifyTables } from "../../test/support/verify-tables.ts";
import { DsyncError } from "../core/errors.ts";
import { systemClock } from "../edge/clock.ts";
import { systemRandom } from "../edge/random.ts";
import { openEnvironment } from "./lmdb-environment.ts";
import { openLmdbStore } from "./lmdb-store.ts";
import { LmdbTables } from "./lmdb-tables.ts";
import { hash, path, settled } from "./store-contract.ts";

const RECORDS = 3000;
const plentyFree = (): Promise<number> => Promise.resolve(2 ** 40);

for (const { title, freeBytes, message } of [
  { title: "its room is checked", freeBytes: undefined, message: /disk is full/ },
  { title: "LMDB runs into its end", freeBytes: plentyFree, message: /Cannot write the index.*tries again/ },
]) {
  test(`a full disk, where ${title}: nothing is lost, and it goes on when there is room`, async (context) => {
    const disk = mountSmallDisk();
    if (disk === undefined) return context.skip("needs the right to mount a tmpfs");
    try {
      const options = {
        directory: join(disk, "index"),
        random: systemRandom,
        clock: systemClock,
        hash,
        bootId: "boot",
      };
      const store = await openLmdbStore({ ...options, ...(freeBytes === undefined ? {} : { freeBytes }) });
      store.put(settled("before", 1));
      await store.committed();
      await fill(join(disk, "filler"));
      for (let i = 0; i < RECORDS; i++) store.put(settled(`file ${i}`, i + 1));
      for (const _ of [1, 2]) {
        await assert.rejects(store.committed(), (error) => {
          assert.ok(error instanceof DsyncError && error.code === "index", String(error));
          assert.match(error.message, message);
          return true;
        });
      }
      assert.equal(store.liveCount, RECORDS + 1);
      assert.ok(store.get(path("before")) !== undefined && store.get(path("file 0")) !== undefined);

      await rm(join(disk, "filler"));
      await store.committed();
      await store.close();
      const again = await openLmdbStore(options);
      assert.equal(again.previousStop, "clean");
      const view = new LmdbTables(openEnvironment(options.directory, false), { ...options, readOnly: true });
      assert.equal(verifyTables(view, hash), RECORDS + 1);
      await view.abandon();
      await again.close();
    } finally {
      execFileSync("umount", [disk]);
      rmdirSync(disk);
    }
  });
}

function mountSmallDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), "dsync-full-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=40m", "dsync-test", directory], { stdio: "ignore" });
    return directory;
  } catch {
    rmdirSync(directory);
    return undefined;
  }
}

/** Writes until nothing more fits. */
async function fill(file: string): Promise<void> {
  const { bavail, bsize } = await statfs(join(file, ".."));
  await writeFile(file, Buffer.alloc(bavail * bsize, 1));
}
