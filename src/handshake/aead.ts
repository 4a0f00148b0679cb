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

/** What sealing returns. */
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
  open(context: AeadContext): AeadOpening;
}

/** One text on its way to being opened, as its bytes arrive. */
export interface AeadOpening {
  /** Takes the next piece of ciphertext; does not keep it. */
  update(ciphertext: Uint8Array): void;
  /** Called once, at the end. Returns the plaintext, or `undefined` if anything differs from what was sealed. */
  finish(tag: Uint8Array): readonly Uint8Array[] | undefined;
}

/** Opens what is there as a whole. */
export function openSealed(
  aead: Aead,
  context: AeadContext,
  { ciphertext, tag }: Sealed,
): readonly Uint8Array[] | undefined {
  const opening = aead.open(context);
  for (const piece of ciphertext) opening.update(piece);
  return opening.finish(tag);
}
