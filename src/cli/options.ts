// Command line, environment and config file → one checked value. The command line wins over the environment, that over
// the config file. Peers and patterns add up instead, the config file's first: a later pattern can undo an earlier one.

import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { errnoOf, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { CONFIG_FILE_BYTES_MAX, NAME_BYTES_MAX } from "../core/limits.ts";
import type { RunFlags } from "./command-line.ts";
import type { Config } from "./config-file.ts";
import type { Platform } from "./platform.ts";
import { USAGE } from "./help.ts";
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
    passphrase: resolvePassphrase(flags, config, platform),
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

/** An absolute path; `~` is expanded where no shell did. */
export function absolute(path: string, base: string, { home }: Platform): string {
  if (home !== "" && (path === "~" || path.startsWith("~/"))) return resolve(home, path.slice(2));
  return isAbsolute(path) ? resolve(path) : resolve(base, path);
}

function directoryOf(config: Config, { cwd }: Platform): string {
  return config.file === undefined ? cwd : dirname(resolve(cwd, config.file));
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

function resolvePassphrase(flags: RunFlags, config: Config, platform: Platform): string | undefined {
  if (flags.passphrase !== undefined) return flags.passphrase;
  if (flags.passphraseFile !== undefined) return readPassphrase(absolute(flags.passphraseFile, platform.cwd, platform));
  const fromEnvironment = platform.environment["DSYNC_PASSPHRASE"];
  if (fromEnvironment !== undefined) {
    // Set but empty is more often a slip than a wish, and it would open the folder to everybody.
    if (fromEnvironment === "")
      throw usageError("DSYNC_PASSPHRASE is set but empty. Unset it, or give it a passphrase.");
    return fromEnvironment;
  }
  const file = config.settings.passphraseFile;
  return file === undefined ? undefined : readPassphrase(absolute(file, directoryOf(config, platform), platform));
}

function readPassphrase(file: string): string {
  const shown = escapeForTerminal(file);
  const passphrase = readSmallFile(file, shown).replace(/\r?\n$/, "");
  if (passphrase === "") throw usageError(`The passphrase file ${shown} is empty.`);
  return passphrase;
}

function readSmallFile(file: string, shown: string): string {
  try {
    if (statSync(file).size > CONFIG_FILE_BYTES_MAX) throw new Error("it is too large for one");
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = errnoOf(error) === "ENOENT" ? "there is no such file" : messageOf(error);
    throw usageError(`Cannot read the passphrase file ${shown}: ${reason}.`, { cause: error });
  }
}
