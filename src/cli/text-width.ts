// How many columns of a terminal a text takes, and cutting or filling it to a width. Counted by what a reader sees as one
// character (UAX #29): terminals draw combining marks, variation selectors and joined emoji in the cells of their base.
// Pure. Where terminals differ the larger width is taken, so that nothing wraps.

const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11FF]$/u;
/** Makes a picture of what is a letter otherwise: U+FE0F after it. */
const PICTURE = /^\p{Emoji}\uFE0F/u;
/** Every character is one column: most texts. */
const PLAIN = /^[\x20-\x7e]*$/;

let segmenter: Intl.Segmenter | undefined;

/** Made when it is first needed: that takes 10 ms, and most texts are ASCII. */
function segmentsOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** Terminal columns that `text`, one line without control characters, takes. */
export function columnsOfText(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of segmentsOf(text)) columns += columnsOf(segment);
  return columns;
}

/** `text` cut to at most `columns`, with `…` where something was cut. */
export function fitColumns(text: string, columns: number): string {
  if (columnsOfText(text) <= columns) return text;
  if (columns < 1) return "";
  let fitted = "";
  let used = 1;
  for (const { segment } of segmentsOf(text)) {
    used += columnsOf(segment);
    if (used > columns) break;
    fitted += segment;
  }
  return `${fitted}…`;
}

/** `text` cut in the middle, where it says least: a path keeps its beginning and the end of its name. */
export function fitMiddle(text: string, columns: number): string {
  if (columnsOfText(text) <= columns) return text;
  if (columns < 1) return "";
  const segments = [...segmentsOf(text)].map(({ segment }) => segment);
  const headColumns = Math.floor((columns - 1) / 3);
  const head = takeColumns(segments, headColumns);
  const tail = takeColumns(segments.toReversed(), columns - 1 - headColumns);
  return `${head.join("")}…${tail.toReversed().join("")}`;
}

/** `text` cut or filled with spaces to exactly `columns`. */
export function padColumns(text: string, columns: number): string {
  const fitted = fitColumns(text, columns);
  return fitted + " ".repeat(Math.max(0, columns - columnsOfText(fitted)));
}

/** `text` broken between words into lines of at most `columns`; a word that is longer is cut. At least one line. */
export function wrapColumns(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && columnsOfText(longer) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((each) => fitColumns(each, columns));
}

/** Of what a reader sees as one character. */
function columnsOf(segment: string): number {
  if (segment.length === 1 && PLAIN.test(segment)) return 1;
  if (WIDE.test(segment) || PICTURE.test(segment)) return 2;
  // A base counts for all that is drawn over it; several bases in one segment (Indic syllables) each take their cell.
  let columns = 0;
  for (const character of segment) columns += ZERO_WIDTH.test(character) ? 0 : 1;
  return columns;
}

/** As many of the first segments as fit. */
function takeColumns(segments: readonly string[], columns: number): readonly string[] {
  const taken: string[] = [];
  let used = 0;
  for (const segment of segments) {
    used += columnsOf(segment);
    if (used > columns) break;
    taken.push(segment);
  }
  return taken;
}
