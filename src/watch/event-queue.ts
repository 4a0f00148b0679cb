// Notices that the kernel's queue of events may have overflowed: libuv reads the kernel's word of that, and drops it.
//
// That queue is read until it is empty, all in one turn of the event loop. So events get lost only where a turn brings
// about as many as the queue holds; how many there are in a second says nothing. Some of them are told to nobody, because
// their watches were closed meanwhile: a part of the queue's length counts as all of it.

import fs from "node:fs";
import { WATCH_QUEUE_EVENTS } from "../core/limits.ts";

const LENGTH_FILE = "/proc/sys/fs/inotify/max_queued_events";
const SUSPICIOUS_PART = 1 / 4;

/** How many events the kernel's queue holds. */
export function queueLength(): number {
  try {
    const length = Number(fs.readFileSync(LENGTH_FILE, "utf8"));
    return length > 0 ? length : WATCH_QUEUE_EVENTS;
  } catch {
    return WATCH_QUEUE_EVENTS;
  }
}

export class EventQueue {
  readonly #eventsMax: number;
  readonly #nextTurn: (action: () => void) => void;
  #events = 0;

  /** `length`: in events. `nextTurn` runs its action when all events that are there now have been told. */
  constructor(length: number, nextTurn: (action: () => void) => void) {
    this.#eventsMax = Math.ceil(length * SUSPICIOUS_PART);
    this.#nextTurn = nextTurn;
  }

  /** An event was told; true once in a turn if some may have been lost. */
  add(): boolean {
    if (this.#events === 0) this.#nextTurn(() => (this.#events = 0));
    this.#events++;
    return this.#events === this.#eventsMax;
  }
}
