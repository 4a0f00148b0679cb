// Randomness, as an argument: the system's here, a seeded one in tests.

import { randomBytes } from "node:crypto";

/** A source of random bytes and numbers. */
export interface Random {
  /** `length` fresh bytes, fit for keys when the source is {@link systemRandom}. */
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1): for jitter, not for secrets. */
  fraction(): number;
}

/** The operating system's cryptographic source. */
export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  fraction: () => Math.random(),
};
