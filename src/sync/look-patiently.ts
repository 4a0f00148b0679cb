// What paths hold, told before anything else happens: by looking at them, and reading what is worth it.

import type { HashOutcome } from "../content/hash-job.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { Content, StatSignature } from "../index/entry.ts";
import { fileContent } from "../watch/judge.ts";
import type { ScannedChild } from "../watch/scan-job.ts";

export interface LookOptions {
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly identity: RootIdentity;
}

/** What a path was found to hold; `signature`: of what is there. */
export type Found =
  | { readonly kind: "absent" }
  | { readonly kind: "there"; readonly content: Content; readonly signature: StatSignature }
  /** Not to be read, changing right now, or not worth reading: nothing can be said. */
  | { readonly kind: "unclear" };

/** Between the attempts to look at a path, or to read it. */
const RETRY_DELAYS_MS = [20, 200, 1_000];

/**
 * Looks at `diskPaths`, and reads the files that `isWorthReading` says; one result for each. What fails is tried again for
 * a second. `undefined`: the folder is another one.
 */
export async function lookPatiently(
  options: LookOptions,
  diskPaths: readonly string[],
  isWorthReading: (index: number, signature: StatSignature) => boolean,
): Promise<readonly Found[] | undefined> {
  const items = await lookAtAll(options, diskPaths);
  if (items === undefined) return undefined;
  const found = items.map((child) => foundWithoutReading(child));
  const toRead = found.flatMap((item, index) =>
    item.kind === "file" && isWorthReading(index, item.signature) ? [index] : [],
  );
  const files = toRead.map((index) => diskPaths[index] ?? "");
  const outcomes = await readAll(options, files);
  const read = new Map(toRead.map((index, position) => [index, outcomes[position]]));
  return found.map((item, index): Found => {
    if (item.kind !== "file") return item;
    const outcome = read.get(index);
    if (outcome?.kind !== "hashed") return { kind: "unclear" };
    const { contentId, signature } = outcome;
    return { kind: "there", content: fileContent(contentId, signature), signature };
  });
}

function lookAtAll(
  options: LookOptions,
  paths: readonly string[],
): Promise<readonly (ScannedChild | undefined)[] | undefined> {
  const { jobs, identity } = options;
  const look = async (some: readonly string[]): Promise<readonly (ScannedChild | undefined)[] | undefined> => {
    const result = await jobs.run("look", { identity, paths: some });
    return result.kind === "looked" ? result.items : undefined;
  };
  return patiently(options, paths, look, (child) => child?.problem !== undefined);
}

async function readAll(options: LookOptions, files: readonly string[]): Promise<readonly HashOutcome[]> {
  const { jobs, identity } = options;
  const read = async (some: readonly string[]): Promise<readonly HashOutcome[]> =>
    (await jobs.run("hash", { root: identity.root, files: some, inlineBytesMax: 0 })).outcomes;
  return (await patiently(options, files, read, ({ kind }) => kind !== "hashed")) ?? [];
}

/**
 * What `look` finds at `paths`, one for each; `undefined`: it cannot be asked. What fails is tried again for a second: a
 * virus scanner may just look at it. Nothing can be told of what fails still.
 */
export async function patiently<Found>(
  { clock }: LookOptions,
  paths: readonly string[],
  look: (paths: readonly string[]) => Promise<readonly Found[] | undefined>,
  hasFailed: (found: Found) => boolean,
): Promise<readonly Found[] | undefined> {
  const first = paths.length === 0 ? [] : await look(paths);
  if (first === undefined) return undefined;
  const found = [...first];
  for (const delayMs of RETRY_DELAYS_MS) {
    const failed = found.flatMap((one, index) => (hasFailed(one) ? [index] : []));
    if (failed.length === 0) break;
    await new Promise<void>((resolve) => clock.after(delayMs, resolve));
    const again = await look(failed.map((index) => paths[index] ?? ""));
    if (again === undefined) return undefined;
    for (const [position, index] of failed.entries()) found.splice(index, 1, ...again.slice(position, position + 1));
  }
  return found;
}

function foundWithoutReading(
  child: ScannedChild | undefined,
): Found | { readonly kind: "file"; readonly signature: StatSignature } {
  if (child === undefined) return { kind: "absent" };
  const { signature, target = "" } = child;
  if (child.problem !== undefined || signature === undefined) return { kind: "unclear" };
  const { kind, mode } = signature;
  if (kind === "file") return { kind, signature };
  return { kind: "there", signature, content: kind === "directory" ? { kind, mode } : { kind, target } };
}
