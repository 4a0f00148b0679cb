// Shows events as a live view in a terminal: keeps the state, and draws it at most ten times a second. What a person
// should still see afterwards (problems, warnings) is printed when the view is gone.

import type { DsyncEvent } from "../core/events.ts";
import { LIVE_REDRAW_MS, LIVE_TICK_MS } from "../core/limits.ts";
import type { Timer } from "../edge/clock.ts";
import { levelOf, textOf } from "./event-text.ts";
import { logLine } from "./line-reporter.ts";
import { emptyLiveState, reduceLive, type LiveState } from "./live-state.ts";
import { renderLive } from "./live-view.ts";
import { Redraw } from "./redraw.ts";
import { isShown, type Reporter, type ReporterOptions, type Screen } from "./reporter.ts";

const DEFAULT_COLUMNS = 80;
/** Problems and warnings that are left on the terminal. */
const LEFT_MAX = 10;

export class LiveReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #screen: Screen;
  readonly #redraw: Redraw;
  readonly #color: boolean;
  readonly #undo: readonly (() => void)[];
  #state: LiveState;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(options: ReporterOptions, screen: Screen) {
    this.#options = options;
    this.#screen = screen;
    this.#redraw = new Redraw(options.stdout);
    // https://no-color.org: present and not empty.
    this.#color = (options.environment["NO_COLOR"] ?? "") === "";
    this.#state = emptyLiveState(options.clock.now());
    this.#undo = [
      screen.onResize(() => {
        this.#redraw.forget();
        this.#drawWithin(LIVE_REDRAW_MS);
      }),
      screen.onEnd(() => this.#redraw.close()),
    ];
  }

  report(event: DsyncEvent): void {
    this.#state = reduceLive(this.#state, event, this.#options.clock.now());
    this.#log(event);
    this.#drawWithin(LIVE_REDRAW_MS);
  }

  close(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    for (const undo of this.#undo) undo();
    this.#redraw.close();
    this.#leave();
  }

  /** Errors and warnings also go to a standard error that is not this terminal. */
  #log(event: DsyncEvent): void {
    const { stderr, clock } = this.#options;
    const level = levelOf(event);
    const text = textOf(event);
    if (!stderr.isTerminal && isShown(level, "normal") && level !== "info" && text !== undefined)
      stderr.write(logLine(level, text, clock.now()));
  }

  /** Sooner if a drawing is due sooner; later if the last one was just now. */
  #drawWithin(delayMs: number): void {
    const nowMs = this.#options.clock.monotonic();
    const dueMs = Math.max(nowMs, Math.min(this.#drawnMs + delayMs, nowMs + delayMs));
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    this.#timer?.clear();
    this.#dueMs = dueMs;
    this.#timer = this.#options.clock.after(dueMs - nowMs, () => {
      this.#timer = undefined;
      this.#draw();
      this.#drawWithin(LIVE_TICK_MS);
    });
  }

  #draw(): void {
    const { stdout, clock } = this.#options;
    this.#drawnMs = clock.monotonic();
    const size = { columns: stdout.columns ?? DEFAULT_COLUMNS, rows: this.#screen.rows };
    this.#redraw.draw(renderLive(this.#state, { ...size, nowMs: clock.now(), color: this.#color }));
  }

  /** What happened, in the log's words, for whoever comes back to the terminal. */
  #leave(): void {
    const { stdout, stderr, clock } = this.#options;
    const { started, problems, warnings, halted } = this.#state;
    const skipped = [...problems].map(([path, reason]): DsyncEvent => ({ kind: "problem", path, reason }));
    const left = [...(halted === undefined ? [] : [halted]), ...skipped, ...warnings];
    if (stderr.isTerminal) {
      for (const event of left.slice(0, LEFT_MAX))
        stderr.write(logLine(levelOf(event), textOf(event) ?? "", clock.now()));
    }
    if (started !== undefined) {
      const stopped = `Stopped syncing ${started.folder}.`;
      stdout.write(logLine("info", textOf({ kind: "debug", message: stopped }) ?? "", clock.now()));
    }
  }
}
