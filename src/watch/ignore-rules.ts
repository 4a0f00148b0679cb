// Which paths are not synced: the ignore file, `--exclude` and dsync's own reserved names, with gitignore's meaning. Pure.
//
// Invariants:
// 1. Reserved names are ignored whatever the rules say.
// 2. What is below an ignored directory is ignored; no `!` brings it back.
// 3. Of the patterns that match a path, the last one decides.

import { IGNORE_PATTERNS_MAX } from "../core/limits.ts";
import { baseName, isReserved, parentOf, type RelativePath } from "../core/path.ts";
import { parseIgnorePattern, type IgnorePattern } from "./ignore-pattern.ts";

/** One line of an ignore file, or one `--exclude`. */
export interface IgnoreLine {
  readonly text: string;
  /** Where it stands, for a person: `.dsyncignore`, `--exclude`. */
  readonly source: string;
  /** From 1. */
  readonly line: number;
}

/** Which line decides about a path. */
export interface IgnoreVerdict {
  readonly ignored: boolean;
  readonly source: string;
  /** 0 if there is no such line. */
  readonly line: number;
  readonly pattern: string;
}

/** A line that is left out, with the reason for a person. */
export interface IgnoreWarning {
  readonly line: IgnoreLine;
  readonly reason: string;
}

interface Rule {
  readonly pattern: IgnorePattern;
  readonly verdict: IgnoreVerdict;
}

/** Verdicts remembered: one directory is asked about for each of its children, and a change asks several times. */
const REMEMBERED_MAX = 4096;

/** Compiled rules. Lines that come later win. */
export class IgnoreRules {
  readonly warnings: readonly IgnoreWarning[];
  /** The same for rules that say the same. */
  readonly key: string;
  readonly #rules: readonly Rule[];
  readonly #directories = new Map<RelativePath, IgnoreVerdict | undefined>();
  readonly #others = new Map<RelativePath, IgnoreVerdict | undefined>();

  constructor(rules: readonly Rule[], warnings: readonly IgnoreWarning[]) {
    this.#rules = rules;
    this.warnings = warnings;
    this.key = JSON.stringify(rules.map(({ verdict }) => [verdict.pattern, verdict.ignored]));
  }

  /** True if `path`, or a directory above it, is not to be synced. */
  isIgnored(path: RelativePath, isDirectory: boolean): boolean {
    return this.explain(path, isDirectory)?.ignored === true;
  }

  /** The line that decides about `path`; `undefined` if none speaks of it, and it is synced. */
  explain(path: RelativePath, isDirectory: boolean): IgnoreVerdict | undefined {
    const remembered = isDirectory ? this.#directories : this.#others;
    const known = remembered.get(path);
    if (known !== undefined || remembered.has(path)) return known;
    const verdict = this.#explainNew(path, isDirectory);
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(path, verdict);
    return verdict;
  }

  #explainNew(path: RelativePath, isDirectory: boolean): IgnoreVerdict | undefined {
    const parent = parentOf(path);
    const above = parent === undefined ? undefined : this.explain(parent, true);
    return above?.ignored === true ? above : this.#explainAlone(path, isDirectory);
  }

  #explainAlone(path: RelativePath, isDirectory: boolean): IgnoreVerdict | undefined {
    const name = baseName(path);
    if (isReserved(path)) return { ignored: true, source: "built in", line: 0, pattern: name };
    return this.#rules.findLast(
      ({ pattern }) => (isDirectory || !pattern.directoriesOnly) && pattern.matches(path, name),
    )?.verdict;
  }
}

/** Compiles `lines` in their order of precedence: the ignore file's first, then `--exclude`. */
export function parseIgnoreRules(lines: readonly IgnoreLine[]): IgnoreRules {
  const rules: Rule[] = [];
  const warnings: IgnoreWarning[] = [];
  for (const line of lines) {
    const parsed = parseIgnorePattern(line.text);
    if (parsed.kind === "blank") continue;
    if (parsed.kind === "refused") {
      warnings.push({ line, reason: parsed.reason });
    } else if (rules.length >= IGNORE_PATTERNS_MAX) {
      warnings.push({ line, reason: `more than ${IGNORE_PATTERNS_MAX} patterns` });
      break;
    } else {
      const { pattern } = parsed;
      const verdict = { ignored: !pattern.negated, source: line.source, line: line.line, pattern: line.text.trim() };
      rules.push({ pattern, verdict });
    }
  }
  return new IgnoreRules(rules, warnings);
}

/** The lines of an ignore file's text. */
export function ignoreLines(text: string, source: string): readonly IgnoreLine[] {
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line, index) => ({ text: line, source, line: index + 1 }));
}
