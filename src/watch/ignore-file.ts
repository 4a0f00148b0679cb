// The ignore file of a folder: created on the first run, compiled, and compiled again when it was edited.

import fs from "node:fs";
import { errnoOf, messageOf } from "../core/errors.ts";
import { IGNORE_FILE_BYTES_MAX } from "../core/limits.ts";
import { IGNORE_FILE } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import { packageFile } from "../edge/package-file.ts";
import { ignoreLines, parseIgnoreRules, type IgnoreLine, type IgnoreRules } from "./ignore-rules.ts";

export interface IgnoreFileOptions {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Patterns of `--exclude` and the config file; they come after the file's. */
  readonly exclude: readonly string[];
  /** Reads a file as text; throws system errors. {@link readIgnoreText} if not given. */
  readonly read?: (path: string) => string;
}

const EXAMPLE = ".dsyncignore.example";

/** Creates the ignore file with the shipped defaults unless there is one. Returns whether it did. */
export function createIgnoreFile(root: string, example: URL | string = packageFile(EXAMPLE)): boolean {
  try {
    fs.copyFileSync(example, `${root}/${IGNORE_FILE}`, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Reads the file, unless it is too large to be meant: then it throws EFBIG. */
export function readIgnoreText(path: string): string {
  if (fs.statSync(path).size > IGNORE_FILE_BYTES_MAX) {
    const message = `it is larger than ${IGNORE_FILE_BYTES_MAX} bytes. Shorten it`;
    throw Object.assign(new Error(message), { code: "EFBIG" });
  }
  return fs.readFileSync(path, "utf8");
}

/** The rules that hold now. An ignore file that is gone ignores nothing; one that cannot be read keeps the rules as they were. */
export class IgnoreFile {
  readonly #path: string;
  readonly #readText: (path: string) => string;
  readonly #excludeLines: readonly IgnoreLine[];
  #text: string | undefined;
  #rules: IgnoreRules;
  #problem: Problem | undefined;

  constructor({ root, exclude, read = readIgnoreText }: IgnoreFileOptions) {
    this.#path = `${root}/${IGNORE_FILE}`;
    this.#readText = read;
    this.#excludeLines = exclude.map((text, index) => ({ text, source: "--exclude", line: index + 1 }));
    this.#rules = parseIgnoreRules(this.#excludeLines);
    this.reload();
  }

  get rules(): IgnoreRules {
    return this.#rules;
  }

  /** Why the file could not be read the last time. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Reads the file again. Returns whether the rules are others now: then a full scan is due. */
  reload(): boolean {
    const text = this.#read();
    if (text === undefined || text === this.#text) return false;
    this.#text = text;
    this.#rules = parseIgnoreRules([...ignoreLines(text, IGNORE_FILE), ...this.#excludeLines]);
    return true;
  }

  #read(): string | undefined {
    try {
      const text = this.#readText(this.#path);
      this.#problem = undefined;
      return text;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") {
        this.#problem = undefined;
        return "";
      }
      this.#problem = {
        code: errnoOf(error) ?? "EUNKNOWN",
        message: `Cannot read ${IGNORE_FILE}: ${messageOf(error)}.`,
      };
      return undefined;
    }
  }
}
