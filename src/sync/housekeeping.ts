// Clears up what nobody needs any more: staging of contents that are not wanted, old trash, and once a day what the index
// says of content that is nowhere. Whatever fails is done an hour later; nothing depends on it.

import type { DsyncEvent } from "../core/events.ts";
import type { ContentHash } from "../core/ids.ts";
import type { EmptyTrashReport } from "../core/reports.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { IndexStore } from "../index/index-store.ts";
import { cleanIndex } from "./clean-index.ts";

export interface HousekeepingOptions {
  readonly store: IndexStore;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly identity: RootIdentity;
  /** How long something stays in the trash. 0: no trash. */
  readonly trashDays: number;
  readonly emit: (event: DsyncEvent) => void;
}

const MS_PER_DAY = 86_400_000;
/** How often old trash is cleared. */
const SWEEP_INTERVAL_MS = 3_600_000;
/** The index is cleaned with the first of so many sweeps: once a day. */
const SWEEPS_PER_CLEANING = 24;

/** Before anything else uses staging: clears what an earlier run left there. Returns the wanted contents that it holds parts of. */
export async function clearStaging({
  store,
  jobs,
  identity,
  emit,
}: Pick<HousekeepingOptions, "store" | "jobs" | "identity" | "emit">): Promise<ReadonlySet<ContentHash>> {
  const { staged, problem } = await jobs.run("sweep", {
    root: identity.root,
    wanted: pendingContents(store),
    stagedBeforeMs: Number.POSITIVE_INFINITY,
    // The trash can wait until the first scan is over.
    trashBeforeMs: Number.NEGATIVE_INFINITY,
    trimAtMs: undefined,
  });
  if (problem !== undefined) emit({ kind: "warning", message: problem.message });
  return new Set(staged);
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #sweeps = 0;
  #isStopped = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** Sweeps every hour from now on, the first time in an hour. */
  start(): void {
    const { store, jobs, clock, identity } = this.#options;
    clock.after(SWEEP_INTERVAL_MS, () => {
      if (this.#isStopped) return;
      const nowMs = clock.now();
      const request = {
        root: identity.root,
        wanted: pendingContents(store),
        stagedBeforeMs: nowMs - SWEEP_INTERVAL_MS,
        trashBeforeMs: this.#trashBeforeMs,
        trimAtMs: nowMs,
      };
      jobs
        .run("sweep", request)
        .then(({ trimmed }) => {
          this.#noteTrimmed(trimmed);
          return this.#sweeps++ % SWEEPS_PER_CLEANING === 0 ? this.#cleanIndex() : undefined;
        })
        .catch(noSweep);
      this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Measuring the trash as well would take a while. */
  emptyOldTrash(): void {
    if (this.#isStopped) return;
    const { jobs, identity } = this.#options;
    const staging = { wanted: [], stagedBeforeMs: Number.NEGATIVE_INFINITY };
    const request = { root: identity.root, ...staging, trashBeforeMs: this.#trashBeforeMs, trimAtMs: undefined };
    jobs.run("sweep", request).catch(noSweep);
  }

  /** From before it, nothing stays in the trash. */
  get #trashBeforeMs(): number {
    return this.#options.clock.now() - this.#options.trashDays * MS_PER_DAY;
  }

  async #cleanIndex(): Promise<void> {
    const { store, jobs, clock, identity } = this.#options;
    const wanted = new Set(pendingContents(store));
    const nextTurn = async (): Promise<boolean> => {
      await new Promise<void>((resolve) => clock.after(0, resolve));
      return !this.#isStopped;
    };
    await cleanIndex({ store, jobs, identity, wanted, nextTurn });
  }

  #noteTrimmed({ files, bytes }: EmptyTrashReport): void {
    if (files === 0) return;
    const message =
      `The trash took most of what was free on the disk: its oldest ${files} files ` +
      `(${Math.ceil(bytes / 2 ** 20)} MiB) were removed before their time.`;
    this.#options.emit({ kind: "warning", message });
  }
}

/** What staging may hold parts of, for later. */
function pendingContents(store: IndexStore): readonly ContentHash[] {
  return [...store.pending()].flatMap((path) => {
    const content = store.get(path)?.known.live?.content;
    return content?.kind === "file" ? [content.contentId] : [];
  });
}

/** A sweep that was lost or could not be made is made an hour later. */
function noSweep(): void {}
