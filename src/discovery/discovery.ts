// Finds peers on every network this machine is on, and lets them find it: DNS-SD (RFC 6763) over multicast DNS
// (RFC 6762). It tells what is announced; whether to believe, want or dial it is decided elsewhere.

import type { BlockList } from "node:net";
import { Emitter } from "../core/emitter.ts";
import { errnoOf, messageOf } from "../core/errors.ts";
import { GOODBYE_MS_MAX, INTERFACE_POLL_MS } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";
import { candidatesOf } from "./candidates.ts";
import { diffInterfaces, endpointsOf, type Endpoint, type LocalInterface } from "./interfaces.ts";
import { Link } from "./link.ts";
import type { OpenMdnsSocket } from "./mdns.ts";
import type { FoundService } from "./parse-services.ts";
import { PeerTable, type DiscoveryEvent } from "./peer-table.ts";
import type { Service } from "./service-records.ts";

/** A poll that comes this much too late on the wall clock: the machine was suspended. */
const SUSPENDED_MS_MIN = 10_000;

export interface DiscoveryOptions {
  readonly service: Service;
  readonly clock: Clock;
  readonly random: Random;
  /** The interfaces as they are now; may throw. */
  readonly interfaces: () => readonly LocalInterface[];
  readonly openSocket: OpenMdnsSocket;
}

/** Discovery does not work on one interface. It goes on elsewhere, and is tried again there. */
export interface DiscoveryProblem {
  /** `undefined`: the list of interfaces itself cannot be read. */
  readonly interface: string | undefined;
  /** For a person. */
  readonly message: string;
}

/**
 * Invariants:
 * 1. One link per endpoint, and none for an interface that is gone or has changed.
 * 2. Nothing that comes from the network or the system throws out of here.
 * 3. Each problem is reported once until it has gone away.
 * 4. Between `stop` and its end goodbyes leave; after it there are no events, sockets or timers.
 */
export class Discovery {
  readonly events = new Emitter<DiscoveryEvent>();
  readonly problems = new Emitter<DiscoveryProblem>();
  readonly #options: DiscoveryOptions;
  readonly #peers = new PeerTable();
  readonly #links = new Map<string, Link>();
  readonly #reported = new Set<string>();
  #interfaces: readonly LocalInterface[] = [];
  #state: "new" | "running" | "stopped" = "new";
  #pollTimer: Timer | undefined;
  #polledMs = 0;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Announces and asks on every interface, and goes on doing so. */
  start(): void {
    if (this.#state !== "new") return;
    this.#state = "running";
    this.#polledMs = this.#options.clock.now();
    this.#poll();
  }

  /** Says goodbye on every interface, and closes. Takes at most {@link GOODBYE_MS_MAX}. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#pollTimer?.clear();
    const links = [...this.#links.values()];
    this.#links.clear();
    await this.#atMost(GOODBYE_MS_MAX, Promise.all(links.map((link) => link.goodbye())));
    for (const link of links) link.close();
  }

  #poll(): void {
    const { clock } = this.#options;
    const wasSuspended = clock.now() - this.#polledMs > INTERFACE_POLL_MS + SUSPENDED_MS_MIN;
    this.#polledMs = clock.now();
    if (wasSuspended) for (const link of this.#links.values()) link.refresh();
    this.#updateLinks();
    this.#emit(this.#peers.expire(clock.monotonic()));
    // A listener may have stopped us.
    if (this.#state === "running") this.#pollTimer = clock.after(INTERFACE_POLL_MS, () => this.#poll());
  }

  #updateLinks(): void {
    const interfaces = this.#readInterfaces();
    const { removed, changed } = diffInterfaces(this.#interfaces, interfaces);
    this.#interfaces = interfaces;
    const endpoints = new Map(endpointsOf(interfaces).map((endpoint) => [keyOf(endpoint), endpoint]));
    for (const [key, link] of this.#links) {
      const name = link.endpoint.interface.name;
      const isOver = removed.includes(name) || changed.includes(name) || !endpoints.has(key);
      // A link that has lasted from one poll to the next works: its next problem is news.
      if (isOver || !link.isFailed) this.#reported.delete(key);
      if (isOver || link.isFailed) this.#closeLink(key, link);
    }
    for (const [key, endpoint] of endpoints) if (!this.#links.has(key)) this.#openLink(key, endpoint);
    for (const name of removed) this.#emit(this.#peers.forgetInterface(name));
  }

  #readInterfaces(): readonly LocalInterface[] {
    try {
      const interfaces = this.#options.interfaces();
      this.#reported.delete("");
      return interfaces;
    } catch (error) {
      this.#report("", {
        interface: undefined,
        message: `Cannot list the network interfaces: ${messageOf(error)}. Name peers with --peer.`,
      });
      return this.#interfaces;
    }
  }

  #isThere({ name, fingerprint }: LocalInterface): boolean {
    return this.#readInterfaces().some((each) => each.name === name && each.fingerprint === fingerprint);
  }

  #openLink(key: string, endpoint: Endpoint): void {
    const { service, clock, random, openSocket } = this.#options;
    const link = new Link({
      endpoint,
      service,
      clock,
      random,
      openSocket,
      onServices: (services, subnets) => this.#record(services, endpoint.interface, subnets),
      onProblem: (error) => {
        // A cable that was just pulled is no problem: the next poll sees it.
        if (this.#isThere(endpoint.interface)) this.#report(key, problemOn(endpoint, error));
      },
    });
    this.#links.set(key, link);
    link.refresh();
  }

  /** No goodbye: the service is still there, only not here. */
  #closeLink(key: string, link: Link): void {
    this.#links.delete(key);
    link.close();
  }

  #record(services: readonly FoundService[], local: LocalInterface, subnets: BlockList): void {
    const nowMs = this.#options.clock.monotonic();
    for (const service of services) {
      if (service.peerId === this.#options.service.peerId) continue;
      const { addresses, port } = service;
      const candidates = candidatesOf({ addresses, port, interface: local, subnets });
      this.#emit(this.#peers.record({ service, interface: local.name, candidates, nowMs }));
    }
  }

  #emit(events: readonly DiscoveryEvent[]): void {
    for (const event of events) if (this.#state === "running") this.events.emit(event);
  }

  #report(key: string, problem: DiscoveryProblem): void {
    if (this.#reported.has(key) || this.#state !== "running") return;
    this.#reported.add(key);
    this.problems.emit(problem);
  }

  async #atMost(delayMs: number, work: Promise<unknown>): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#options.clock.after(delayMs, resolve);
    });
    await Promise.race([work, late]);
    timer?.clear();
  }
}

function keyOf({ interface: local, family }: Endpoint): string {
  return `${local.name}/${family}`;
}

function problemOn({ interface: local, family }: Endpoint, error: Error): DiscoveryProblem {
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE: "Another program holds UDP port 5353 for itself: close it, or name peers with --peer.",
    EACCES: "A firewall or sandbox forbids it: allow UDP port 5353, or name peers with --peer.",
    EPERM: "A firewall or sandbox forbids it: allow UDP port 5353, or name peers with --peer.",
  };
  const remedy = remedies[errnoOf(error) ?? ""] ?? "It is tried again every few seconds.";
  return {
    interface: local.name,
    message: `Cannot find peers on ${local.name} (${family}): ${messageOf(error)}. ${remedy}`,
  };
}
