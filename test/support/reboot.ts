// A restart of the machine, played on the index of a folder on which nothing runs.

import { join } from "node:path";
import { systemClock } from "../../src/edge/clock.ts";
import { openEnvironment } from "../../src/index/lmdb-environment.ts";
import { LmdbTables } from "../../src/index/lmdb-tables.ts";
import { encodeMark, parseMark } from "../../src/index/mark-codec.ts";
import { encodeRecord, parseFingerprint, parseRecord } from "../../src/index/record-codec.ts";
import { markRunning, saveMarksBoot } from "../../src/index/store-state.ts";

const EARLIER_BOOT = "an earlier boot";
const EARLIER_BOOT_TAG = Buffer.alloc(8, 7);
const NOTHING = new Uint8Array(0);

/** What a power loss does to a file leaves its ctime as it was; whoever plays that by hand cannot. */
const LATEST_CTIME_NS = 2n ** 62n;

/** Makes what was written before look as if it had been written before the machine started. Returns the marked paths. */
export async function pretendReboot(folder: string): Promise<readonly string[]> {
  const directory = join(folder, ".dsync/index");
  const tables = new LmdbTables(openEnvironment(directory, false), { directory, clock: systemClock, readOnly: false });
  const paths: string[] = [];
  saveMarksBoot(tables, EARLIER_BOOT_TAG);
  for (const key of tables.keys("marks", "")) {
    const row = parseMark(tables.get("marks", key) ?? NOTHING);
    // The second half of the key is the record's.
    const record = tables.get("records", key.slice(key.length / 2));
    if (row === undefined || record === undefined) continue;
    tables.set("marks", key, encodeMark({ ...row, bootTag: EARLIER_BOOT_TAG }));
    paths.push(parseRecord(record).path);
  }
  for (const key of tables.keys("records", "")) {
    const bytes = tables.get("records", key) ?? NOTHING;
    const record = parseRecord(bytes);
    if (record.signature?.kind !== "file") continue;
    const signature = { ...record.signature, ctimeNs: LATEST_CTIME_NS };
    tables.set("records", key, encodeRecord({ ...record, signature }, parseFingerprint(bytes)));
  }
  markRunning(tables, EARLIER_BOOT);
  await tables.close();
  return paths;
}
