// Events as log lines: what happened on stdout, errors and warnings on stderr; in a terminal with a status line below.

import type { DsyncEvent, Progress } from "../core/events.ts";
import { PROGRESS_LOG_MS } from "../core/limits.ts";
import type { Timer } from "../edge/clock.ts";
import { ALONE_MS, aloneHint } from "./alone-hint.ts";
import { ChangeGate } from "./change-gate.ts";
import { levelOf, progressText, textOf, type Level } from "./event-text.ts";
import { formatTime, plural } from "./format.ts";
import { isShown, type Reporter, type ReporterOptions } from "./reporter.ts";
import type { StatusLine } from "./status-line.ts";

export class LineReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #statusLine: StatusLine | undefined;
  readonly #changes: ChangeGate;
  readonly #peers = new Set<string>();
  #progress: Progress | undefined;
  #halted = false;
  /** Runs out if nobody joins at first. */
  #aloneTimer: Timer | undefined;
  #progressLoggedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReporterOptions, statusLine: StatusLine | undefined) {
    this.#options = options;
    this.#statusLine = statusLine;
    this.#changes = new ChangeGate(options.clock, (count) =>
      this.#print("info", `… and ${plural(count, "more change")}`),
    );
  }

  report(event: DsyncEvent): void {
    this.#remember(event);
    this.#statusLine?.set(this.#statusText());
    this.#watchForPeers(event);
    const level = levelOf(event);
    if (!isShown(level, this.#options.verbosity) || !this.#isDue(event)) return;
    const text = textOf(event);
    if (text !== undefined) this.#print(level, text);
  }

  close(): void {
    this.#aloneTimer?.clear();
    this.#changes.close();
    this.#statusLine?.close();
  }

  #remember(event: DsyncEvent): void {
    if (event.kind === "peer-joined") this.#peers.add(event.id);
    if (event.kind === "peer-left") this.#peers.delete(event.id);
    if (event.kind === "progress") this.#progress = event;
    if (event.kind === "halted") this.#halted = true;
    if (event.kind === "resumed") this.#halted = false;
  }

  /** Says once what to check. */
  #watchForPeers(event: DsyncEvent): void {
    if (event.kind === "peer-joined" || event.kind === "stopping") this.#aloneTimer?.clear();
    if (event.kind !== "started" || !isShown("info", this.#options.verbosity)) return;
    this.#aloneTimer = this.#options.clock.after(ALONE_MS, () => {
      if (this.#peers.size === 0) this.#print("info", aloneHint(event.folder));
    });
  }

  /** Thins out what comes often. */
  #isDue(event: DsyncEvent): boolean {
    if (event.kind === "changed") return this.#options.verbosity === "verbose" || this.#changes.admit();
    if (event.kind !== "progress") return true;
    const nowMs = this.#options.clock.monotonic();
    if (this.#statusLine !== undefined || nowMs - this.#progressLoggedMs < PROGRESS_LOG_MS) return false;
    if (progressText(event) !== undefined) this.#progressLoggedMs = nowMs;
    return true;
  }

  #print(level: Level, text: string): void {
    const { stdout, stderr, clock } = this.#options;
    const output = level === "error" || level === "warning" ? stderr : stdout;
    const line = logLine(level, text, clock.now());
    if (this.#statusLine === undefined) output.write(line);
    else this.#statusLine.above(() => output.write(line));
  }

  #statusText(): string {
    const peers = this.#peers.size === 0 ? "waiting for peers" : plural(this.#peers.size, "peer");
    if (this.#halted) return `${peers} · paused`;
    const busy = this.#progress === undefined ? undefined : progressText(this.#progress);
    const idle = this.#peers.size === 0 ? "" : " · up to date";
    return busy === undefined ? `${peers}${idle}` : `${peers} · ${busy}`;
  }
}

/** With its last newline. `text`: escaped. */
export function logLine(level: Level, text: string, nowMs: number): string {
  return `${formatTime(nowMs)} ${label(level)}${text}\n`;
}

function label(level: Level): string {
  switch (level) {
    case "error":
      return "Error: ";
    case "warning":
      return "Warning: ";
    case "debug":
    case "info":
      return "";
  }
}
