// Merkle comparison with one peer (docs/protocol.md, Comparison): every message can be answered on its own, so nothing has to be kept
// but a count of questions that are still open. Pure but for the store that it reads.

import type { RelativePath } from "../core/path.ts";
import type { IndexStore } from "../index/index-store.ts";
import type { Fingerprinter } from "../index/fingerprint.ts";
import { CHILDREN_PER_NODE, FINGERPRINT_BYTES } from "../index/merkle.ts";
import type { ChildrenMessage, SummaryMessage, WantMessage } from "../pool/messages.ts";

/** What follows from one message of the peer. */
export interface ComparisonStep {
  /** Questions back to the peer. */
  readonly questions: readonly (ChildrenMessage | SummaryMessage | WantMessage)[];
  /** Subtrees that the peer has nothing of: it gets all our entries there. */
  readonly subtrees: readonly (readonly number[])[];
  /** Single entries that the peer lacks or has otherwise. */
  readonly paths: readonly RelativePath[];
}

const SUMMARY_ITEM_BYTES = 2 * FINGERPRINT_BYTES;

/** The question that starts a comparison. */
export function firstQuestion(store: IndexStore): ChildrenMessage {
  return { type: "children", prefix: [], fingerprints: store.merkle.children([]) };
}

/** Compares the children of one node. Where one side has nothing, entries follow at once; where both differ, it goes deeper. */
export function compareChildren(
  store: IndexStore,
  fingerprinter: Fingerprinter,
  message: ChildrenMessage,
): ComparisonStep {
  const ours = store.merkle.children(message.prefix);
  const questions: (ChildrenMessage | SummaryMessage | WantMessage)[] = [];
  const subtrees: number[][] = [];
  const wanted: number[][] = [];
  for (let child = 0; child < CHILDREN_PER_NODE; child++) {
    const own = fingerprintAt(ours, child);
    const their = fingerprintAt(message.fingerprints, child);
    if (Buffer.compare(own, their) === 0) continue;
    const prefix = [...message.prefix, child];
    if (isZero(their)) subtrees.push(prefix);
    else if (isZero(own)) wanted.push(prefix);
    else questions.push(deeper(store, fingerprinter, prefix));
  }
  if (wanted.length > 0) questions.unshift({ type: "want", prefixes: wanted, hashes: new Uint8Array(0) });
  return { questions, subtrees, paths: [] };
}

/** Compares one bucket: sends what the peer lacks or has otherwise, asks for what it has and we do not, or otherwise. */
export function compareSummary(
  store: IndexStore,
  fingerprinter: Fingerprinter,
  message: SummaryMessage,
): ComparisonStep {
  const theirs = new Map<string, Uint8Array>();
  for (let start = 0; start < message.items.length; start += SUMMARY_ITEM_BYTES) {
    const item = Buffer.from(message.items.subarray(start, start + SUMMARY_ITEM_BYTES));
    theirs.set(item.toString("latin1", 0, FINGERPRINT_BYTES), item.subarray(FINGERPRINT_BYTES));
  }
  const paths: RelativePath[] = [];
  const wanted: Buffer[] = [];
  for (const record of store.inSubtree(message.prefix)) {
    const key = Buffer.from(fingerprinter.pathHash(record.path));
    const their = theirs.get(key.toString("latin1"));
    theirs.delete(key.toString("latin1"));
    const own = fingerprinter.entryFingerprint(record.path, record.known);
    if (their !== undefined && Buffer.compare(own, their) === 0) continue;
    paths.push(record.path);
    if (their !== undefined) wanted.push(key);
  }
  for (const key of theirs.keys()) wanted.push(Buffer.from(key, "latin1"));
  const question: WantMessage = { type: "want", prefixes: [], hashes: Buffer.concat(wanted) };
  return { questions: wanted.length > 0 ? [question] : [], subtrees: [], paths };
}

/** Entries that the peer asked for. */
export function answerWant(store: IndexStore, message: WantMessage): ComparisonStep {
  const paths: RelativePath[] = [];
  for (let start = 0; start < message.hashes.length; start += FINGERPRINT_BYTES) {
    const record = store.byPathHash(message.hashes.subarray(start, start + FINGERPRINT_BYTES));
    if (record !== undefined) paths.push(record.path);
  }
  return { questions: [], subtrees: distinct(message.prefixes), paths };
}

function distinct(prefixes: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return [...new Map(prefixes.map((prefix) => [prefix.join(), prefix])).values()];
}

function deeper(
  store: IndexStore,
  fingerprinter: Fingerprinter,
  prefix: readonly number[],
): ChildrenMessage | SummaryMessage {
  const [first, second] = prefix;
  if (first === undefined || second === undefined) {
    return { type: "children", prefix, fingerprints: store.merkle.children(prefix) };
  }
  const items: Uint8Array[] = [];
  for (const record of store.inSubtree(prefix)) {
    items.push(fingerprinter.pathHash(record.path), fingerprinter.entryFingerprint(record.path, record.known));
  }
  return { type: "summary", prefix: [first, second], items: Buffer.concat(items) };
}

function fingerprintAt(fingerprints: Uint8Array, child: number): Uint8Array {
  return fingerprints.subarray(child * FINGERPRINT_BYTES, (child + 1) * FINGERPRINT_BYTES);
}

function isZero(fingerprint: Uint8Array): boolean {
  return fingerprint.every((byte) => byte === 0);
}
