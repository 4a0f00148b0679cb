// Authenticated encryption: ChaCha20-Poly1305 (RFC 8439 §2.8) behind one interface. The twins behind it are in
// aead-native.ts and aead-noble.ts.

export const AEAD_KEY_BYTES = 32;
export const AEAD_NONCE_BYTES = 12;
export const AEAD_TAG_BYTES = 16;

/** What both directions need. A nonce is used once for each key. */
export interface AeadContext {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  /** Authenticated with the text, not sent with it. */
  readonly associatedData: Uint8Array;
}

/** What sealing returns and opening takes. */
export interface Sealed {
  /** Together as long as the plaintext. */
  readonly ciphertext: readonly Uint8Array[];
  /** 16 bytes. */
  readonly tag: Uint8Array;
}

/** Texts come in pieces, so that nobody has to join them first; the cut means nothing. Inputs are not changed or kept. */
export interface Aead {
  readonly name: "native" | "portable";
  seal(context: AeadContext, plaintext: readonly Uint8Array[]): Sealed;
  /** Returns the plaintext, or `undefined` if anything differs from what was sealed. */
  open(context: AeadContext, sealed: Sealed): readonly Uint8Array[] | undefined;
}
