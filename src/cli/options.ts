// Command line, environment and config file → one checked value. The command line wins over the environment, that over
// the config file. Peers and patterns add up instead, the config file's first: a later pattern can undo an earlier one.

import { NAME_BYTES_MAX } from "../core/limits.ts";
import type { RunFlags } from "./command-line.ts";
import type { Config } from "./config-file.ts";
import type { Platform } from "./platform.ts";
import { USAGE } from "./help.ts";
import { absolute, directoryOf } from "./locate.ts";
import { resolvePassphrase } from "./passphrase.ts";
import { usageError } from "./settings.ts";
import { DEFAULT_PORT, NAME, type PeerAddress } from "./values.ts";

/** What an instance runs with. */
export interface Options {
  /** Absolute; symlinks not resolved, existence not checked. */
  readonly folder: string;
  /** `explicit`: a person asked for it, so that another one will not do. */
  readonly port: { readonly value: number; readonly explicit: boolean };
  readonly name: string;
  readonly peers: readonly PeerAddress[];
  readonly discovery: boolean;
  /** Ignore patterns beside the ignore file's, in order. */
  readonly exclude: readonly string[];
  readonly verbosity: Verbosity;
  readonly json: boolean;
  readonly share: string;
  readonly passphrase: string | undefined;
  /** Make a code and show it: that is the passphrase then. */
  readonly makesCode: boolean;
  /** Show what people compare to know who is at the other end. */
  readonly verify: boolean;
  readonly maxConcurrentTransfers: number;
  /** Up and down each; `undefined`: no limit. */
  readonly rateLimitBytesPerSecond: number | undefined;
  /** 0: no trash. */
  readonly trashDays: number;
  readonly allowRemote: boolean;
}

export type Verbosity = "quiet" | "normal" | "verbose";

const DEFAULT_SHARE = "default";
const DEFAULT_NAME = "dsync-instance";
const DEFAULT_TRANSFERS = 4;
const DEFAULT_TRASH_DAYS = 14;

/** Throws a DsyncError `usage`. Reads the passphrase file, if there is one; touches nothing else. */
export function resolveOptions(flags: RunFlags, config: Config, platform: Platform): Options {
  const { settings } = config;
  const port = flags.port ?? settings.port;
  return {
    folder: resolveFolder(flags.path, config, platform),
    port: { value: port ?? DEFAULT_PORT, explicit: port !== undefined },
    name: flags.name ?? settings.name ?? defaultName(platform.hostName),
    peers: [...settings.peers, ...flags.peers],
    discovery: !(flags.noDiscovery || settings.noDiscovery),
    exclude: [...settings.exclude, ...flags.exclude],
    verbosity: flags.quiet ? "quiet" : flags.verbose ? "verbose" : "normal",
    json: flags.json,
    share: flags.share ?? settings.share ?? DEFAULT_SHARE,
    passphrase: flags.code === "" ? undefined : resolvePassphrase(flags, config, platform),
    makesCode: flags.code === "",
    verify: flags.verify,
    maxConcurrentTransfers: flags.maxConcurrentTransfers ?? settings.maxConcurrentTransfers ?? DEFAULT_TRANSFERS,
    rateLimitBytesPerSecond: flags.rateLimitBytesPerSecond ?? settings.rateLimitBytesPerSecond,
    trashDays: flags.trashDays ?? settings.trashDays ?? DEFAULT_TRASH_DAYS,
    allowRemote: flags.allowRemote || settings.allowRemote,
  };
}

/** The absolute folder that the command line (`path`) or else the config file names. Throws a DsyncError `usage`. */
export function resolveFolder(path: string | undefined, config: Config, platform: Platform): string {
  if (path !== undefined) return absolute(path, platform.cwd, platform);
  if (config.settings.path !== undefined)
    return absolute(config.settings.path, directoryOf(config, platform), platform);
  throw usageError(`Which folder? Name it with -d, or as path in the config file.\n${USAGE}`);
}

/** The host name, made to fit. */
function defaultName(hostName: string): string {
  let name = "";
  for (const character of hostName.toWellFormed().replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "")) {
    if (Buffer.byteLength(name + character) > NAME_BYTES_MAX) break;
    name += character;
  }
  return NAME.parse(name) ?? DEFAULT_NAME;
}
