// The Merkle tree over the known entries (docs/protocol.md, Merkle tree): a root, 256 children, 256 buckets below each.
// The first two bytes of a path's hash pick its bucket; a node's fingerprint is the sum of its entries' fingerprints, as
// 128-bit little-endian numbers mod 2^128. It knows no entries: whoever changes one says what goes and what comes.
//
// Invariant: the root is the sum of the children, and each child the sum of its 256 buckets.

/** Bytes of a path hash, and of a fingerprint. */
export const FINGERPRINT_BYTES = 16;
export const CHILDREN_PER_NODE = 256;
/** Bytes of the fingerprints of one node's children: what is compared and stored as a unit. */
export const PAGE_BYTES = CHILDREN_PER_NODE * FINGERPRINT_BYTES;

/** About 1 MiB, whatever it covers. */
export class MerkleTree {
  readonly #root = new Uint8Array(FINGERPRINT_BYTES);
  readonly #children = new Uint8Array(PAGE_BYTES);
  readonly #buckets = new Uint8Array(CHILDREN_PER_NODE * PAGE_BYTES);
  readonly #dirtyPages = new Uint8Array(CHILDREN_PER_NODE);

  /** The tree with these pages (see {@link exportPage}); pages that are not given are zero. None is dirty. */
  static fromPages(pages: Iterable<readonly [first: number, page: Uint8Array]>): MerkleTree {
    const tree = new MerkleTree();
    for (const [first, page] of pages) tree.#importPage(first, page);
    return tree;
  }

  /** One entry's fingerprint changes from `before` to `after`; `undefined`: it was, or is no longer, there. */
  replace(pathHash: Uint8Array, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    const [first = 0, second = 0] = pathHash;
    const bucket = first * PAGE_BYTES + second * FINGERPRINT_BYTES;
    exchange(this.#root, 0, before, after);
    exchange(this.#children, first * FINGERPRINT_BYTES, before, after);
    exchange(this.#buckets, bucket, before, after);
    this.#dirtyPages[first] = 1;
  }

  /** A copy of the root's fingerprint. */
  root(): Uint8Array {
    return this.#root.slice();
  }

  /** The root's fingerprint as 32 hex digits. */
  get rootHex(): string {
    return Buffer.from(this.#root).toString("hex");
  }

  /** A copy of the fingerprint of the node at `prefix`: up to 2 bytes. */
  fingerprint(prefix: readonly number[]): Uint8Array {
    const [first, second] = prefix;
    if (first === undefined) return this.root();
    if (second === undefined) return slice(this.#children, first * FINGERPRINT_BYTES, FINGERPRINT_BYTES);
    return slice(this.#buckets, first * PAGE_BYTES + second * FINGERPRINT_BYTES, FINGERPRINT_BYTES);
  }

  /** A copy of the 256 fingerprints below the node at `prefix`: up to 1 byte. */
  children(prefix: readonly number[]): Uint8Array {
    const [first] = prefix;
    return first === undefined ? this.#children.slice() : this.exportPage(first);
  }

  /** A copy of the bucket fingerprints below child `first`, for storing. */
  exportPage(first: number): Uint8Array {
    return slice(this.#buckets, first * PAGE_BYTES, PAGE_BYTES);
  }

  /** The pages that changed since the last call, ascending. */
  takeDirtyPages(): number[] {
    const pages: number[] = [];
    for (const [first, dirty] of this.#dirtyPages.entries()) if (dirty !== 0) pages.push(first);
    this.#dirtyPages.fill(0);
    return pages;
  }

  #importPage(first: number, page: Uint8Array): void {
    if (!Number.isInteger(first) || first < 0 || first >= CHILDREN_PER_NODE || page.length !== PAGE_BYTES) {
      throw new RangeError(`Expected a Merkle page of ${PAGE_BYTES} bytes, got page ${first} of ${page.length}.`);
    }
    this.#buckets.set(page, first * PAGE_BYTES);
    for (let offset = 0; offset < PAGE_BYTES; offset += FINGERPRINT_BYTES) {
      add(this.#children, first * FINGERPRINT_BYTES, page, offset);
      add(this.#root, 0, page, offset);
    }
  }
}

function slice(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return bytes.slice(start, start + length);
}

function exchange(
  node: Uint8Array,
  offset: number,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): void {
  if (before !== undefined) subtract(node, offset, before);
  if (after !== undefined) add(node, offset, after, 0);
}

function add(node: Uint8Array, offset: number, terms: Uint8Array, termOffset: number): void {
  let carry = 0;
  for (let i = 0; i < FINGERPRINT_BYTES; i++) {
    const sum = (node[offset + i] ?? 0) + (terms[termOffset + i] ?? 0) + carry;
    node[offset + i] = sum;
    carry = sum >> 8;
  }
}

function subtract(node: Uint8Array, offset: number, term: Uint8Array): void {
  let borrow = 0;
  for (let i = 0; i < FINGERPRINT_BYTES; i++) {
    const difference = (node[offset + i] ?? 0) - (term[i] ?? 0) - borrow;
    node[offset + i] = difference;
    borrow = difference < 0 ? 1 : 0;
  }
}
