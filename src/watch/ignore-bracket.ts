// Bracket expressions (`[a-z]`, `[!0-9_]`, `[[:alpha:]]`) as git reads them, rewritten for minimatch. Pure.

interface Range {
  readonly from: number;
  readonly to: number;
}

interface Bracket {
  readonly negated: boolean;
  readonly ranges: readonly Range[];
  /** Index after the closing `]`. */
  readonly end: number;
}

// As in the C locale, which is what git uses everywhere.
const NAMED_CLASSES: Readonly<Record<string, readonly Range[]>> = {
  alnum: spans("09AZaz"),
  alpha: spans("AZaz"),
  blank: spans("\t\t  "),
  cntrl: spans("\0\u001f\u007f\u007f"),
  digit: spans("09"),
  graph: spans("!~"),
  lower: spans("az"),
  print: spans(" ~"),
  punct: spans("!/:@[`{~"),
  space: spans("\t\r  "),
  upper: spans("AZ"),
  xdigit: spans("09AFaf"),
};

const SLASH = codeOf("/");
const CARET = codeOf("^");

/**
 * `at`: the index after the opening `[`. Returns the rewritten expression and the index after the closing `]`, or
 * `undefined` if the expression is broken or empty, so that its pattern can never match.
 */
export function rewriteBracket(text: string, at: number): { readonly glob: string; readonly end: number } | undefined {
  const bracket = parseBracket(text, at);
  if (bracket === undefined) return undefined;
  const ranges = bracket.ranges.flatMap(withoutSlash);
  if (ranges.length === 0) return bracket.negated ? { glob: "?", end: bracket.end } : undefined;
  // minimatch takes a caret that comes first for a negation, even an escaped one.
  const ordered = [...ranges.filter(({ from }) => from !== CARET), ...ranges.filter(({ from }) => from === CARET)];
  if (ordered[0]?.from === CARET && !bracket.negated) {
    if (ordered.every(({ to }) => to === CARET)) return { glob: "^", end: bracket.end };
    ordered.unshift({ from: CARET + 1, to: Math.max(...ordered.map(({ to }) => to)) });
  }
  return { glob: `[${bracket.negated ? "!" : ""}${ordered.map(formatRange).join("")}]`, end: bracket.end };
}

function parseBracket(text: string, start: number): Bracket | undefined {
  let at = start;
  const negated = text[at] === "!" || text[at] === "^";
  if (negated) at++;
  const first = at;
  const ranges: Range[] = [];
  // The last single character, which a `-` may turn into the start of a range.
  let previous: number | undefined;
  while (at < text.length) {
    if (text[at] === "]" && at > first) return { negated, ranges, end: at + 1 };
    if (text.startsWith("[:", at)) {
      const close = text.indexOf("]", at + 2);
      if (close === -1) return undefined;
      if (close > at + 2 && text[close - 1] === ":") {
        const named = NAMED_CLASSES[text.slice(at + 2, close - 1)];
        if (named === undefined) return undefined;
        ranges.push(...named);
        previous = undefined;
        at = close + 1;
        continue;
      }
    }
    const next = text[at + 1];
    const isRange = text[at] === "-" && previous !== undefined && next !== undefined && next !== "]";
    const member = readMember(text, isRange ? at + 1 : at);
    if (member === undefined) return undefined;
    at = member.end;
    if (isRange && previous !== undefined) {
      if (previous <= member.code) ranges.push({ from: previous, to: member.code });
      previous = undefined;
    } else {
      ranges.push({ from: member.code, to: member.code });
      previous = member.code;
    }
  }
  return undefined;
}

function readMember(text: string, at: number): { readonly code: number; readonly end: number } | undefined {
  const start = text[at] === "\\" ? at + 1 : at;
  const code = text.codePointAt(start);
  return code === undefined ? undefined : { code, end: start + String.fromCodePoint(code).length };
}

/** No bracket expression matches a slash, and minimatch would take one for a separator. */
function withoutSlash({ from, to }: Range): readonly Range[] {
  const range = { from: from === SLASH ? SLASH + 1 : from, to: to === SLASH ? SLASH - 1 : to };
  return range.from <= range.to ? [range] : [];
}

function formatRange({ from, to }: Range): string {
  return from === to ? formatMember(from) : `${formatMember(from)}-${formatMember(to)}`;
}

function formatMember(code: number): string {
  const character = String.fromCodePoint(code);
  return /[[\]\\^!-]/.test(character) ? `\\${character}` : character;
}

/** Pairs of characters, first and last of each range. */
function spans(pairs: string): readonly Range[] {
  const ranges: Range[] = [];
  for (let i = 0; i < pairs.length; i += 2) ranges.push({ from: pairs.charCodeAt(i), to: pairs.charCodeAt(i + 1) });
  return ranges;
}

function codeOf(character: string): number {
  return character.charCodeAt(0);
}
