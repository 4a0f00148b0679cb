// What a scan finds in each directory if everything is as the index says (decision 0024): the sum of what is present, which
// follows every change of a record, and of what else was there when a scan last compared it (ignored files, mostly).
//
// Invariants:
// 1. The sum of a directory changes with every change of a record that a comparison with the disk could tell.
// 2. The rest (`others`) is the difference between what the disk showed and the sum, at a moment at which a comparison of
//    the two, under these rules, said that nothing is to be looked at.
// So where the disk shows sum and rest again, under the same rules, a comparison would say so again.

import { baseName, type RelativePath } from "../core/path.ts";
import type { PathRecord, StatSignature } from "./entry.ts";
import {
  addSum,
  emptySum,
  hashOfChild,
  isEmptySum,
  LISTING_SUM_BYTES,
  subtractSum,
  sumFromBytes,
  sumToKey,
  type ListingSum,
  type OddState,
} from "./listing-sum.ts";
import { bytesOf, keyOf, type Tables } from "./tables.ts";

/** Before the key of a directory, in the table `state`. */
const LISTING_KEY = "listing ";
/** Files come directory by directory, from several at a time. */
const REMEMBERED_MAX = 256;
const RULES_BYTES = 16;

interface Listing {
  readonly present: ListingSum;
  readonly others: Others | undefined;
}

interface Others {
  /** Half a hash of them, one byte per character. */
  readonly rules: string;
  readonly sum: ListingSum;
}

export class Listings {
  readonly #tables: Tables;
  readonly #hash: (bytes: Uint8Array) => Uint8Array;
  /** By key of the directory. */
  readonly #remembered = new Map<string, Listing>();
  /** The rules that were asked for last, which are mostly those that are asked for next. */
  #rules: { readonly text: string; readonly key: string } | undefined;

  /** `hash`: BLAKE3, or at least 16 bytes of something like it. */
  constructor(tables: Tables, hash: (bytes: Uint8Array) => Uint8Array) {
    this.#tables = tables;
    this.#hash = hash;
  }

  /** What a scan finds: see `IndexStore.listing`. */
  expected(directoryKey: string, rules: string): string {
    const { present, others } = this.#listing(directoryKey);
    if (others?.rules !== this.#keyOfRules(rules)) return sumToKey(present);
    const sum = present.slice();
    addSum(sum, others.sum);
    return sumToKey(sum);
  }

  /** A scan found `found`, and all is as the index says. */
  note(directoryKey: string, rules: string, found: string): void {
    const { present } = this.#listing(directoryKey);
    const sum = sumFromBytes(bytesOf(found));
    subtractSum(sum, present);
    this.#save(directoryKey, {
      present,
      others: isEmptySum(sum) ? undefined : { rules: this.#keyOfRules(rules), sum },
    });
  }

  /** A record directly inside of the directory changes. */
  change(
    directoryKey: string,
    path: RelativePath,
    before: PathRecord | undefined,
    after: PathRecord | undefined,
  ): void {
    const { present: old, others } = this.#listing(directoryKey);
    const present = old.slice();
    const name = baseName(path);
    const [had, has] = [stateOf(before), stateOf(after)];
    if (had !== undefined) subtractSum(present, hashOfChild(name, had));
    if (has !== undefined) addSum(present, hashOfChild(name, has));
    this.#save(directoryKey, { present, others });
  }

  /** The directory itself is another one, or gone: what else is in it is not known. */
  forgetOthers(directoryKey: string): void {
    const { present, others } = this.#listing(directoryKey);
    if (others !== undefined) this.#save(directoryKey, { present, others: undefined });
  }

  /** Gives memory back. */
  release(): void {
    this.#remembered.clear();
  }

  #keyOfRules(rules: string): string {
    if (this.#rules?.text !== rules) {
      this.#rules = { text: rules, key: keyOf(this.#hash(Buffer.from(rules)).subarray(0, RULES_BYTES)) };
    }
    return this.#rules.key;
  }

  #listing(directoryKey: string): Listing {
    const known = this.#remembered.get(directoryKey);
    if (known !== undefined) return known;
    const listing = parseListing(this.#tables.get("state", LISTING_KEY + directoryKey));
    this.#remember(directoryKey, listing);
    return listing;
  }

  #save(directoryKey: string, listing: Listing): void {
    this.#remember(directoryKey, listing);
    const { present, others } = listing;
    const isNothing = others === undefined && isEmptySum(present);
    this.#tables.set("state", LISTING_KEY + directoryKey, isNothing ? undefined : encodeListing(listing));
  }

  #remember(directoryKey: string, listing: Listing): void {
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(directoryKey, listing);
  }
}

/** What a comparison of the path with the disk depends on; `undefined` if nothing is expected there. */
function stateOf(record: PathRecord | undefined): StatSignature | OddState | undefined {
  if (record === undefined) return undefined;
  if (record.residue) return "residue";
  return record.present.live === undefined ? undefined : (record.signature ?? "unsigned");
}

/** Sum, and then, if there is more: rules and sum of the others. */
function encodeListing({ present, others }: Listing): Uint8Array {
  return bytesOf(sumToKey(present) + (others === undefined ? "" : others.rules + sumToKey(others.sum)));
}

function parseListing(bytes: Uint8Array | undefined): Listing {
  if (bytes === undefined) return { present: emptySum(), others: undefined };
  const present = sumFromBytes(bytes);
  if (bytes.length === LISTING_SUM_BYTES) return { present, others: undefined };
  const sumAt = LISTING_SUM_BYTES + RULES_BYTES;
  const rules = keyOf(bytes.subarray(LISTING_SUM_BYTES, sumAt));
  return { present, others: { rules, sum: sumFromBytes(bytes.subarray(sumAt)) } };
}
