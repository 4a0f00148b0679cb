// The files of a round whose content has to be read.

import type { HashOutcome } from "../content/hash-job.ts";
import type { ContentHash } from "../core/ids.ts";
import { CHUNK_SIZE_BYTES_MIN, HASH_IN_PARTS_BYTES_MIN } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { PathRecord } from "../index/entry.ts";
import type { Fact } from "./gather.ts";
import { batchesOf } from "./hash-batches.ts";
import { hashLargeFile } from "./hash-large.ts";
import { fileContent, observationOf, quietDelayMs, racyDelayMs, readDelayMs } from "./judge.ts";
import { withKnownMode } from "./known-mode.ts";
import type { Observation } from "./observation.ts";
import { hasParent, heldIfTrue, type ChangedFile, type Held, type RoundContext } from "./round-context.ts";
import { suspect } from "./suspects.ts";

/** Reads files of unknown content in batches, and reports each batch when it has been read. */
export async function hashFilesInBatches(context: RoundContext, files: readonly ChangedFile[]): Promise<void> {
  const ready = files.filter(({ fact, signature }) => {
    const delayMs = readDelayMs(signature, context.nowMs());
    if (delayMs > 0) context.retryAfter(fact.suspect, delayMs);
    return delayMs === 0 && !(fact.suspect.isWalked && context.defer(fact.suspect));
  });
  for (const batch of batchesOf(ready, ({ signature }) => signature.size)) {
    const isUrgent = batch.some(({ fact }) => fact.suspect.isUrgent);
    const outcomes = await hashBatch(context, batch, isUrgent);
    await context.deliver(() =>
      batch.flatMap(({ fact }, index) => {
        const outcome = outcomes[index];
        const held = heldIfTrue(context, fact);
        if (outcome === undefined || held === undefined || !hasParent(context, fact, NOTHING_YET)) return [];
        return reportHashed(context, { fact, outcome, held });
      }),
    );
  }
}

async function hashBatch(
  context: RoundContext,
  batch: readonly ChangedFile[],
  isUrgent: boolean,
): Promise<readonly HashOutcome[]> {
  const { jobs, identity } = context;
  const files = batch.map(({ fact }) => fact.suspect.diskPath);
  const known = manifestsOf(context, batch);
  const [file, signature] = [files[0], batch[0]?.signature];
  // No batch holds others beside a file of that size.
  if (file !== undefined && signature !== undefined && signature.size >= HASH_IN_PARTS_BYTES_MIN) {
    const large = { root: identity.root, file, signature, known: known.get(file) };
    return [await hashLargeFile(context, large, { urgent: isUrgent })];
  }
  const inlineBytesMax = isUrgent ? context.inlineBytesMax : 0;
  const request = { root: identity.root, files, inlineBytesMax, known };
  return (await jobs.run("hash", request, { urgent: isUrgent })).outcomes;
}

/** The manifests of what these files held so far, as far as they had several chunks. */
function manifestsOf({ store }: RoundContext, files: readonly ChangedFile[]): ReadonlyMap<string, Uint8Array> {
  const manifests = new Map<string, Uint8Array>();
  for (const { fact } of files) {
    const content = store.get(fact.path)?.present.live?.content;
    if (content?.kind !== "file" || content.size <= CHUNK_SIZE_BYTES_MIN) continue;
    const manifest = store.manifest(content.contentId);
    if (manifest !== undefined) manifests.set(fact.suspect.diskPath, manifest);
  }
  return manifests;
}

const NOTHING_YET: ReadonlyMap<RelativePath, Observation> = new Map();

interface Hashed {
  readonly fact: Fact;
  readonly outcome: HashOutcome;
  readonly held: Held;
}

function reportHashed(context: RoundContext, { fact, outcome, held }: Hashed): readonly Observation[] {
  const { path, suspect: looked } = fact;
  switch (outcome.kind) {
    case "unsettled":
      context.retry(looked);
      return [];
    case "problem":
      context.onProblem(looked, outcome.problem);
      return [];
    case "hashed": {
      const { contentId, signature, manifest, inline } = outcome;
      const quietMs = quietDelayMs(signature, context.nowMs());
      if (quietMs > 0) {
        context.retryAfter(looked, quietMs);
        return [];
      }
      context.onSolved(looked.diskPath);
      const delayMs = looked.isRacy ? 0 : racyDelayMs(signature, context.nowMs());
      if (delayMs > 0)
        context.retryAfter(suspect(looked.diskPath, { isUrgent: looked.isUrgent, isRacy: true }), delayMs);
      const content = withKnownMode({
        content: fileContent(contentId, signature),
        signature,
        record: held.record,
        from: context.keepsModes ? undefined : sourceOf(context, fact, contentId),
        keepsModes: context.keepsModes,
      });
      const seen = { path, content, signature, manifest, inline, movedFrom: undefined };
      const observation = observationOf(held.record, seen);
      return observation === undefined ? [] : [observation];
    }
  }
}

/** The record of the path that this file was moved from, where nobody has looked yet, so that it seems to be there. */
function sourceOf({ store }: RoundContext, { path, child }: Fact, contentId: ContentHash): PathRecord | undefined {
  for (const location of store.locationsOf(contentId)) {
    if (location.kind !== "tree" || location.path === path) continue;
    const record = store.get(location.path);
    // Its content is proved: no need to prove that it is no new file.
    if (record?.signature !== undefined && record.signature.inode === child?.signature?.inode) return record;
  }
  return undefined;
}
