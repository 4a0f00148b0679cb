// Every text in src/ that reads like a message, taken from the source: string and template literals of at least three
// words, each expression in them as "…". Not taken: what files print that hold no messages, and the texts of invariants.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inRepository } from "./documents.ts";

/** Answers, labels and tables, which the help, docs/dsync.1, docs/events.md and their own tests cover. */
const WITHOUT_MESSAGES = new Set([
  "cli/code-words.ts",
  "cli/command-text.ts",
  "cli/commands.ts",
  "cli/completion.ts",
  "cli/doctor-checks.ts",
  "cli/doctor-peers.ts",
  "cli/event-text.ts",
  "cli/file-system-traits.ts",
  "cli/flags.ts",
  "cli/format.ts",
  "cli/help.ts",
  "cli/launchd-plist.ts",
  "cli/line-reporter.ts",
  "cli/live-lines.ts",
  "cli/live-view.ts",
  "cli/systemd-unit.ts",
  "index/store-contract.ts",
  // Names of keys and hashes.
  "content/gear-table.ts",
  "content/manifest.ts",
  "handshake/proof.ts",
  "handshake/verification.ts",
  "index/conflict-path.ts",
  "index/local-change.ts",
  "index/memory-store.ts",
  "index/merge.ts",
]);

const WORDS_MIN = 3;

export interface SourceText {
  readonly file: string;
  readonly text: string;
}

export function messagesInSource(): readonly SourceText[] {
  const root = inRepository("src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !WITHOUT_MESSAGES.has(file));
  return files.flatMap((file) =>
    literalsIn(readFileSync(join(root, file), "utf8"))
      .filter((text) => isMessage(text))
      .map((text) => ({ file, text })),
  );
}

/** The same text whether it stands in a document or in the source. */
export function normalized(text: string): string {
  return text.replaceAll(/…+/g, "…").replaceAll(/\s+/g, " ").trim();
}

function isMessage(text: string): boolean {
  const words = text.split(" ").filter((word) => /\p{L}/u.test(word));
  return /[a-z]/.test(text) && (words.length >= WORDS_MIN || text.startsWith("Cannot "));
}

/** Of well-formatted code: a comment begins a line, and no regular expression holds a lone quote. */
function literalsIn(source: string): readonly string[] {
  const code = source
    .split("\n")
    .filter((line) => !/^\s*(?:\/\/|\/\*|\*|import |export \* )/.test(line))
    .join("\n")
    .replaceAll(/(?<!function )\binvariant\([^;]*;/g, ";");
  const literals: string[] = [];
  let at = 0;
  const readTemplate = (): string => {
    let text = "";
    for (at++; code[at] !== "`" && at < code.length; at++) {
      if (code[at] === "\\") text += unescaped(code[++at] ?? "");
      else if (code.startsWith("${", at)) {
        skipExpression();
        text += "…";
      } else text += code[at];
    }
    return text;
  };
  const readString = (): string => {
    let text = "";
    for (at++; code[at] !== '"' && code[at] !== "\n" && at < code.length; at++) {
      text += code[at] === "\\" ? unescaped(code[++at] ?? "") : code[at];
    }
    return text;
  };
  const readLiteral = (): boolean => {
    if (code[at] !== '"' && code[at] !== "`") return false;
    const text = code[at] === '"' ? readString() : readTemplate();
    literals.push(normalized(text));
    return true;
  };
  const skipExpression = (): void => {
    let depth = 0;
    for (at++; at < code.length; at++) {
      if (readLiteral()) continue;
      if (code[at] === "{") depth++;
      else if (code[at] === "}" && --depth === 0) return;
    }
  };
  for (; at < code.length; at++) {
    // A quote in a regular expression or in another kind of quotes begins nothing.
    if (code[at] === "'" && code[at + 2] === "'") at += 2;
    else if (code[at] === "/" && /[(,=:[!&|?{};\n]\s*$/.test(code.slice(Math.max(0, at - 3), at))) skipRegex();
    else readLiteral();
  }
  return literals;

  function skipRegex(): void {
    let isInClass = false;
    for (at++; at < code.length && code[at] !== "\n"; at++) {
      if (code[at] === "\\") at++;
      else if (code[at] === "[") isInClass = true;
      else if (code[at] === "]") isInClass = false;
      else if (code[at] === "/" && !isInClass) return;
    }
  }
}

function unescaped(character: string): string {
  return character === "n" || character === "t" ? " " : character;
}
