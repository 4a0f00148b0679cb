// The index of one replica over sorted tables: records, what is derived from them, and the replica's own numbers.
// It does no I/O itself: the tables do.
//
// Invariants (with those of index-store.ts):
// 1. `children`, `contents`, `pending`, the sums of listings, the Merkle tree and the counts are functions of the records. Whoever changes a
//    record changes them in the same turn, so they are committed together.
// 2. The state is saved before each commit, so no committed record carries a dot beyond the committed counter.

import { invariant } from "../core/assert.ts";
import { contentHashFromBytes, CONTENT_HASH_BYTES, idBytes, type ContentHash, type ReplicaId } from "../core/ids.ts";
import { MANIFEST_ITEM_BYTES, MARK_ENTRIES_MAX, RECENT_RECORDS_MAX } from "../core/limits.ts";
import { parentOf, type RelativePath } from "../core/path.ts";
import type { Random } from "../edge/random.ts";
import type { Dot, Entry, PathRecord, Presence, StatSignature } from "./entry.ts";
import { createFingerprinter, type Fingerprinter } from "./fingerprint.ts";
import type { ChunkLocation, ContentLocation, IndexStore, LocationRow, Mark } from "./index-store.ts";
import { bootTagOf, encodeMark, isSameBoot, parseMark, type MarkRow } from "./mark-codec.ts";
import { Listings } from "./listings.ts";
import type { MerkleTree } from "./merkle.ts";
import { contentOnDisk, isLive, isPending } from "./record-facts.ts";
import { RecentRecords, type RecentRecord } from "./recent-records.ts";
import {
  encodeRecord,
  packEntry,
  parseFingerprint,
  parsePresence,
  parseRecord,
  parseRecordPath,
  parseSignature,
} from "./record-codec.ts";
import {
  loadMarksBoot,
  loadMerkle,
  newReplicaId,
  saveMarksBoot,
  saveMerkle,
  saveState,
  type PreviousStop,
  type StoreState,
} from "./store-state.ts";
import { Superseded } from "./superseded.ts";
import { bytesOf, keyOf, type TableName, type Tables } from "./tables.ts";

export interface RecordStoreOptions {
  readonly tables: Tables;
  /** Saved with the first commit, unless the previous stop was clean. */
  readonly state: StoreState;
  readonly previousStop: PreviousStop;
  /** Names this boot of the machine, for marks; empty if it is unknown: then every mark counts as another boot's. */
  readonly bootId: string;
  /** True if another process writes the tables: then nothing is remembered. */
  readonly isShared?: boolean;
  /** BLAKE3, or at least 32 bytes of something like it. */
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  /** Runs before the last commit. */
  readonly onClose: () => void;
}

/** Marks a row whose key says everything. */
const PRESENT = Uint8Array.of(1);
const KEY_LENGTH = 16;
const TOP_KEY = "\0".repeat(KEY_LENGTH);
const IN_TREE = 0;
const IN_TRASH = 1;
/** Entries with vectors of a thousand replicas are not kept packed: many of them would take more than they save. */
const PACKED_KEPT_BYTES_MAX = 512;

export class RecordStore implements IndexStore {
  readonly merkle: MerkleTree;
  readonly superseded: Superseded;
  /** How the use of this index before this one ended. */
  readonly previousStop: PreviousStop;
  readonly #tables: Tables;
  readonly #hash: (bytes: Uint8Array) => Uint8Array;
  readonly #bootTag: Uint8Array;
  readonly #onClose: () => void;
  readonly #fingerprinter: Fingerprinter;
  #replicaId: ReplicaId;
  #counter: number;
  #liveCount: number;
  #pendingCount: number;
  #stateChanged: boolean;
  readonly #recents: RecentRecords;
  readonly #listings: Listings;
  /** The directory that was last looked up by its path, since records come directory by directory. */
  #parent: { readonly path: RelativePath; readonly key: string } | undefined;

