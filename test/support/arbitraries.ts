// fast-check arbitraries of dsync's values: entries, paths, and histories of a few replicas.

import * as fc from "fast-check";
import type { ContentHash, ReplicaId } from "../../src/core/ids.ts";
import { COUNTER_MAX, FILE_SIZE_BYTES_MAX, STAMP_MS_MAX } from "../../src/core/limits.ts";
import { parsePath, type RelativePath } from "../../src/core/path.ts";
import type { Content, Entry, Version } from "../../src/index/entry.ts";
import type { VersionVector } from "../../src/index/version-vector.ts";
import { STEP_KINDS, replicaIdOf, type Step } from "./replica-world.ts";

/** Records are objects like any other, so that strict equality takes them for such. */
const PLAIN = { noNullPrototype: true } as const;

/** Small numbers, which meet often, and any up to `max`. */
function integerUpTo(max: number, min = 0): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min, max: Math.min(min + 3, max) }),
    fc.maxSafeInteger().map((n) => clamp(n, min, max)),
  );
}

function clamp(n: number, min: number, max: number): number {
  return Math.min(Math.max(n, min), max);
}

/** One of a few replicas, so that vectors overlap, or any. */
export const replicaIds: fc.Arbitrary<ReplicaId> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(3).map(replicaIdOf) },
  { weight: 1, arbitrary: hexOf(8) as fc.Arbitrary<ReplicaId> },
);

export const contents: fc.Arbitrary<Content> = fc.oneof(
  fc.record(
    {
      kind: fc.constant("file" as const),
      contentId: fc.oneof(
        fc.constantFrom("a", "b").map((c) => c.repeat(64)),
        hexOf(32),
      ) as fc.Arbitrary<ContentHash>,
      size: integerUpTo(FILE_SIZE_BYTES_MAX),
      mode: fc.nat(0o7777),
      mtimeUs: fc.maxSafeInteger(),
    },
    PLAIN,
  ),
  fc.record({ kind: fc.constant("directory" as const), mode: fc.nat(0o7777) }, PLAIN),
  fc.record(
    {
      kind: fc.constant("symlink" as const),
      target: fc.string({ unit: "binary", minLength: 1, maxLength: 20 }).map((text) => text.replaceAll("\0", "0")),
    },
    PLAIN,
  ),
);

export const vectors: fc.Arbitrary<VersionVector> = fc
  .uniqueArray(fc.tuple(replicaIds, integerUpTo(COUNTER_MAX, 1)), { selector: ([id]) => id, maxLength: 6 })
  .map((items) => items.toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** Well formed, though perhaps no honest history leads to it. */
export const entries: fc.Arbitrary<Entry> = vectors.chain((seen): fc.Arbitrary<Entry> => {
  const tombstone = fc.constant<Entry>({ seen, live: undefined });
  return seen.length === 0
    ? tombstone
    : fc.oneof({ weight: 1, arbitrary: tombstone }, { weight: 4, arbitrary: liveEntry(seen) });
});

export const versions: fc.Arbitrary<Version> = fc
  .tuple(replicaIds, integerUpTo(COUNTER_MAX, 1))
  .chain(([id, counter]) => versionOf([[id, counter]]));

function liveEntry(seen: VersionVector): fc.Arbitrary<Entry> {
  return versionOf(seen).map((live) => ({ seen, live }));
}

function versionOf(seen: VersionVector): fc.Arbitrary<Version> {
  return fc.record(
    {
      dot: fc
        .constantFrom(...seen)
        .chain(([replica, counter]) =>
          fc.record({ replica: fc.constant(replica), counter: integerUpTo(counter, 1) }, PLAIN),
        ),
      stamp: integerUpTo(STAMP_MS_MAX),
      author: fc.string({ unit: "binary", maxLength: 15 }),
      content: contents,
    },
    PLAIN,
  );
}

const names = fc.oneof(
  fc.constantFrom("a", "b.txt", ".bashrc", "archive.tar.gz", "no.ext.", "a.conflict-x-20250101-000000-abcd.txt"),
  fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
  fc.tuple(fc.constantFrom("x", "ü", "漢", "😀"), fc.nat(255)).map(([c, n]) => c.repeat(n)),
);

/** Any path, short and long, plain and odd. */
export const paths: fc.Arbitrary<RelativePath> = fc
  .array(names, { minLength: 1, maxLength: 20 })
  .map((components) => parsePath(components.join("/").normalize("NFC")))
  .filter((path) => path !== undefined);

/** What a few replicas do, hear and miss. */
export function histories(kinds: readonly Step["kind"][] = STEP_KINDS): fc.Arbitrary<Step[]> {
  const step = fc.record(
    {
      kind: fc.constantFrom(...kinds),
      replica: fc.nat(3),
      path: fc.nat(7),
      choice: fc.nat(999),
      elapsedMs: fc.constantFrom(0, 1, 700, 5000),
      mtimeAgeMs: fc.constantFrom(0, 10, 3000, 100_000),
    },
    PLAIN,
  );
  return fc.array(step, { maxLength: 60, size: "max" });
}

function hexOf(bytes: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString("hex"));
}
