// Answers questions about our own service on one link, at the pace that RFC 6762 §6 sets, whoever asks how often.

import { SERVICE_TTL_SECONDS } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";
import {
  fieldOf,
  parseQuestion,
  sameName,
  type DnsQuestion,
  type DnsRecord,
  type IncomingMessage,
  type OutgoingMessage,
} from "./dns.ts";
import { MDNS_PORT, type DatagramAddress } from "./mdns.ts";
import { asksFor, buildAnnouncement, instanceName, SERVICE_TYPE, type Service } from "./service-records.ts";

/** Multicast answers keep this distance. */
const ANSWER_INTERVAL_MS = 1_000;
/** Answers wait for a random time from here, so that not all machines speak at once. */
const ANSWER_DELAY_MS_MIN = 20;
const ANSWER_DELAY_MS_SPREAD = 100;
/** Answers to one-shot queries keep this distance: their receiver may not be the one who asked. */
const ONE_SHOT_INTERVAL_MS = 100;
/** How long a one-shot asker may keep an answer (RFC 6762 §6.7). */
const ONE_SHOT_TTL_SECONDS = 10;
/** Questions looked at in one query. */
const QUESTIONS_MAX = 32;

export interface ResponderOptions {
  readonly service: Service;
  /** The machine's, on this link. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly send: (message: OutgoingMessage, destination?: DatagramAddress) => Promise<void>;
}

export class Responder {
  readonly #options: ResponderOptions;
  #answerTimer: Timer | undefined;
  #answeredMs = Number.NEGATIVE_INFINITY;
  #oneShotMs = Number.NEGATIVE_INFINITY;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** Sends all records to everyone, now. `ttlSeconds: 0`: goodbye. */
  async announce(ttlSeconds = SERVICE_TTL_SECONDS): Promise<void> {
    this.#answeredMs = this.#options.clock.monotonic();
    const answers = this.#records(ttlSeconds, true);
    await this.#options.send({ type: "response", id: 0, questions: [], answers });
  }

  /** True if everyone will hear the answer. */
  receiveQuery(message: IncomingMessage, source: DatagramAddress): boolean {
    const { service } = this.#options;
    const questions = message.questions
      .slice(0, QUESTIONS_MAX)
      .map(parseQuestion)
      .filter((question) => question !== undefined)
      .filter((question) => asksFor(service, question));
    if (questions.length === 0) return false;
    if (source.port !== MDNS_PORT) {
      this.#answerOneShot(message.id, questions, source);
      return false;
    }
    if (questions.every(asksForAll) && knowsUs(message, service)) return false;
    this.#answerSoon();
    return true;
  }

  /** Takes back the answers that have not left yet. */
  stop(): void {
    this.#answerTimer?.clear();
  }

  /** One answer for all who ask within its delay. */
  #answerSoon(): void {
    if (this.#answerTimer !== undefined) return;
    const { clock, random } = this.#options;
    const spreadMs = ANSWER_DELAY_MS_MIN + ANSWER_DELAY_MS_SPREAD * random.fraction();
    const delayMs = Math.max(spreadMs, this.#answeredMs + ANSWER_INTERVAL_MS - clock.monotonic());
    this.#answerTimer = clock.after(delayMs, () => {
      this.#answerTimer = undefined;
      void this.announce();
    });
  }

  #answerOneShot(id: number, questions: readonly DnsQuestion[], source: DatagramAddress): void {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - this.#oneShotMs < ONE_SHOT_INTERVAL_MS) return;
    this.#oneShotMs = nowMs;
    const answers = this.#records(ONE_SHOT_TTL_SECONDS, false);
    void this.#options.send({ type: "response", id, questions, answers }, source);
  }

  #records(ttlSeconds: number, flush: boolean): readonly DnsRecord[] {
    const { service, addresses } = this.#options;
    return buildAnnouncement({ service, addresses, ttlSeconds, flush });
  }
}

/** True if `question` is the one for every dsync service. */
export function asksForAll(question: DnsQuestion): boolean {
  return sameName(question.name, SERVICE_TYPE);
}

/** Known-answer suppression (RFC 6762 §7.1): the asker has our record, and it is not about to expire. */
function knowsUs(message: IncomingMessage, service: Service): boolean {
  const own = instanceName(service);
  return message.answers.some((answer) => {
    const data = fieldOf(answer, "data");
    const ttl = fieldOf(answer, "ttl");
    return typeof data === "string" && typeof ttl === "number" && ttl >= SERVICE_TTL_SECONDS / 2 && sameName(data, own);
  });
}
