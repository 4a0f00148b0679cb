// Records: what travels on a connection after the handshake. docs/protocol.md, "Records".
//
// A record is [length: u24 big-endian][ciphertext][tag: 16]; the length counts ciphertext and tag, and is authenticated.
// The plaintext's first byte is the record's kind. The nonce is a counter, one for each direction, so a record that is
// changed, repeated, left out or moved does not open. What ends without a close record was cut off.

import { invariant } from "../core/assert.ts";
import { protocolError } from "../core/errors.ts";
import { RECORD_PLAINTEXT_BYTES_MAX, RECORDS_PER_KEY_MAX } from "../core/limits.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, type Aead, type AeadOpening } from "../handshake/aead.ts";
import { encodeClose, parseClose, type CloseReason } from "./record-close.ts";

export const RECORD_LENGTH_BYTES = 3;
/** Content of one data record: its plaintext but for the kind. */
export const RECORD_CONTENT_BYTES_MAX = RECORD_PLAINTEXT_BYTES_MAX - 1;

const KIND_DATA = 0;
const KIND_CLOSE = 1;
const DATA_HEAD = Uint8Array.of(KIND_DATA);
const CLOSE_HEAD = Uint8Array.of(KIND_CLOSE);

const SEALED_BYTES_MIN = 1 + AEAD_TAG_BYTES;
const SEALED_BYTES_MAX = RECORD_PLAINTEXT_BYTES_MAX + AEAD_TAG_BYTES;

export interface RecordKeyOptions {
  readonly aead: Aead;
  /** 32 bytes, for one direction of one channel. */
  readonly key: Uint8Array;
  /** Records that this key has sealed before. */
  readonly recordCount?: number;
}

/** Seals one direction's records, in order. */
export class RecordSealer {
  readonly #aead: Aead;
  readonly #key: Uint8Array;
  readonly #counter: NonceCounter;

  constructor({ aead, key, recordCount = 0 }: RecordKeyOptions) {
    this.#aead = aead;
    this.#key = key;
    this.#counter = new NonceCounter(recordCount);
  }

  /** `content`: at most {@link RECORD_CONTENT_BYTES_MAX} in all. Returns the record in pieces. */
  sealData(content: readonly Uint8Array[]): Uint8Array[] {
    return this.#seal([DATA_HEAD, ...content]);
  }

  sealClose(reason: CloseReason): Uint8Array[] {
    return this.#seal([CLOSE_HEAD, encodeClose(reason)]);
  }

  #seal(plaintext: readonly Uint8Array[]): Uint8Array[] {
    const bytes = plaintext.reduce((sum, piece) => sum + piece.length, AEAD_TAG_BYTES);
    invariant(bytes <= SEALED_BYTES_MAX, "a record's content is within its limit");
    const associatedData = Buffer.allocUnsafe(RECORD_LENGTH_BYTES);
    associatedData.writeUIntBE(bytes, 0, RECORD_LENGTH_BYTES);
    const { ciphertext, tag } = this.#aead.seal(
      { key: this.#key, nonce: this.#counter.next(), associatedData },
      plaintext,
    );
    return [associatedData, ...ciphertext, tag];
  }
}

export type OpenedRecord =
  | { readonly kind: "data"; readonly content: readonly Uint8Array[] }
  | { readonly kind: "close"; readonly reason: CloseReason };

/** A record whose length is known, and whose ciphertext and tag are arriving. */
interface ArrivingRecord {
  readonly opening: AeadOpening;
  ciphertextBytesLeft: number;
  readonly tag: ArrivingBytes;
}

/**
 * Opens the other direction's records, in order, however the bytes were cut on the way. What arrives is deciphered at
 * once, so that nobody has to keep it; nothing of a record is given away before its tag was checked.
 */
