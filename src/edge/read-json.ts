// Reads small state files as values that the caller still has to check.

import { readFileSync } from "node:fs";
import { errnoOf } from "../core/errors.ts";

/** The fields of the JSON object in the file, or `undefined` if there is no file or no such object in it. Throws other system errors. */
export function readJsonObject(path: string): Readonly<Record<string, unknown>> | undefined {
  const text = readIfThere(path);
  return text === undefined ? undefined : parseJsonObject(text);
}

/** The file's text, or `undefined` if there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** The fields of a JSON object, or `undefined` if `text` is not one. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True for objects that are no arrays. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
