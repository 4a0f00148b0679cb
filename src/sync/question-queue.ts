// Questions of one peer that wait for their answers, and how much memory they take.

import { QUESTION_OVERHEAD_BYTES } from "../core/limits.ts";
import type { ChildrenMessage, SummaryMessage, WantMessage } from "../pool/messages.ts";

export type Question = ChildrenMessage | SummaryMessage | WantMessage;

/** First in, first out. The one who fills it bounds it. */
export class QuestionQueue {
  #waiting: Question[] = [];
  /** Of `#waiting`: those before it are taken. Shifting a long array would cost its length each time. */
  #next = 0;
  #bytes = 0;

  /** What they take together, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  push(question: Question): void {
    this.#waiting.push(question);
    this.#bytes += bytesOf(question);
  }

  take(): Question | undefined {
    const question = this.#waiting[this.#next];
    if (question === undefined) {
      this.clear();
      return undefined;
    }
    this.#bytes -= bytesOf(question);
    this.#next++;
    if (2 * this.#next > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return question;
  }

  clear(): void {
    this.#waiting = [];
    this.#next = 0;
    this.#bytes = 0;
  }
}

function bytesOf(question: Question): number {
  switch (question.type) {
    case "children":
      return QUESTION_OVERHEAD_BYTES + question.fingerprints.length;
    case "summary":
      return QUESTION_OVERHEAD_BYTES + question.items.length;
    case "want":
      return QUESTION_OVERHEAD_BYTES + question.hashes.length + QUESTION_OVERHEAD_BYTES * question.prefixes.length;
  }
}
