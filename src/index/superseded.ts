// Versions that a local change replaced or deleted. Somebody who had not heard of that change may make a conflict copy
// of such a version, whose content is nowhere any more: the copy is withdrawn, since it lost to someone who saw it.
//
// Invariant: a version is noted in the same commit as the change that replaced it, so a crash forgets both or neither.
// Only the newest are kept: each row is written over when its turn comes again.
//
// A version that met another one of the same content was dropped for it, and is replaced with that. Which these are is
// remembered while the process runs, for the last of them.

import { idBytes, REPLICA_ID_BYTES } from "../core/ids.ts";
import { SAME_VERSIONS_MAX, SUPERSEDED_VERSIONS_MAX } from "../core/limits.ts";
import type { Dot, Entry, Version } from "./entry.ts";
import { copyDot } from "./merge.ts";
import { keyOf, type Tables } from "./tables.ts";
import { withDeletedStamp } from "./version-vector.ts";

const TABLE = "superseded";
const SERIAL_BYTES = 8;
const DOT_BYTES = REPLICA_ID_BYTES + 8;

/** The dots that copies of replaced versions would have, by the order in which they were replaced. */
interface Noted {
  readonly dotsBySlot: Map<number, string>;
  readonly dots: Set<string>;
  nextSerial: number;
}

export class Superseded {
  readonly #tables: Tables;
  readonly #versionsMax: number;
  #noted: Noted | undefined;
  /** Versions that were dropped for another one, by the dot of that. */
  readonly #same = new Map<string, Version[]>();
  #sameNoted = 0;

  /** `versionsMax`: how many are remembered. */
  constructor(tables: Tables, versionsMax = SUPERSEDED_VERSIONS_MAX) {
    this.#tables = tables;
    this.#versionsMax = versionsMax;
  }

  /** `dropped` gave way to `kept`, which has the same content. */
  noteSame(kept: Version, dropped: Version): void {
    if (this.#sameNoted++ % SAME_VERSIONS_MAX === 0) this.#same.clear();
    const key = keyOf(dotBytes(kept.dot));
    const others = this.#same.get(key);
    if (others === undefined) this.#same.set(key, [dropped]);
    else others.push(dropped);
  }

  /** What gave way to `kept`: replaced with it. It is told once. */
  takeSame({ dot }: Version): readonly Version[] {
    const key = keyOf(dotBytes(dot));
    const dropped = this.#same.get(key) ?? [];
    this.#same.delete(key);
    return dropped;
  }

  /** A local change was made on top of `version`. */
  note({ dot }: Version): void {
    const noted = this.#load();
    const row = Buffer.alloc(SERIAL_BYTES + DOT_BYTES);
    row.writeDoubleBE(noted.nextSerial);
    row.set(dotBytes(copyDot(dot)), SERIAL_BYTES);
    const slot = noted.nextSerial % this.#versionsMax;
    this.#tables.set(TABLE, slotKey(slot), row);
    remember(noted, slot, row);
  }

  /** `version` may lose against another: where it is a copy of what was replaced, its own copy is owed to nobody either. */
  noteCopyOf(version: Version): void {
    const { dots } = this.#load();
    const isKnown = dots.has(keyOf(dotBytes(copyDot(version.dot))));
    if (!isKnown && dots.has(keyOf(dotBytes(version.dot)))) this.note(version);
  }

  /** The tombstone of a copy that is live, if it is one of a version that was replaced here. */
  withdrawalOf({ live }: Entry): Entry | undefined {
    const { dots } = this.#load();
    if (live === undefined || dots.size === 0 || !dots.has(keyOf(dotBytes(live.dot)))) return undefined;
    // It has seen exactly the copy, so whatever else is or comes to its path stays.
    return { seen: withDeletedStamp([[live.dot.replica, live.dot.counter]], live.stamp), live: undefined };
  }

  /** Once, when it is first needed. */
  #load(): Noted {
    if (this.#noted !== undefined) return this.#noted;
    const noted: Noted = { dotsBySlot: new Map(), dots: new Set(), nextSerial: 0 };
    for (const key of this.#tables.keys(TABLE, "")) {
      const row = this.#tables.get(TABLE, key);
      if (row?.length === SERIAL_BYTES + DOT_BYTES) remember(noted, slotOf(key), row);
    }
    this.#noted = noted;
    return noted;
  }
}

function remember(noted: Noted, slot: number, row: Uint8Array): void {
  const former = noted.dotsBySlot.get(slot);
  if (former !== undefined) noted.dots.delete(former);
  const dot = keyOf(row.subarray(SERIAL_BYTES));
  noted.dotsBySlot.set(slot, dot);
  noted.dots.add(dot);
  const serial = Buffer.from(row.subarray(0, SERIAL_BYTES)).readDoubleBE();
  noted.nextSerial = Math.max(noted.nextSerial, serial + 1);
}

function dotBytes({ replica, counter }: Dot): Uint8Array {
  const bytes = Buffer.alloc(DOT_BYTES);
  bytes.set(idBytes(replica));
  bytes.writeDoubleBE(counter, REPLICA_ID_BYTES);
  return bytes;
}

function slotKey(slot: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(slot);
  return keyOf(bytes);
}

function slotOf(key: string): number {
  return Buffer.from(key, "latin1").readUInt32BE();
}
