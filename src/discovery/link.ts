// Discovery on one endpoint: announces, asks, answers, and passes on what others announce.

import { isIPv4, type BlockList } from "node:net";
import { DISCOVERY_QUERY_MS_MAX, SERVICE_TTL_SECONDS } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";
import { parseQuestion, type IncomingMessage } from "./dns.ts";
import { announcedAddresses, subnetsOf, type Endpoint } from "./interfaces.ts";
import { MDNS_PORT, type DatagramAddress, type MdnsSocket, type OpenMdnsSocket } from "./mdns.ts";
import { parseServices, type FoundService } from "./parse-services.ts";
import { asksForAll, Responder } from "./responder.ts";
import { instanceName, SERVICE_TYPE, type Service } from "./service-records.ts";

/** Waits between the first announcement and the others: some get lost (RFC 6762 §8.3). */
const ANNOUNCE_AGAIN_MS = [1_000, 2_000];
/** The wait between the first two queries; it doubles from there. */
const QUERY_MS_MIN = 1_000;

export interface LinkOptions {
  readonly endpoint: Endpoint;
  readonly service: Service;
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket: OpenMdnsSocket;
  /** `subnets`: what the link reaches without a router. */
  readonly onServices: (services: readonly FoundService[], subnets: BlockList) => void;
  readonly onProblem: (error: Error) => void;
}

/** Announces from `refresh` until `close`. Once `isFailed` is true, its owner makes a new one. */
export class Link {
  readonly endpoint: Endpoint;
  readonly #options: LinkOptions;
  readonly #subnets: BlockList;
  readonly #responder: Responder;
  readonly #socket: MdnsSocket | undefined;
  #isFailed = false;
  #announceTimer: Timer | undefined;
  #queryTimer: Timer | undefined;
  #queryDelayMs = QUERY_MS_MIN;

  constructor(options: LinkOptions) {
    const { endpoint, service, clock, random } = options;
    this.endpoint = endpoint;
    this.#options = options;
    this.#subnets = subnetsOf(endpoint.interface);
    this.#responder = new Responder({
      service,
      addresses: announcedAddresses(endpoint.interface),
      clock,
      random,
      send: async (message, destination) => this.#socket?.send(message, destination),
    });
    this.#socket = this.#open();
  }

  get isFailed(): boolean {
    return this.#isFailed;
  }

  /** Announces and asks now, and again at growing intervals. */
  refresh(): void {
    this.#announce(0);
    this.#queryDelayMs = QUERY_MS_MIN;
    this.#query();
  }

  /** Takes the announcement back. Resolves when the datagram has left. */
  async goodbye(): Promise<void> {
    this.#clearTimers();
    await this.#responder.announce(0);
  }

  close(): void {
    this.#clearTimers();
    this.#socket?.close();
  }

  #open(): MdnsSocket | undefined {
    const { endpoint, openSocket } = this.#options;
    try {
      return openSocket(endpoint, {
        onMessage: (message, source) => this.#receive(message, source),
        onProblem: (error) => this.#fail(error),
      });
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }

  #fail(error: Error): void {
    this.#isFailed = true;
    this.#options.onProblem(error);
  }

  #announce(count: number): void {
    void this.#responder.announce();
    this.#announceTimer?.clear();
    const delayMs = ANNOUNCE_AGAIN_MS[count];
    if (delayMs === undefined) return;
    this.#announceTimer = this.#options.clock.after(delayMs, () => this.#announce(count + 1));
  }

  #query(): void {
    // Our own record is known to us: otherwise we would answer ourselves.
    const own = {
      ttl: SERVICE_TTL_SECONDS,
      flush: false,
      data: instanceName(this.#options.service),
    };
    void this.#socket?.send({
      type: "query",
      id: 0,
      questions: [{ name: SERVICE_TYPE, type: "PTR" }],
      answers: [{ type: "PTR", name: SERVICE_TYPE, ...own }],
    });
    this.#queryLater();
    this.#queryDelayMs = Math.min(this.#queryDelayMs * 2, DISCOVERY_QUERY_MS_MAX);
  }

  /** Intervals differ from instance to instance, so that in the end one asks for all. */
  #queryLater(): void {
    const { clock, random } = this.#options;
    this.#queryTimer?.clear();
    this.#queryTimer = clock.after(this.#queryDelayMs * (1 + random.fraction() / 10), () =>
      this.#query(),
    );
  }

  #receive(message: IncomingMessage, source: DatagramAddress): void {
    if (!this.#isOnLink(source.address)) return;
    if (message.type === "query") {
      this.#responder.receiveQuery(message, source);
      if (source.port === MDNS_PORT && asksLikeUs(message) && this.#queryTimer !== undefined)
        this.#queryLater();
      return;
    }
    // Nothing but a responder sends from this port (RFC 6762 §6).
    if (source.port !== MDNS_PORT) return;
    const services = parseServices(message);
    if (services.length > 0) this.#options.onServices(services, this.#subnets);
  }

  /** True for what was sent on this link (RFC 6762 §11), of all that arrives on the port. */
  #isOnLink(source: string): boolean {
    const [address = "", zone] = source.split("%");
    if (zone !== undefined) return zone === this.endpoint.interface.zone;
    return this.#subnets.check(address, isIPv4(address) ? "ipv4" : "ipv6");
  }

  #clearTimers(): void {
    this.#announceTimer?.clear();
    this.#queryTimer?.clear();
    this.#queryTimer = undefined;
    this.#responder.stop();
  }
}

/** The asker wants what we would ask for, and knows nobody but itself: the answers reach us, too (RFC 6762 §7.3). */
function asksLikeUs(message: IncomingMessage): boolean {
  const question = parseQuestion(message.questions[0]);
  return question !== undefined && asksForAll(question) && message.answers.length <= 1;
}