  constructor(options: RecordStoreOptions) {
    const { tables, state, hash } = options;
    this.#tables = tables;
    this.#hash = hash;
    this.#bootTag = bootTagOf(options.bootId, hash);
    this.#onClose = options.onClose;
    this.#recents = new RecentRecords(options.isShared === true ? 0 : RECENT_RECORDS_MAX);
    this.#fingerprinter = createFingerprinter(hash);
    this.#listings = new Listings(tables, hash);
    this.merkle = loadMerkle(tables);
    this.superseded = new Superseded(tables);
    this.previousStop = options.previousStop;
    this.#replicaId = state.replicaId;
    this.#counter = state.counter;
    this.#liveCount = state.liveCount;
    this.#pendingCount = state.pendingCount;
    this.#stateChanged = options.previousStop !== "clean";
    tables.beforeCommit(() => this.#saveState());
  }

  get replicaId(): ReplicaId {
    return this.#replicaId;
  }

  get liveCount(): number {
    return this.#liveCount;
  }

  get pendingCount(): number {
    return this.#pendingCount;
  }

  get uncommittedBytes(): number {
    return this.#tables.uncommittedBytes;
  }

  get(path: RelativePath): PathRecord | undefined {
    return this.#recent(path).record;
  }

  /** As `get(path)?.signature`, several times cheaper. */
  signatureOf(path: RelativePath): StatSignature | undefined {
    const bytes = this.#tables.get("records", this.#keyOf(path));
    return bytes === undefined ? undefined : parseSignature(bytes);
  }

  byPathHash(hash: Uint8Array): PathRecord | undefined {
    return this.#record(keyOf(hash));
  }

  put(record: PathRecord): void {
    const { path } = record;
    const old = this.#recent(path);
    const isKnownSame = old.record?.known === record.known;
    const fingerprint =
      (isKnownSame ? old.fingerprint : undefined) ?? this.#fingerprinter.entryFingerprint(path, record.known);
    const packedKnown = (isKnownSame ? old.packedKnown : undefined) ?? packEntry(record.known);
    this.#tables.set("records", old.key, encodeRecord(record, fingerprint, packedKnown));
    const kept = packedKnown.length <= PACKED_KEPT_BYTES_MAX ? Buffer.from(packedKnown) : undefined;
    this.#replace(path, old, { key: old.key, record, fingerprint, packedKnown: kept });
  }

  remove(path: RelativePath): void {
    const old = this.#recent(path);
    if (old.record === undefined) return;
    this.#tables.set("records", old.key, undefined);
    this.unmark(path);
    this.#replace(path, old, { key: old.key, record: undefined, fingerprint: undefined, packedKnown: undefined });
  }

  release(): Promise<void> {
    this.#recents.clear();
    this.#listings.release();
    return this.#tables.release();
  }

  nextDot(nowMs: number): Dot {
    this.#counter = Math.max(this.#counter + 1, Math.floor(nowMs));
    this.#stateChanged = true;
    return { replica: this.#replicaId, counter: this.#counter };
  }

  /** For a folder that turns out to be a copy: from here on this is another replica, which knows all the same. */
  renewReplicaId(random: Random): ReplicaId {
    this.#replicaId = newReplicaId(random);
    this.#stateChanged = true;
    return this.#replicaId;
  }

  *children(directory: RelativePath | undefined): Iterable<PathRecord> {
    for (const key of this.#tables.keys("children", this.#directoryKeyOf(directory))) {
      yield* this.#existing(key.slice(KEY_LENGTH));
    }
  }

  *presentIn(directory: RelativePath | undefined): Iterable<Presence> {
    for (const key of this.#tables.keys("children", this.#directoryKeyOf(directory))) {
      const bytes = this.#tables.get("records", key.slice(KEY_LENGTH));
      if (bytes !== undefined) yield parsePresence(bytes);
    }
  }

  listing(directory: RelativePath | undefined, rules: string): string {
    return this.#listings.expected(this.#directoryKeyOf(directory), rules);
  }

  noteListing(directory: RelativePath | undefined, rules: string, found: string): void {
    this.#listings.note(this.#directoryKeyOf(directory), rules, found);
  }

  *inSubtree(prefix: readonly number[]): Iterable<PathRecord> {
    for (const key of this.#tables.keys("records", String.fromCharCode(...prefix))) yield* this.#existing(key);
  }

  *pathsIn(prefix: readonly number[]): Iterable<RelativePath> {
    for (const key of this.#tables.keys("records", String.fromCharCode(...prefix))) yield* this.#existingPath(key);
  }

  *pending(): Iterable<RelativePath> {
    for (const key of this.#tables.keys("pending", "")) yield* this.#existingPath(key);
  }

  *locationsOf(contentId: ContentHash): Iterable<ContentLocation> {
    for (const key of this.#tables.keys("contents", halfOf(contentId))) {
      const place = this.#tables.get("contents", key);
      if (place?.[0] === IN_TRASH) {
        yield { kind: "trash", diskPath: Buffer.from(place.subarray(1)).toString() };
        continue;
      }
      for (const record of this.#existing(key.slice(KEY_LENGTH))) {
        if (contentOnDisk(record) === contentId) yield { kind: "tree", path: record.path };
      }
    }
  }

  putTrashLocation(contentId: ContentHash, diskPath: string): void {
    this.#tables.set(
      "contents",
      this.#trashKey(contentId, diskPath),
      Buffer.from(`${String.fromCharCode(IN_TRASH)}${diskPath}`),
    );
  }

  removeTrashLocation(contentId: ContentHash, diskPath: string): void {
    this.#tables.set("contents", this.#trashKey(contentId, diskPath), undefined);
  }

  manifest(contentId: ContentHash): Uint8Array | undefined {
    return this.#tables.get("manifests", keyOf(idBytes(contentId)));
  }

  putManifest(contentId: ContentHash, manifest: Uint8Array): void {
    invariant(manifest.length % MANIFEST_ITEM_BYTES === 0, "a manifest is a list of hashes and lengths");
    this.#tables.set("manifests", keyOf(idBytes(contentId)), Buffer.from(manifest));
  }

  putChunkLocations(contentId: ContentHash): void {
    const manifest = this.manifest(contentId);
    if (manifest === undefined) return;
    const bytes = Buffer.from(manifest);
    let offset = 0;
    for (let at = 0; at < bytes.length; at += MANIFEST_ITEM_BYTES) {
      const location = Buffer.alloc(CONTENT_HASH_BYTES + 8);
      location.set(idBytes(contentId));
      location.writeDoubleBE(offset, CONTENT_HASH_BYTES);
      this.#tables.set("chunks", keyOf(bytes.subarray(at, at + KEY_LENGTH)), location);
      offset += bytes.readUInt32BE(at + CONTENT_HASH_BYTES);
    }
  }

  chunkLocation(chunk: ContentHash): ChunkLocation | undefined {
    const bytes = this.#tables.get("chunks", halfOf(chunk));
    if (bytes === undefined) return undefined;
    const location = Buffer.from(bytes);
    return {
      contentId: contentHashFromBytes(location.subarray(0, CONTENT_HASH_BYTES)),
      offset: location.readDoubleBE(CONTENT_HASH_BYTES),
    };
  }

  *locations(): Iterable<LocationRow> {
    for (const key of this.#tables.keys("contents", "")) {
      const place = this.#tables.get("contents", key);
      if (place === undefined) continue;
      yield { key, inTrash: place[0] === IN_TRASH ? Buffer.from(place.subarray(1)).toString() : undefined };
    }
  }

  removeLocation({ key, inTrash }: LocationRow): void {
    if (inTrash !== undefined) this.#tables.set("contents", key, undefined);
  }

  *manifestIds(): Iterable<ContentHash> {
    for (const key of this.#tables.keys("manifests", "")) yield contentHashFromBytes(bytesOf(key));
  }

  isHeld(contentId: ContentHash): boolean {
    for (const _ of this.#tables.keys("contents", halfOf(contentId))) return true;
    return false;
  }

  removeManifest(contentId: ContentHash): void {
    const manifest = this.manifest(contentId);
    if (manifest === undefined) return;
    this.#tables.set("manifests", keyOf(idBytes(contentId)), undefined);
    for (let at = 0; at < manifest.length; at += MANIFEST_ITEM_BYTES) {
      const key = keyOf(manifest.subarray(at, at + KEY_LENGTH));
      const location = this.#tables.get("chunks", key);
      // The chunk may be part of another content, too, and then that was noted last.
      const isOurs =
        location !== undefined && Buffer.compare(location.subarray(0, CONTENT_HASH_BYTES), idBytes(contentId)) === 0;
      if (isOurs) this.#tables.set("chunks", key, undefined);
    }
  }

  mark(path: RelativePath, before: Entry): void {
    const key = this.#markKey(path);
    const earlier = this.#markAt(key)?.before ?? [];
    const row = { bootTag: this.#bootTag, before: [...earlier, before].slice(-MARK_ENTRIES_MAX) };
    this.#tables.set("marks", key, encodeMark(row));
  }

  unmark(path: RelativePath, expected?: Mark): void {
    const key = this.#markKey(path);
    const bytes = this.#tables.get("marks", key);
    if (bytes === undefined) return;
    if (expected !== undefined) {
      const bootTag = bytes.subarray(0, this.#bootTag.length);
      if (Buffer.compare(bytes, encodeMark({ bootTag, before: expected.before })) !== 0) return;
    }
    this.#tables.set("marks", key, undefined);
  }

  isMarked(path: RelativePath): boolean {
    return this.#tables.get("marks", this.#markKey(path)) !== undefined;
  }

  *marks(): Iterable<Mark> {
    for (const key of this.#tables.keys("marks", "")) yield* this.#existingMark(key);
  }

  *marksOfOtherBoots(): Iterable<Mark> {
    if (isSameBoot(loadMarksBoot(this.#tables), this.#bootTag)) return;
    saveMarksBoot(this.#tables, undefined);
    let areOurs = true;
    for (const key of this.#tables.keys("marks", "")) {
      const bytes = this.#tables.get("marks", key);
      if (bytes === undefined || isSameBoot(bytes.subarray(0, this.#bootTag.length), this.#bootTag)) continue;
      areOurs = false;
      yield* this.#existingMark(key);
    }
    if (areOurs) saveMarksBoot(this.#tables, this.#bootTag);
  }

  getMeta(name: string): Uint8Array | undefined {
    return this.#tables.get("meta", keyOf(Buffer.from(name)));
  }

  putMeta(name: string, value: Uint8Array): void {
    this.#tables.set("meta", keyOf(Buffer.from(name)), Uint8Array.from(value));
  }

  committed(): Promise<void> {
    return this.#tables.committed();
  }

  close(): Promise<void> {
    this.#onClose();
    return this.#tables.close();
  }

  /** Brings everything that follows from a record (invariant 1) from its old to its new state. */
  #replace(path: RelativePath, before: RecentRecord, after: RecentRecord): void {
    const { key, record } = after;
    const old = before.record;
    this.#recents.set(path, after);
    if (before.fingerprint !== after.fingerprint) {
      this.merkle.replace(Buffer.from(key, "latin1"), before.fingerprint, after.fingerprint);
    }

    if (old?.present !== record?.present || old?.signature !== record?.signature || old?.residue !== record?.residue) {
      this.#listings.change(this.#parentKeyOf(path), path, old, record);
      if (old?.present.live?.content.kind === "directory") this.#listings.forgetOthers(key);
    }
    if ((old === undefined) !== (record === undefined)) {
      this.#note("children", this.#parentKeyOf(path) + key, record !== undefined);
    }
    if (isPending(old) !== isPending(record)) {
      this.#note("pending", key, isPending(record));
      this.#pendingCount += isPending(record) ? 1 : -1;
    }
    const oldContent = contentOnDisk(old);
    const content = contentOnDisk(record);
    if (oldContent !== content) {
      if (oldContent !== undefined) this.#tables.set("contents", halfOf(oldContent) + key, undefined);
      if (content !== undefined) this.#tables.set("contents", halfOf(content) + key, Uint8Array.of(IN_TREE));
    }
    this.#liveCount += Number(isLive(record)) - Number(isLive(old));
    this.#stateChanged = true;
  }

  #note(table: TableName, key: string, there: boolean): void {
    this.#tables.set(table, key, there ? PRESENT : undefined);
  }

  /** Marks of one directory lie together. */
  #markKey(path: RelativePath): string {
    return this.#parentKeyOf(path) + this.#keyOf(path);
  }

  /** The mark, or nothing if its record was removed. */
  *#existingMark(key: string): Iterable<Mark> {
    const row = this.#markAt(key);
    if (row === undefined) return;
    const isOfThisBoot = isSameBoot(row.bootTag, this.#bootTag);
    for (const { path } of this.#existing(key.slice(KEY_LENGTH))) yield { path, before: row.before, isOfThisBoot };
  }

  #markAt(key: string): MarkRow | undefined {
    const bytes = this.#tables.get("marks", key);
    return bytes === undefined ? undefined : parseMark(bytes);
  }

  #saveState(): void {
    if (!this.#stateChanged) return;
    this.#stateChanged = false;
    saveMerkle(this.#tables, this.merkle);
    saveState(this.#tables, {
      replicaId: this.#replicaId,
      counter: this.#counter,
      liveCount: this.#liveCount,
      pendingCount: this.#pendingCount,
    });
  }

  #recent(path: RelativePath): RecentRecord {
    const known = this.#recents.get(path);
    if (known !== undefined) return known;
    const key = this.#keyOf(path);
    const bytes = this.#tables.get("records", key);
    const recent = {
      key,
      record: bytes === undefined ? undefined : parseRecord(bytes),
      fingerprint: bytes === undefined ? undefined : parseFingerprint(bytes),
      packedKnown: undefined,
    };
    this.#recents.set(path, recent);
    return recent;
  }

  #record(key: string): PathRecord | undefined {
    const bytes = this.#tables.get("records", key);
    return bytes === undefined ? undefined : parseRecord(bytes);
  }

  /** The record, or nothing if it was removed while somebody went through a list of keys. */
  *#existing(key: string): Iterable<PathRecord> {
    const record = this.#record(key);
    if (record !== undefined) yield record;
  }

  /** The same of its path alone, several times cheaper. */
  *#existingPath(key: string): Iterable<RelativePath> {
    const bytes = this.#tables.get("records", key);
    if (bytes !== undefined) yield parseRecordPath(bytes);
  }

  #keyOf(path: RelativePath): string {
    return this.#recents.get(path)?.key ?? keyOf(this.#fingerprinter.pathHash(path));
  }

  #directoryKeyOf(directory: RelativePath | undefined): string {
    return directory === undefined ? TOP_KEY : this.#keyOf(directory);
  }

  #parentKeyOf(path: RelativePath): string {
    const parent = parentOf(path);
    if (parent === undefined) return TOP_KEY;
    if (this.#parent?.path !== parent) this.#parent = { path: parent, key: this.#keyOf(parent) };
    return this.#parent.key;
  }

  #trashKey(contentId: ContentHash, diskPath: string): string {
    return halfOf(contentId) + keyOf(this.#hash(Buffer.from(diskPath))).slice(0, KEY_LENGTH);
  }
}

/** Half of a hash is as unlikely to occur twice as a path hash, and makes a key half as long. */
function halfOf(contentId: ContentHash): string {
  return keyOf(idBytes(contentId).subarray(0, KEY_LENGTH));
}
