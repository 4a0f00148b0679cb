// A look at the disk before content is fetched: what a person put there meanwhile may be that very content.
//
// Invariant: while the disk holds something at a path that the index does not know, nothing is fetched for it. It could
// not be put in place either (apply-job.ts sees to that); once it has been read, there may be nothing left to fetch.

import { CHUNK_SIZE_BYTES_MIN } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { PathRecord, StatSignature } from "../index/entry.ts";
import { signaturesEqual } from "../index/signature.ts";

export interface LookFirstOptions {
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly identity: RootIdentity;
  readonly toDisk: (path: RelativePath) => string;
  /** True while the whole folder is read. Otherwise small files are not worth a look. */
  readonly isScanning: () => boolean;
  /** The disk holds something else than the index says. */
  readonly onChangedOnDisk: (path: RelativePath) => void;
  /** It was looked: ask again. */
  readonly onDue: (path: RelativePath) => void;
  /** The folder has been read: ask again for all that was not allowed meanwhile. */
  readonly onScanned: () => void;
}

/** What is on the disk is read meanwhile, which makes its path due; this is for what cannot be read, or went away. */
const LOOK_AGAIN_MS = 5_000;
/** Outside a scan, what is there so long without being read is in the way, and shall be named as that. */
const LOOKS_MAX = 3;

export class LookFirst {
  readonly #options: LookFirstOptions;
  readonly #asked = new Set<RelativePath>();
  /** Looks under way, with what the index says: it may be put right meanwhile. */
  readonly #looking = new Map<RelativePath, StatSignature | undefined>();
  readonly #clear = new Set<RelativePath>();
  /** How often something else was there. */
  readonly #looks = new Map<RelativePath, number>();
  #isWaitingForScan = false;

  constructor(options: LookFirstOptions) {
    this.#options = options;
  }

  /** True if `size` bytes of content may be fetched for this path now. If not, the path is made due when they may. */
  allows({ path, signature }: PathRecord, size: number): boolean {
    if (size <= CHUNK_SIZE_BYTES_MIN && !this.#options.isScanning()) return true;
    if (this.#clear.delete(path)) return true;
    if (!this.#looking.has(path)) {
      if (this.#asked.size === 0) queueMicrotask(() => void this.#look());
      this.#asked.add(path);
    }
    this.#looking.set(path, signature);
    return false;
  }

  /** Nothing is to be fetched for this path any more. */
  forget(path: RelativePath): void {
    this.#clear.delete(path);
    this.#looks.delete(path);
  }

  async #look(): Promise<void> {
    const { jobs, clock, identity, toDisk, isScanning, onChangedOnDisk, onDue } = this.#options;
    const paths = [...this.#asked];
    this.#asked.clear();
    const request = { identity, paths: paths.map((path) => toDisk(path)) };
    // Whatever is wrong with the folder shows where it is changed.
    const result = await jobs.run("look", request, { urgent: true }).catch(() => undefined);
    const items = result?.kind === "looked" ? result.items : undefined;
    const others: RelativePath[] = [];
    for (const [index, path] of paths.entries()) {
      const isAsKnown = items === undefined || signaturesEqual(items[index]?.signature, this.#looking.get(path));
      this.#looking.delete(path);
      if (!isAsKnown && this.#isHeld(path)) others.push(path);
      else this.#clear.add(path);
    }
    for (const path of paths) if (this.#clear.has(path)) onDue(path);
    if (others.length === 0) return;
    // The scan comes to them, and many at once take it less time.
    if (isScanning()) return this.#waitForScan();
    for (const path of others) onChangedOnDisk(path);
    clock.after(LOOK_AGAIN_MS, () => others.forEach((path) => onDue(path)));
  }

  #waitForScan(): void {
    if (this.#isWaitingForScan) return;
    this.#isWaitingForScan = true;
    const { clock, isScanning, onScanned } = this.#options;
    clock.after(LOOK_AGAIN_MS, () => {
      this.#isWaitingForScan = false;
      if (isScanning()) this.#waitForScan();
      else onScanned();
    });
  }

  /** Something else is there. */
  #isHeld(path: RelativePath): boolean {
    if (this.#options.isScanning()) return true;
    const looks = (this.#looks.get(path) ?? 0) + 1;
    this.#looks.set(path, looks);
    return looks < LOOKS_MAX;
  }
}
