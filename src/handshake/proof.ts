// The second message of each side: its identity key and a signature over the transcript, and from the client what opens
// its challenge (verification.ts), sealed. 112 bytes from the server, 144 from the client.
// Each proof key seals one proof, so the nonce is zero; the keys come from the transcript, so nothing is associated.

import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, openSealed, type Aead } from "./aead.ts";
import type { Curves } from "./curves.ts";
import type { Role } from "./hello.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type Identity } from "./identity.ts";
import { OPENING_BYTES } from "./verification.ts";

const SIGNED_BYTES = PUBLIC_KEY_BYTES + SIGNATURE_BYTES;
export const SERVER_PROOF_BYTES = SIGNED_BYTES + AEAD_TAG_BYTES;
export const CLIENT_PROOF_BYTES = SERVER_PROOF_BYTES + OPENING_BYTES;

const NONCE = new Uint8Array(AEAD_NONCE_BYTES);
const NO_BYTES = new Uint8Array(0);

/** What a proof is bound to. */
export interface ProofContext {
  readonly aead: Aead;
  readonly curves: Curves;
  readonly key: Uint8Array;
  /** Whose proof it is. */
  readonly role: Role;
  readonly transcriptHash: Uint8Array;
}

/** `opening`: the client's alone, 32 bytes. */
export function sealProof(identity: Identity, context: ProofContext, opening: Uint8Array = NO_BYTES): Uint8Array {
  const signature = identity.sign(signedBytes(context, identity.publicKey));
  const { ciphertext, tag } = context.aead.seal(aeadContext(context.key), [identity.publicKey, signature, opening]);
  return Buffer.concat([...ciphertext, tag]);
}

/** The other side's proven public key, or what is wrong with its proof. `opening`: empty in a server's. */
export type OpenedProof =
  | { readonly kind: "proven"; readonly publicKey: Uint8Array; readonly opening: Uint8Array }
  | { readonly kind: "bad-proof" | "bad-signature" };

/** `proof`: exactly as long as that role's are. */
export function openProof(proof: Uint8Array, context: ProofContext): OpenedProof {
  const plaintextBytes = proof.length - AEAD_TAG_BYTES;
  const sealed = { ciphertext: [proof.subarray(0, plaintextBytes)], tag: proof.subarray(plaintextBytes) };
  const opened = openSealed(context.aead, aeadContext(context.key), sealed);
  if (opened === undefined) return { kind: "bad-proof" };
  const plaintext = Buffer.concat(opened);
  const publicKey = plaintext.subarray(0, PUBLIC_KEY_BYTES);
  const signature = plaintext.subarray(PUBLIC_KEY_BYTES, SIGNED_BYTES);
  const valid = context.curves.ed25519.isValid({ publicKey, message: signedBytes(context, publicKey), signature });
  if (!valid) return { kind: "bad-signature" };
  return { kind: "proven", publicKey, opening: plaintext.subarray(SIGNED_BYTES) };
}

function signedBytes({ role, transcriptHash }: ProofContext, publicKey: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`dsync ${role} proof`), transcriptHash, publicKey]);
}

function aeadContext(key: Uint8Array) {
  return { key, nonce: NONCE, associatedData: NO_BYTES };
}
