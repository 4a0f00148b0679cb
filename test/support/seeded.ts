// Randomness for tests that must be replayed: one seed per run, from DSYNC_TEST_SEED if it is set.

/** The seed of this run, `usual` (or else a random one) unless one is given; tests print it when they fail. */
export function testSeed(usual?: number): number {
  const given = process.env["DSYNC_TEST_SEED"];
  return given === undefined ? (usual ?? Math.floor(Math.random() * 2 ** 31)) : Number(given);
}

/** A seeded source of numbers (a 32-bit mix of a running counter). */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform among the integers from 0 to `bound - 1`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % bound;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
}

/** Mulberry32: numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
