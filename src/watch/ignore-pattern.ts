// One pattern of an ignore file, with gitignore's meaning (gitignore(5)), compiled once. Pure.
//
// minimatch does the matching. What git and minimatch read differently (bracket expressions, escapes, runs of stars)
// is rewritten first, so that minimatch sees only what both agree on.

import { Minimatch, type MinimatchOptions } from "minimatch";
import { IGNORE_GLOBSTARS_MAX, IGNORE_PATTERN_LENGTH_MAX } from "../core/limits.ts";
import { rewriteBracket } from "./ignore-bracket.ts";

/** What a pattern says of a path, without its parents. */
export interface IgnorePattern {
  /** `!pattern`: matching paths are synced again. */
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
  /** `name` is the last component of `path`. */
  readonly matches: (path: string, name: string) => boolean;
}

/** `blank`: nothing to match (empty, comment). `refused`: too long or too costly, with the reason for a person. */
export type ParsedPattern =
  | { readonly kind: "pattern"; readonly pattern: IgnorePattern }
  | { readonly kind: "blank" }
  | { readonly kind: "refused"; readonly reason: string };

const OPTIONS: MinimatchOptions = {
  dot: true,
  nobrace: true,
  noext: true,
  nonegate: true,
  nocomment: true,
  optimizationLevel: 0,
  preserveMultipleSlashes: true,
  // The same on every machine: `\` escapes, `/` separates.
  platform: "linux",
};

/** `line`: without its line end. */
export function parseIgnorePattern(line: string): ParsedPattern {
  let text = trimTrailingSpaces(line.endsWith("\r") ? line.slice(0, -1) : line);
  if (text === "" || text.startsWith("#")) return { kind: "blank" };
  if (text.length > IGNORE_PATTERN_LENGTH_MAX) {
    return { kind: "refused", reason: `longer than ${IGNORE_PATTERN_LENGTH_MAX} characters` };
  }
  const negated = text.startsWith("!");
  if (negated) text = text.slice(1);
  const directoriesOnly = text.endsWith("/");
  if (directoriesOnly) text = text.slice(0, -1);
  const anchored = text.includes("/");
  const glob = rewrite(text.startsWith("/") ? text.slice(1) : text);
  if (glob !== undefined && glob.split("/").filter((part) => part === "**").length > IGNORE_GLOBSTARS_MAX) {
    return { kind: "refused", reason: `more than ${IGNORE_GLOBSTARS_MAX} times **` };
  }
  const matches = glob === undefined ? () => false : anchored ? pathMatcher(glob) : nameMatcher(glob);
  return { kind: "pattern", pattern: { negated, directoriesOnly, matches } };
}

function trimTrailingSpaces(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === " ") end--;
  // An odd number of backslashes before the first of the spaces keeps that one.
  const backslashes = /\\*$/.exec(text.slice(0, end))?.[0].length ?? 0;
  return text.slice(0, end < text.length && backslashes % 2 === 1 ? end + 1 : end);
}

function nameMatcher(glob: string): IgnorePattern["matches"] {
  // Without a slash, `**` is a star like any other.
  const pattern = glob === "**" ? "*" : glob;
  const literal = literalOf(pattern);
  if (literal !== undefined) return (_path, name) => name === literal;
  const suffix = pattern.startsWith("*") ? literalOf(pattern.slice(1)) : undefined;
  if (suffix !== undefined) return (_path, name) => name.endsWith(suffix);
  const minimatch = new Minimatch(pattern, OPTIONS);
  const prefix = literalPrefixOf(pattern);
  return (_path, name) => name.startsWith(prefix) && minimatch.match(name);
}

function pathMatcher(glob: string): IgnorePattern["matches"] {
  const literal = literalOf(glob);
  if (literal !== undefined) return (path) => path === literal;
  const minimatch = new Minimatch(glob, OPTIONS);
  const prefix = literalPrefixOf(glob);
  return (path) => path.startsWith(prefix) && minimatch.match(path);
}

/** What everything that matches begins with: cheaper to ask than the whole pattern. */
function literalPrefixOf(glob: string): string {
  return /^[^*?[\\]*/.exec(glob)?.[0] ?? "";
}

/** The only text that `glob` matches, or `undefined` if there is more than one. */
function literalOf(glob: string): string | undefined {
  return /[*?[]/.test(glob.replaceAll(/\\./gsu, "")) ? undefined : glob.replaceAll(/\\(.)/gsu, "$1");
}

/** The pattern as minimatch must read it, or `undefined` if it can never match anything. */
function rewrite(text: string): string | undefined {
  let glob = "";
  let at = 0;
  while (at < text.length) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += character.length;
    if (character === "\\") {
      const escaped = String.fromCodePoint(text.codePointAt(at) ?? 0);
      // A backslash at the end.
      if (at >= text.length) return undefined;
      glob += /[*?[\]\\]/.test(escaped) ? `\\${escaped}` : escaped;
      at += escaped.length;
    } else if (character === "[") {
      const bracket = rewriteBracket(text, at);
      if (bracket === undefined) return undefined;
      glob += bracket.glob;
      at = bracket.end;
    } else {
      glob += character;
    }
  }
  const parts = glob.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) return undefined;
  return parts.map(simplifyStars).join("/");
}

function simplifyStars(part: string): string {
  if (/^\*{2,}$/.test(part)) return "**";
  return part.replaceAll(/(\\.)|\*+/gsu, (_match, escaped: string | undefined) => escaped ?? "*");
}
