// Dials what discovery and the user point at, until each peer there has a session; and again when it has lost it.
//
// Everything that happens ends in `#evaluate(route)`, which alone decides whether to dial, wait or rest.

import { assertNever } from "../core/assert.ts";
import type { PeerId } from "../core/ids.ts";
import { DIAL_TARGETS_MAX, DIALS_MAX, STABLE_MS_MIN, YIELD_DIAL_MS } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";
import { Route, routeKey, type DialTarget } from "./route.ts";

export interface DialRequest {
  readonly target: DialTarget;
  readonly connectMsMax: number;
  readonly signal: AbortSignal;
}

export type DialOutcome =
  /** It answered, and a session with it stands or is about to: this dial's, or another. */
  | { readonly kind: "answered"; readonly peerId: PeerId }
  /** It is ourselves. */
  | { readonly kind: "self" }
  /** Another identity, share or version: no use in trying again soon. */
  | { readonly kind: "refused" }
  | { readonly kind: "failed" };

export interface DialerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ownId: PeerId;
  readonly isConnected: (peerId: PeerId) => boolean;
  /** Never rejects. */
  readonly dial: (request: DialRequest) => Promise<DialOutcome>;
}

/** What a route is doing. `queued`: as many dials as allowed are under way. */
type Activity =
  | { readonly kind: "resting" }
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "queued" }
  | { readonly kind: "dialing"; readonly abort: AbortController };

interface ActiveRoute {
  readonly route: Route;
  activity: Activity;
}

export class Dialer {
  readonly #options: DialerOptions;
  readonly #routes = new Map<string, ActiveRoute>();
  readonly #queue: ActiveRoute[] = [];
  #targets = 0;
  #dialing = 0;
  #isStopped = false;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** Adds a target, or says that a known one has been heard of again. Ignored beyond DIAL_TARGETS_MAX. */
  add(target: DialTarget): void {
    if (this.#isStopped || target.peerId === this.#options.ownId) return;
    const key = routeKey(target);
    const active = this.#routes.get(key) ?? { route: new Route(), activity: { kind: "resting" } };
    if (this.#targets >= DIAL_TARGETS_MAX && !active.route.has(target)) return;
    const isNew = active.route.add(target);
    if (isNew) this.#targets++;
    this.#routes.set(key, active);
    if (active.activity.kind === "waiting") {
      active.activity.timer.clear();
      this.#wait(active, isNew ? this.#yieldMs(active) : this.#retryMs(active));
    } else if (active.activity.kind === "resting") {
      this.#wait(active, this.#yieldMs(active));
    }
  }

  /** Stops dialling a target. A session that it led to stays. */
  remove(target: DialTarget): void {
    const key = routeKey(target);
    const active = this.#routes.get(key);
    if (active === undefined || !active.route.remove(target)) return;
    this.#targets--;
    if (!active.route.isEmpty) return;
    this.#routes.delete(key);
    this.#halt(active);
  }

  /** To be called when the session with `peerId` has ended. */
  sessionEnded(peerId: PeerId, livedMs: number): void {
    for (const active of this.#routes.values()) {
      if (active.route.peerId !== peerId) continue;
      if (livedMs >= STABLE_MS_MIN) active.route.succeeded();
      if (active.activity.kind === "resting") this.#wait(active, this.#retryMs(active));
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const active of this.#routes.values()) this.#halt(active);
    this.#routes.clear();
  }

  #evaluate(active: ActiveRoute): void {
    const { clock, isConnected } = this.#options;
    const { route } = active;
    active.activity = { kind: "resting" };
    if (this.#isStopped || route.isEmpty) return;
    if (route.peerId !== undefined && isConnected(route.peerId)) return;
    const next = route.nextDial(clock.monotonic());
    if (next.kind === "nothing") return;
    if (next.kind === "wait") return this.#wait(active, next.delayMs);
    if (this.#dialing >= DIALS_MAX) {
      active.activity = { kind: "queued" };
      this.#queue.push(active);
      return;
    }
    void this.#dial(active, next.target, next.connectMsMax);
  }

  async #dial(active: ActiveRoute, target: DialTarget, connectMsMax: number): Promise<void> {
    const abort = new AbortController();
    active.activity = { kind: "dialing", abort };
    this.#dialing++;
    const outcome = await this.#options.dial({ target, connectMsMax, signal: abort.signal });
    this.#dialing--;
    if (!abort.signal.aborted) this.#wait(active, this.#settle(active, target, outcome));
    while (this.#dialing < DIALS_MAX) {
      const queued = this.#queue.shift();
      if (queued === undefined) break;
      this.#evaluate(queued);
    }
  }

  /** Notes the outcome and returns how long to wait before looking at the route again. */
  #settle({ route }: ActiveRoute, target: DialTarget, outcome: DialOutcome): number {
    const { clock, random, isConnected } = this.#options;
    switch (outcome.kind) {
      case "answered":
        route.answered(outcome.peerId);
        // Not connected: the other side's dial is to win, and may still be on its way.
        return isConnected(outcome.peerId) ? 0 : route.retryLater(random.fraction());
      case "self":
        route.foundSelf(target);
        return 0;
      case "refused":
        route.refused(target, clock.monotonic());
        return 0;
      case "failed":
        return route.failed(target, { nowMs: clock.monotonic(), fraction: random.fraction() });
      default:
        return assertNever(outcome);
    }
  }

  #wait(active: ActiveRoute, delayMs: number): void {
    if (delayMs === 0) return this.#evaluate(active);
    const timer = this.#options.clock.after(delayMs, () => this.#evaluate(active));
    active.activity = { kind: "waiting", timer };
  }

  #retryMs(active: ActiveRoute): number {
    return this.#yieldMs(active) + active.route.retryLater(this.#options.random.fraction());
  }

  /** The larger peer ID gives the smaller one's dial, which would win, time to arrive. */
  #yieldMs({ route }: ActiveRoute): number {
    return route.peerId !== undefined && this.#options.ownId > route.peerId ? YIELD_DIAL_MS : 0;
  }

  #halt(active: ActiveRoute): void {
    const { activity } = active;
    if (activity.kind === "waiting") activity.timer.clear();
    if (activity.kind === "dialing") activity.abort.abort();
    if (activity.kind === "queued") this.#queue.splice(this.#queue.indexOf(active), 1);
    active.activity = { kind: "resting" };
  }
}
