// Draws lines on a whole screen of a terminal, changing only those that changed, and gives the terminal back as it was.
// The view is on the alternate screen: what was on the terminal before is there again afterwards.

import type { Output } from "./reporter.ts";

/** Alternate screen, cursor hidden, no wrapping: a width that was misjudged cannot push lines apart. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/** Terminals that know it show everything in between at once; the others ignore it. */
const [BEGIN, END] = ["\x1b[?2026h", "\x1b[?2026l"];
const CLEAR = "\x1b[0m\x1b[2J";
const CLEAR_REST_OF_LINE = "\x1b[0m\x1b[K";

export class Redraw {
  readonly #output: Output;
  /** What is on the screen, by row; `undefined`: unknown. */
  #drawn: readonly string[] | undefined;
  #isOpen = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** `lines`: fit the screen, without control characters but colours. */
  draw(lines: readonly string[]): void {
    const text = this.#changes(lines);
    this.#drawn = lines;
    if (this.#isOpen && text === "") return;
    this.#output.write(`${this.#isOpen ? "" : ENTER}${BEGIN}${text}${END}`);
    this.#isOpen = true;
  }

  /** The terminal has another size: nothing that is on it can be relied on. */
  forget(): void {
    this.#drawn = undefined;
  }

  /** Gives the terminal back. May be called again. */
  close(): void {
    if (this.#isOpen) this.#output.write(LEAVE);
    this.#isOpen = false;
  }

  #changes(lines: readonly string[]): string {
    const before = this.#drawn;
    let text = before === undefined ? CLEAR : "";
    for (let row = 0; row < Math.max(lines.length, before?.length ?? 0); row++) {
      const line = lines[row] ?? "";
      if (line !== (before?.[row] ?? "")) text += `\x1b[${row + 1};1H${line}${CLEAR_REST_OF_LINE}`;
    }
    return text;
  }
}
