// Discovery on one endpoint: announces, asks, answers, and passes on what others announce.

import { isIPv4, type BlockList } from "node:net";
import { DISCOVERY_ROUND_MS_MAX, SERVICE_TTL_SECONDS } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";
import { parseQuestion, type IncomingMessage } from "./dns.ts";
import { announcedAddresses, subnetsOf, type Endpoint } from "./interfaces.ts";
import { MDNS_PORT, type DatagramAddress, type MdnsSocket, type OpenMdnsSocket } from "./mdns.ts";
import { parseServices, type FoundService } from "./parse-services.ts";
import { asksForAll, Responder } from "./responder.ts";
import { instanceName, SERVICE_TYPE, type Service } from "./service-records.ts";

/** The wait between the first two rounds; it doubles from there (RFC 6762 §5.2, §8.3). */
const ROUND_MS_MIN = 1_000;

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

/**
 * Announces from `refresh` until `close`. Once `isFailed` is true, its owner makes a new one.
 *
 * A round is an announcement and a question for all others. Whoever hears another's round answers it, and puts its own off:
 * so everyone is heard in every round, and when it is quiet, one instance asks for all (RFC 6762 §7.3).
 */
export class Link {
  readonly endpoint: Endpoint;
  readonly #options: LinkOptions;
  readonly #subnets: BlockList;
  readonly #responder: Responder;
  readonly #socket: MdnsSocket | undefined;
  #isFailed = false;
  #roundTimer: Timer | undefined;
  #roundDelayMs = ROUND_MS_MIN;

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
    this.#roundDelayMs = ROUND_MS_MIN;
    this.#round();
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

  #round(): void {
    void this.#responder.announce();
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
    this.#roundLater();
    this.#roundDelayMs = Math.min(this.#roundDelayMs * 2, DISCOVERY_ROUND_MS_MAX);
  }

  #roundLater(): void {
    const { clock, random } = this.#options;
    this.#roundTimer?.clear();
    this.#roundTimer = clock.after(this.#roundDelayMs * (1 + random.fraction() / 10), () => this.#round());
  }

  #receive(message: IncomingMessage, source: DatagramAddress): void {
    if (!this.#isOnLink(source.address)) return;
    if (message.type === "query") {
      const isAnswered = this.#responder.receiveQuery(message, source);
      if (isAnswered && isRound(message) && this.#roundTimer !== undefined) this.#roundLater();
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
    this.#roundTimer?.clear();
    this.#roundTimer = undefined;
    this.#responder.stop();
  }
}

/** The asker wants to know all others, and knows nobody but itself. */
function isRound(message: IncomingMessage): boolean {
  const question = parseQuestion(message.questions[0]);
  return question !== undefined && asksForAll(question) && message.answers.length <= 1;
}
