// What can be set both on the command line and in the config file: one type that both are parsed into, and the checks
// that they share. Pure.

import { DsyncError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import type { PeerAddress, ValueKind } from "./values.ts";

/** Checked values; `undefined`: not given there. */
export interface Settings {
  /** As given: neither absolute nor expanded. */
  readonly path: string | undefined;
  readonly port: number | undefined;
  readonly name: string | undefined;
  readonly peers: readonly PeerAddress[];
  readonly noDiscovery: boolean;
  readonly exclude: readonly string[];
  readonly share: string | undefined;
  readonly passphraseFile: string | undefined;
  readonly maxConcurrentTransfers: number | undefined;
  readonly rateLimitBytesPerSecond: number | undefined;
  readonly trashDays: number | undefined;
  readonly allowRemote: boolean;
}

export const NO_SETTINGS: Settings = {
  path: undefined,
  port: undefined,
  name: undefined,
  peers: [],
  noDiscovery: false,
  exclude: [],
  share: undefined,
  passphraseFile: undefined,
  maxConcurrentTransfers: undefined,
  rateLimitBytesPerSecond: undefined,
  trashDays: undefined,
  allowRemote: false,
};

/** The parsed value; throws a DsyncError `usage` that names where it was given (`--port`), the value and what is expected. */
export function checked<T>(kind: ValueKind<T>, where: string, text: string): T {
  if (text === "") throw usageError(`${where} needs a value: ${kind.expected}.`);
  const value = kind.parse(text);
  if (value === undefined) throw wrongValue(where, text, kind.expected);
  return value;
}

/** `given`: the value as the person wrote it. */
export function wrongValue(where: string, given: string, expected: string): DsyncError {
  return usageError(`${where} is ${JSON.stringify(shorten(escapeForTerminal(given)))}, but must be ${expected}.`);
}

export function usageError(message: string, options?: ErrorOptions): DsyncError {
  return new DsyncError("usage", message, options);
}

const VALUE_CHARACTERS_MAX = 100;

function shorten(text: string): string {
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
}
