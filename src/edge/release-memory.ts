// Gives memory that nobody uses any more back to the system, when there is time for it.

import { Session } from "node:inspector";

/**
 * Collects everything collectable and shrinks the heap, which stops this thread for some tens of milliseconds. V8 would
 * do it too, but only when the heap grows again: after a first scan that would be never. Opens no port.
 */
export function releaseMemory(): void {
  const session = new Session();
  session.connect();
  // Not within the callback: it is called under a lock that disconnecting takes too.
  session.post("HeapProfiler.collectGarbage", () => setImmediate(() => session.disconnect()));
}
