// A small terminal: what a person sees after the given output. Knows what dsync uses: positions, clearing, the alternate
// screen, the cursor; colours are left out. Anything else throws.

/** A screen of text. Wide characters take one cell here: only positions of lines matter. */
export class Terminal {
  isAlternate = false;
  isCursorVisible = true;
  wraps = true;
  #main: string[] = [""];
  #alternate: string[] = [];
  #row = 0;

  write(text: string): void {
    // oxlint-disable-next-line no-control-regex
    for (const piece of text.split(/(\n|\u001b\[[?\d;]*[A-Za-z])/)) {
      if (piece.startsWith("\u001b")) this.#control(piece.slice(2));
      else if (piece === "\n") this.#main.push("");
      else if (this.isAlternate) this.#alternate[this.#row] = (this.#alternate[this.#row] ?? "") + piece;
      else this.#main[this.#main.length - 1] += piece;
    }
  }

  /** What is shown now, without empty lines at the end. */
  get lines(): readonly string[] {
    const lines = Array.from(this.isAlternate ? this.#alternate : this.#main, (line: string | undefined) => line ?? "");
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  #control(code: string): void {
    const position = /^(\d+);1H$/.exec(code);
    if (position !== null) {
      this.#row = Number(position[1]) - 1;
      this.#alternate[this.#row] = "";
    } else if (code === "2J") this.#alternate = [];
    else if (code === "?1049h" || code === "?1049l") this.isAlternate = code.endsWith("h");
    else if (code === "?25h" || code === "?25l") this.isCursorVisible = code.endsWith("h");
    else if (code === "?7h" || code === "?7l") this.wraps = code.endsWith("h");
    else if (!/^(?:\d*m|K|\?2026[hl])$/.test(code)) throw new Error(`Unknown control sequence ${code}.`);
  }
}
