// The values that a person gives, on the command line and in the config file alike: what is expected, and how it is
// read. Each parser returns `undefined` for what it does not accept. Pure.

import { isIPv4, isIPv6 } from "node:net";
import { DATA_CHANNELS_MAX, HOST_NAME_BYTES_MAX, NAME_BYTES_MAX, TRASH_DAYS_MAX } from "../core/limits.ts";

/** One kind of value. `expected` completes "… is 70000, but must be". */
export interface ValueKind<T> {
  readonly expected: string;
  parse(text: string): T | undefined;
}

/** A peer's address as given: `host` is an IP address (IPv6 without brackets) or a name. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_PORT = 9000;

export const PORT: ValueKind<number> = {
  expected: "a port number from 0 to 65535 (0: any)",
  parse: (text) => parseWhole(text, 0, 65_535),
};

export const TRANSFERS: ValueKind<number> = {
  expected: `a whole number from 1 to ${DATA_CHANNELS_MAX}`,
  parse: (text) => parseWhole(text, 1, DATA_CHANNELS_MAX),
};

export const DAYS: ValueKind<number> = {
  expected: `a whole number of days from 0 (no trash) to ${TRASH_DAYS_MAX}`,
  parse: (text) => parseWhole(text, 0, TRASH_DAYS_MAX),
};

/** Friendly names and share names. */
export const NAME: ValueKind<string> = {
  expected: `a name of 1 to ${NAME_BYTES_MAX} bytes without control characters`,
  parse(text) {
    const name = text.normalize("NFC").trim();
    const isGood = name !== "" && Buffer.byteLength(name) <= NAME_BYTES_MAX && isPrintable(name);
    return isGood ? name : undefined;
  },
};

/** Paths of folders and files, and patterns. */
export const TEXT: ValueKind<string> = {
  expected: "a text that is not empty",
  parse: (text) => (text === "" || text.includes("\0") ? undefined : text),
};

export const PEER: ValueKind<PeerAddress> = {
  expected: "host:port or [IPv6]:port (the port may be left out after an IP address, localhost or a name with a dot)",
  parse: parsePeerAddress,
};

/** Bytes per second. */
export const RATE: ValueKind<number> = {
  expected: "a rate such as 500KB/s, 20MB/s or 1.5MiB/s",
  parse: parseRate,
};

function parseWhole(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function isPrintable(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);
}

function parsePeerAddress(text: string): PeerAddress | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed !== null) return peerAddress(bracketed[1], bracketed[2], isIPv6);
  // Several colons and no brackets: an IPv6 address alone.
  if (text.includes(":", text.indexOf(":") + 1)) return peerAddress(text, undefined, isIPv6);
  const named = /^([^:]+)(?::(\d{1,5}))?$/.exec(text);
  // A word alone is more often a slip (a forgotten flag, a missing port) than a host.
  if (named === null || (named[2] === undefined && !/\.|^localhost$/.test(text))) return undefined;
  return peerAddress(named[1], named[2], isHost);
}

function peerAddress(
  host: string | undefined,
  port: string | undefined,
  isGood: (host: string) => boolean,
): PeerAddress | undefined {
  const number = port === undefined ? DEFAULT_PORT : parseWhole(port, 1, 65_535);
  return host === undefined || number === undefined || !isGood(host) ? undefined : { host, port: number };
}

/** A host name or IPv4 address. */
function isHost(host: string): boolean {
  if (/^[\d.]+$/.test(host)) return isIPv4(host);
  const labels = host.replace(/\.$/, "").split(".");
  return (
    host.length <= HOST_NAME_BYTES_MAX && labels.every((label) => /^[\p{L}\p{N}_][\p{L}\p{N}_-]{0,62}$/u.test(label))
  );
}

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

function parseRate(text: string): number | undefined {
  const parts = /^(\d{1,12}(?:\.\d{1,6})?) ?([a-z]{1,3})(?:\/s)?$/i.exec(text.trim());
  const unit = UNITS[(parts?.[2] ?? "").toLowerCase()];
  // `Mb` is a megabit to those who write it so: better to ask than to be eight times off.
  if (parts === null || unit === undefined || /^[KMG]i?b$/.test(parts[2] ?? "")) return undefined;
  const rate = Math.floor(Number(parts[1]) * unit);
  return rate >= 1 && Number.isSafeInteger(rate) ? rate : undefined;
}
