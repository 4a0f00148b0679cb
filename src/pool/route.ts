// One way to a peer: the addresses under which it is known, tried in turn, and how often that failed. Pure.

import type { PeerId } from "../core/ids.ts";
import { DIAL_MS_MAX, FIRST_DIAL_MS_MAX, REFUSED_MS } from "../core/limits.ts";
import { retryDelayMs } from "./backoff.ts";

/** Where to find a peer. Discovery knows the peer ID it must have; the user knows an address or host name. */
export interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly peerId?: PeerId | undefined;
  readonly source: "discovery" | "peer-flag";
}

/** Addresses of one peer are one route; an address that a person gave is one by itself. */
export function routeKey({ host, port, peerId, source }: DialTarget): string {
  return source === "discovery" && peerId !== undefined ? `peer ${peerId}` : `${source} ${host} ${port}`;
}

interface Address {
  readonly target: DialTarget;
  /** Not to be dialled before this (monotonic ms). */
  notBeforeMs: number;
  /** It leads back to ourselves: never to be dialled again. */
  isSelf: boolean;
}

/** What to do next. `nothing`: no address is left. */
export type NextDial =
  | { readonly kind: "dial"; readonly target: DialTarget; readonly connectMsMax: number }
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "nothing" };

/** The state of one route. Time and randomness are arguments. */
export class Route {
  readonly #addresses: Address[] = [];
  #next = 0;
  #triedInRound = 0;
  #failures = 0;
  /** Who is there: announced, or found out by dialling. */
  peerId: PeerId | undefined;

  get isEmpty(): boolean {
    return this.#addresses.length === 0;
  }

  /** Adds an address; false if it was there already (then it is worth a try soon). */
  add(target: DialTarget): boolean {
    if (this.peerId === undefined) this.peerId = target.peerId;
    if (this.#find(target) !== -1) {
      this.#failures = Math.min(this.#failures, 2);
      return false;
    }
    // The freshest news is the first to be followed.
    this.#next = this.#addresses.push({ target, notBeforeMs: 0, isSelf: false }) - 1;
    return true;
  }

  /** False if it was not there. */
  remove(target: DialTarget): boolean {
    const position = this.#find(target);
    if (position !== -1) this.#addresses.splice(position, 1);
    return position !== -1;
  }

  has(target: DialTarget): boolean {
    return this.#find(target) !== -1;
  }

  /** The next address that may be dialled now. */
  nextDial(nowMs: number): NextDial {
    const usable = this.#addresses.filter((address) => !address.isSelf);
    if (usable.length === 0) return { kind: "nothing" };
    for (let step = 0; step < this.#addresses.length; step++) {
      const position = (this.#next + step) % this.#addresses.length;
      const address = this.#addresses[position];
      if (address === undefined || address.isSelf || address.notBeforeMs > nowMs) continue;
      this.#next = position;
      const connectMsMax = this.#failures === 0 ? FIRST_DIAL_MS_MAX : DIAL_MS_MAX;
      return { kind: "dial", target: address.target, connectMsMax };
    }
    return { kind: "wait", delayMs: Math.min(...usable.map((address) => address.notBeforeMs)) - nowMs };
  }

  /** The dial of `target` failed. Returns how long to wait: nothing if there is another address left in this round. */
  failed(target: DialTarget, { nowMs, fraction }: { readonly nowMs: number; readonly fraction: number }): number {
    this.#next = this.#find(target) + 1;
    this.#triedInRound++;
    const usable = this.#addresses.filter(({ isSelf, notBeforeMs }) => !isSelf && notBeforeMs <= nowMs);
    return this.#triedInRound < usable.length ? 0 : this.retryLater(fraction);
  }

  /** There was no use in it just now: ends the round, and returns how long to wait. */
  retryLater(fraction: number): number {
    this.#triedInRound = 0;
    return retryDelayMs(this.#failures++, fraction);
  }

  /** `target` is not the peer that is wanted, or does not want us: not again for a while. */
  refused(target: DialTarget, nowMs: number): void {
    const address = this.#addresses[this.#find(target)];
    if (address !== undefined) address.notBeforeMs = nowMs + REFUSED_MS;
  }

  /** `target` is this very instance. */
  foundSelf(target: DialTarget): void {
    const address = this.#addresses[this.#find(target)];
    if (address !== undefined) address.isSelf = true;
  }

  /** `peerId` answered at the address that was dialled last: it is the first to be dialled next time. */
  answered(peerId: PeerId): void {
    this.peerId = peerId;
    this.#triedInRound = 0;
  }

  /** A session lived long enough for earlier failures to mean nothing. */
  succeeded(): void {
    this.#failures = 0;
  }

  #find({ host, port }: DialTarget): number {
    return this.#addresses.findIndex(({ target }) => target.host === host && target.port === port);
  }
}
