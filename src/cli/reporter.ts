// What shows events to whoever started the instance: the interface, and what its implementations share.

import type { DsyncEvent } from "../core/events.ts";
import type { Clock } from "../edge/clock.ts";
import type { Level } from "./event-text.ts";
import type { Verbosity } from "./options.ts";
import type { Environment } from "./platform.ts";

export interface Reporter {
  report(event: DsyncEvent): void;
  /** Shows what is still held back, and leaves the terminal as it was. Nothing is reported afterwards. */
  close(): void;
}

/** Standard output or error. */
export interface Output {
  write(text: string): void;
  /** What was written and nobody has read yet. */
  readonly waitingBytes: number;
  /** Calls `action` once when all of that has been read. */
  onceRead(action: () => void): void;
  readonly isTerminal: boolean;
  /** Width now; terminals only. */
  readonly columns: number | undefined;
  /** What more a terminal can do, where somebody may be looking at it; absent elsewhere. */
  readonly screen?: Screen;
}

/** A terminal as a rectangle. */
export interface Screen {
  /** Height now. */
  readonly rows: number;
  /** Calls back whenever the size changes. The returned function ends that. */
  onResize(action: () => void): () => void;
  /** Calls back right before the process ends, however it ends but by a kill that cannot be caught; and before it is
   * reported why. The returned function ends that. */
  onEnd(action: () => void): () => void;
}

export interface ReporterOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  readonly environment: Environment;
  readonly verbosity: Verbosity;
  readonly json: boolean;
}

/** True if an event of that level is wanted. */
export function isShown(level: Level, verbosity: Verbosity): boolean {
  switch (verbosity) {
    case "quiet":
      return level === "error";
    case "normal":
      return level !== "debug";
    case "verbose":
      return true;
  }
}
