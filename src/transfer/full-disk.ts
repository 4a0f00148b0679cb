// The time in which nothing can be written, since the disk is full: from the first operation that says so until there is room.

import type { Problem } from "../core/problem.ts";
import { waitForRoom, type WaitForRoomOptions } from "./room.ts";

export interface FullDiskOptions extends WaitForRoomOptions {
  /** It is full: nothing is to be written. */
  readonly onFull: (problem: Problem) => void;
  /** There is room again, or may be. */
  readonly onRoom: () => void;
}

export class FullDisk {
  readonly #options: FullDiskOptions;
  #isFull = false;

  constructor(options: FullDiskOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Something could not be written: waits until there is room, however often that is said. */
  note(problem: Problem): void {
    const { isStopped, onFull, onRoom } = this.#options;
    if (this.#isFull || isStopped()) return;
    this.#isFull = true;
    onFull(problem);
    void waitForRoom(this.#options).then(() => {
      this.#isFull = false;
      if (!isStopped()) onRoom();
    });
  }
}
