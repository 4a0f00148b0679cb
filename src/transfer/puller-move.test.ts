import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { createPuller, pullUntil } from "../../test/support/pulled-folder.ts";
import { pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { contentHashFromBytes } from "../core/ids.ts";
import type { Content, Entry } from "../index/entry.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { mtimeUsOf, signatureOf } from "../index/signature.ts";

const blake3 = loadBlake3({ portable: false });
const EMPTY_ID = contentHashFromBytes(blake3.hash(new Uint8Array(0)));

function entryOf(content: Content | undefined, counter: number): Entry {
  const dot = { replica: replicaIdOf(1), counter };
  const live = content === undefined ? undefined : { dot, stamp: counter, author: "there", content };
  return { seen: [[dot.replica, counter]], live };
}

test("a file is moved to where a directory was, though that is emptied only after the first try (simulation, seed 600179)", async () => {
  const disk = new MemoryDisk(() => 1_700_000_000_000_000_000n);
  const person = createMemoryFileSystem(disk);
  for (const path of ["/f", "/f/.dsync", "/f/.dsync/staging", "/f/.dsync/trash", "/f/was"])
    person.makeDirectory(path, 0o755);
  for (const path of ["/f/from", "/f/was/inside"]) person.close(person.createFile(path, 0o644));

  const clock = new FakeClock();
  const store = createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) });
  const put = (text: string, wanted: Content | undefined): void => {
    const stat = person.lstat(`/f/${text}`);
    assert.ok(stat !== undefined);
    const signature = signatureOf(stat);
    const { kind, mode } = stat;
    const held: Content =
      kind === "file"
        ? { kind, contentId: EMPTY_ID, size: 0, mode, mtimeUs: mtimeUsOf(stat) }
        : { kind: "directory", mode };
    store.put({ path: pathOf(text), known: entryOf(wanted, 2), present: entryOf(held, 1), signature, residue: false });
  };
  put("from", undefined);
  put("was/inside", undefined);
  put("was", { kind: "file", contentId: EMPTY_ID, size: 0, mode: 0o644, mtimeUs: 1_600_000_000_000_000 });
  // Nothing is removed before the peers were compared, so the first try finds the directory full.
  let isComparing = true;
  const endComparing = (): void => {
    isComparing = false;
    puller.noteCompared();
  };
  const puller = createPuller(
    { disk, store, clock },
    { isComparing: () => isComparing, leftIn: async () => (endComparing(), "others") },
  );
  await pullUntil(puller, clock, () => store.pendingCount === 0, "nothing is pending");
  assert.equal(person.lstat("/f/was")?.kind, "file");
  assert.equal(person.lstat("/f/from"), undefined);
});
