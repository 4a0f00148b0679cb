// A connected peer as the fetch queue sees it: over which channels it is asked, for how much, and whether it answers.

import { ANSWER_PATIENCE_MS, ANSWER_SILENCE_MS_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import type { FetchClient } from "./fetch-client.ts";
import type { Source } from "./source.ts";
import type { Window } from "./window.ts";

/** How long somebody who was asked may say nothing. */
export interface Patience {
  readonly silenceMsMax?: number;
  /** True if somebody else may have all of it, who is asked then. */
  readonly isElsewhere?: () => boolean;
}

export class FetchSource {
  readonly source: Source;
  readonly window: Window;
  readonly #clock: Clock;
  readonly #clients: FetchClient[] = [];
  /** Bytes that had come from it when it was found silent. */
  #receivedWhenSilent: number | undefined;

  constructor(source: Source, window: Window, clock: Clock) {
    this.source = source;
    this.window = window;
    this.#clock = clock;
  }

  get channels(): number {
    return this.#clients.length;
  }

  /** The asking side of the channel that has least to do, if any may be asked for more. */
  get freestClient(): FetchClient | undefined {
    let freest: FetchClient | undefined;
    for (const client of this.#clients) {
      if (client.isFree && (freest === undefined || client.bytesOutstanding < freest.bytesOutstanding)) freest = client;
    }
    return freest;
  }

  /** True from when it was found silent until anything comes from it. */
  get isSilent(): boolean {
    return this.#receivedWhenSilent === this.#received;
  }

  add(client: FetchClient): void {
    this.#clients.push(client);
  }

  remove(client: FetchClient): void {
    const index = this.#clients.indexOf(client);
    if (index !== -1) this.#clients.splice(index, 1);
  }

  /**
   * The answer, unless nothing at all comes on its channel while the session lives. `stalled`: for so long that the source
   * counts as lacking what it was asked for. `silent`: for a while, and it may be had elsewhere. What comes later is of no use.
   */
  unlessSilent<Answer>(
    { channel }: FetchClient,
    answer: Promise<Answer>,
    { silenceMsMax = ANSWER_SILENCE_MS_MAX, isElsewhere = () => false }: Patience,
  ): Promise<Answer | "stalled" | "silent"> {
    const intervalMs = Math.min(ANSWER_PATIENCE_MS, silenceMsMax);
    return new Promise((resolve) => {
      let received = channel.bytesReceived;
      let silentMs = 0;
      const check = (): void => {
        silentMs = channel.bytesReceived === received ? silentMs + intervalMs : 0;
        received = channel.bytesReceived;
        if (silentMs >= silenceMsMax) return resolve("stalled");
        if (silentMs > 0 && isElsewhere()) {
          this.#receivedWhenSilent = this.#received;
          return resolve("silent");
        }
        timer = this.#clock.after(intervalMs, check);
      };
      let timer = this.#clock.after(intervalMs, check);
      void answer.then((value) => {
        timer.clear();
        resolve(value);
      });
    });
  }

  get #received(): number {
    return this.#clients.reduce((sum, { channel }) => sum + channel.bytesReceived, 0);
  }
}