export class RecordOpener {
  readonly #aead: Aead;
  readonly #key: Uint8Array;
  readonly #counter: NonceCounter;
  readonly #opened: OpenedRecord[] = [];
  #length = new ArrivingBytes(RECORD_LENGTH_BYTES);
  #record: ArrivingRecord | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor({ aead, key, recordCount = 0 }: RecordKeyOptions) {
    this.#aead = aead;
    this.#key = key;
    this.#counter = new NonceCounter(recordCount);
  }

  /** Takes what arrived; does not keep it. */
  push(bytes: Uint8Array): void {
    try {
      for (let rest = bytes; rest.length > 0 && this.#failure === undefined;) {
        rest = rest.subarray(this.#record === undefined ? this.#takeLength(rest) : this.#takeBody(rest, this.#record));
      }
    } catch (error) {
      this.#failure = { error };
    }
  }

  /** The next whole record, or `undefined` until more bytes come. Throws a protocol error, after which it is useless. */
  next(): OpenedRecord | undefined {
    const record = this.#opened.shift();
    if (record === undefined && this.#failure !== undefined) throw this.#failure.error;
    return record;
  }

  /** Returns how many bytes it took; so does what follows. */
  #takeLength(bytes: Uint8Array): number {
    const taken = this.#length.take(bytes);
    if (!this.#length.isComplete) return taken;
    const associatedData = this.#length.bytes;
    this.#record = {
      ciphertextBytesLeft: parseLength(associatedData) - AEAD_TAG_BYTES,
      opening: this.#aead.open({ key: this.#key, nonce: this.#counter.next(), associatedData }),
      tag: new ArrivingBytes(AEAD_TAG_BYTES),
    };
    this.#length = new ArrivingBytes(RECORD_LENGTH_BYTES);
    return taken;
  }

  #takeBody(bytes: Uint8Array, record: ArrivingRecord): number {
    if (record.ciphertextBytesLeft > 0) {
      const piece = bytes.subarray(0, record.ciphertextBytesLeft);
      record.opening.update(piece);
      record.ciphertextBytesLeft -= piece.length;
      return piece.length;
    }
    const taken = record.tag.take(bytes);
    if (record.tag.isComplete) {
      const plaintext = record.opening.finish(record.tag.bytes);
      if (plaintext === undefined) throw protocolError("a record that does not open");
      this.#record = undefined;
      this.#opened.push(parsePlaintext(plaintext));
    }
    return taken;
  }
}

/** A few bytes of which it is known how many they will be. */
class ArrivingBytes {
  readonly bytes: Uint8Array;
  #filled = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  get isComplete(): boolean {
    return this.#filled === this.bytes.length;
  }

  /** Returns how many bytes it took. */
  take(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.bytes.length - this.#filled);
    this.bytes.set(taken, this.#filled);
    this.#filled += taken.length;
    return taken.length;
  }
}

function parseLength(bytes: Uint8Array): number {
  const length = Buffer.from(bytes.buffer, bytes.byteOffset, RECORD_LENGTH_BYTES).readUIntBE(0, RECORD_LENGTH_BYTES);
  // Before anything is kept or decrypted: the length of a forged record is not believed either.
  if (length < SEALED_BYTES_MIN || length > SEALED_BYTES_MAX) throw protocolError(`a record of ${length} bytes`);
  return length;
}

function parsePlaintext([first, ...rest]: readonly Uint8Array[]): OpenedRecord {
  invariant(first !== undefined && first.length > 0, "an opened record holds at least its kind");
  const content = [first.subarray(1), ...rest];
  switch (first[0]) {
    case KIND_DATA:
      return { kind: "data", content };
    case KIND_CLOSE:
      return { kind: "close", reason: parseClose(Buffer.concat(content)) };
    default:
      throw protocolError(`a record of unknown kind ${first[0]}`);
  }
}

/** Nonces: four zero bytes, then how many came before, as u64 little-endian (RFC 8439 §2.8 leaves the form to us). */
class NonceCounter {
  #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  next(): Uint8Array {
    if (this.#count >= RECORDS_PER_KEY_MAX) throw protocolError("more records than one key may seal");
    const nonce = Buffer.alloc(AEAD_NONCE_BYTES);
    nonce.writeUIntLE(this.#count++, 4, 6);
    return nonce;
  }
}
