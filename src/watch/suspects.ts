// Paths that may differ from the index and wait to be looked at. Each waits once.

/** A path to look at, and why. */
export interface Suspect {
  /** Relative to the folder, in the disk's spelling. */
  readonly diskPath: string;
  /** Somebody waits for it: a hint, not a scan. */
  readonly isUrgent: boolean;
  /** Found by a scan that reads its children anyway. */
  readonly isWalked: boolean;
  /** It was gone, and this is the second look. */
  readonly isSecondLook: boolean;
  /** Its content is to be read even if its signature is the known one: it was as fresh as the clock is fine. */
  readonly isRacy: boolean;
  /** Looks before this one that did not settle it. */
  readonly attempt: number;
}

/** A suspect that nothing special is known of. */
export function suspect(diskPath: string, more: Partial<Omit<Suspect, "diskPath">> = {}): Suspect {
  const plain = { isUrgent: false, isWalked: false, isSecondLook: false, isRacy: false, attempt: 0 };
  return { diskPath, ...plain, ...more };
}

/**
 * The queue of suspects, urgent ones apart. A path that is being looked at waits until that look is over.
 * What has been taken must be given back with `done`.
 */
export class Suspects {
  readonly #waiting = { urgent: new Map<string, Suspect>(), bulk: new Map<string, Suspect>() };
  /** Paths being looked at, with what has come in for them meanwhile. */
  readonly #taken = new Map<string, Suspect | undefined>();

  get urgentCount(): number {
    return this.#waiting.urgent.size;
  }

  get bulkCount(): number {
    return this.#waiting.bulk.size;
  }

  get size(): number {
    return this.urgentCount + this.bulkCount + this.#taken.size;
  }

  add(added: Suspect): void {
    const { diskPath } = added;
    if (this.#taken.has(diskPath)) {
      this.#taken.set(diskPath, joined(this.#taken.get(diskPath), added));
      return;
    }
    const { urgent, bulk } = this.#waiting;
    const suspect = joined(urgent.get(diskPath) ?? bulk.get(diskPath), added);
    bulk.delete(diskPath);
    (suspect.isUrgent ? urgent : bulk).set(diskPath, suspect);
  }

  /** Takes up to `count`, in the order they came. */
  take(queue: "urgent" | "bulk", count: number): Suspect[] {
    const taken: Suspect[] = [];
    for (const suspect of this.#waiting[queue].values()) {
      if (taken.length >= count) break;
      taken.push(suspect);
    }
    for (const { diskPath } of taken) {
      this.#waiting[queue].delete(diskPath);
      this.#taken.set(diskPath, undefined);
    }
    return taken;
  }

  /** Takes this very path for the caller; false if somebody else is looking at it. */
  claim(diskPath: string): boolean {
    if (this.#taken.has(diskPath)) return false;
    this.#waiting.urgent.delete(diskPath);
    this.#waiting.bulk.delete(diskPath);
    this.#taken.set(diskPath, undefined);
    return true;
  }

  /** The look is over: what came in meanwhile waits again. */
  done(diskPath: string): void {
    const again = this.#taken.get(diskPath);
    this.#taken.delete(diskPath);
    if (again !== undefined) this.add(again);
  }

  /** Forgets what waits, not what is being looked at. */
  clear(): void {
    this.#waiting.urgent.clear();
    this.#waiting.bulk.clear();
    for (const diskPath of this.#taken.keys()) this.#taken.set(diskPath, undefined);
  }
}

/** One suspect for both, which are of the same path: whatever one of them asks for is done. */
export function joined(a: Suspect | undefined, b: Suspect): Suspect {
  if (a === undefined) return b;
  return {
    diskPath: a.diskPath,
    isUrgent: a.isUrgent || b.isUrgent,
    isWalked: a.isWalked && b.isWalked,
    isSecondLook: a.isSecondLook || b.isSecondLook,
    isRacy: a.isRacy || b.isRacy,
    attempt: Math.max(a.attempt, b.attempt),
  };
}
