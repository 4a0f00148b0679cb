// Native events while they work, polling from then on. The watch limit (inotify) that is reached is named with its remedy.

import { WATCH_PROBE_MS, WATCH_START_MS_MAX } from "../core/limits.ts";
import type { Problem } from "../core/problem.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import { watchProblemOf } from "./watch-problem.ts";
import type { WatchHandler, Watcher } from "./watcher.ts";

export interface FallbackWatcherOptions {
  readonly clock: Clock;
  /** `undefined`: native events do not work here (a network file system). */
  readonly native: Watcher | undefined;
  readonly polling: Watcher;
  /** Why one more native watch cannot be had, asked now and then: beyond the limit, new directories raise no events. */
  readonly probe: () => Problem | undefined;
}

export class FallbackWatcher implements Watcher {
  readonly #options: FallbackWatcherOptions;
  #state: "idle" | "native" | "polling" | "stopped" = "idle";
  #probeTimer: Timer | undefined;

  constructor(options: FallbackWatcherOptions) {
    this.#options = options;
  }

  get isPrompt(): boolean {
    return this.#state === "native" && this.#options.native?.isPrompt === true;
  }

  async start(handler: WatchHandler): Promise<void> {
    const { native, probe } = this.#options;
    if (native === undefined) return await this.#poll(handler);
    const obstacle = probe();
    if (obstacle !== undefined) return await this.#fallBack(handler, obstacle);
    this.#state = "native";
    try {
      await this.#withDeadline(native.start(this.#nativeHandler(handler)));
    } catch (error) {
      await this.#fallBack(handler, watchProblemOf(error));
    }
  }

  async refresh(): Promise<void> {
    if (this.#state === "native") await this.#options.native?.refresh?.();
  }

  directorySeen(diskPath: string): void {
    if (this.#state === "native") this.#options.native?.directorySeen?.(diskPath);
  }

  async stop(): Promise<void> {
    const before = this.#state;
    this.#state = "stopped";
    this.#probeTimer?.clear();
    if (before === "native") await this.#options.native?.stop();
    if (before === "polling") await this.#options.polling.stop();
  }

  #nativeHandler(handler: WatchHandler): WatchHandler {
    return {
      hint: (diskPath) => {
        handler.hint(diskPath);
        this.#probeLater(handler);
      },
      overflow: () => handler.overflow(),
      problem: (problem) => this.#leaveNative(handler, problem),
    };
  }

  /** Only where something happens can watches run out. */
  #probeLater(handler: WatchHandler): void {
    this.#probeTimer ??= this.#options.clock.after(WATCH_PROBE_MS, () => {
      this.#probeTimer = undefined;
      const obstacle = this.#options.probe();
      if (obstacle !== undefined) this.#leaveNative(handler, obstacle);
    });
  }

  #leaveNative(handler: WatchHandler, problem: Problem): void {
    if (this.#state !== "native") return;
    this.#fallBack(handler, problem).then(
      () => handler.overflow(),
      (error: unknown) => handler.problem(watchProblemOf(error)),
    );
  }

  async #fallBack(handler: WatchHandler, problem: Problem): Promise<void> {
    if (this.#state === "stopped") return;
    handler.problem(problem);
    // Not awaited: a subscription that hangs while it starts also hangs while it stops.
    this.#options.native?.stop().catch(() => undefined);
    await this.#poll(handler);
  }

  async #poll(handler: WatchHandler): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "polling";
    await this.#options.polling.start(handler);
  }

  async #withDeadline(started: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
      timer = this.#options.clock.after(WATCH_START_MS_MAX, () => reject(new Error("it does not start")));
    });
    try {
      await Promise.race([started, deadline]);
    } finally {
      timer?.clear();
    }
  }
}
