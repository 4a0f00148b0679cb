// Where the passphrase comes from: the command line, the environment, or a file. No message here ever repeats it.

import { readFileSync, statSync } from "node:fs";
import { errnoOf, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { shellWord } from "../core/shell-word.ts";
import { CONFIG_FILE_BYTES_MAX } from "../core/limits.ts";
import { parseCode } from "./code.ts";
import type { RunFlags } from "./command-line.ts";
import type { Config } from "./config-file.ts";
import { absolute, directoryOf } from "./locate.ts";
import type { Platform } from "./platform.ts";
import { usageError } from "./settings.ts";

/** The passphrase, or `undefined` if none is used. Reads the file, if there is one. Throws a DsyncError `usage`. */
export function resolvePassphrase(flags: RunFlags, config: Config, platform: Platform): string | undefined {
  if (flags.passphrase !== undefined) return flags.passphrase;
  if (flags.code !== undefined) return parseCode(flags.code);
  const fromEnvironment = platform.environment["DSYNC_PASSPHRASE"];
  if (flags.passphraseFile === undefined && fromEnvironment !== undefined) {
    // Set but empty is more often a slip than a wish, and it would open the folder to everybody.
    if (fromEnvironment === "")
      throw usageError("DSYNC_PASSPHRASE is set but empty. Unset it, or give it a passphrase.");
    return fromEnvironment;
  }
  const file = passphraseFile(flags, config, platform);
  return file === undefined ? undefined : readPassphrase(file);
}

/** What a person should know about the passphrase file that is used; one sentence each. */
export function passphraseWarnings(flags: RunFlags, config: Config, platform: Platform): readonly string[] {
  const file = passphraseFile(flags, config, platform);
  // Windows keeps no permission bits: what Node shows there says nothing about others.
  if (file === undefined || platform.system === "win32" || (statSync(file).mode & 0o077) === 0) return [];
  const name = escapeForTerminal(file);
  return [`Other users of this machine can read the passphrase file ${name}: chmod 600 ${shellWord(file)}`];
}

/** The file that is looked at, absolute. */
function passphraseFile(flags: RunFlags, config: Config, platform: Platform): string | undefined {
  if (flags.passphraseFile !== undefined) return absolute(flags.passphraseFile, platform.cwd, platform);
  const isGivenOtherwise = flags.passphrase !== undefined || flags.code !== undefined;
  const file = config.settings.passphraseFile;
  if (isGivenOtherwise || platform.environment["DSYNC_PASSPHRASE"] !== undefined || file === undefined)
    return undefined;
  return absolute(file, directoryOf(config, platform), platform);
}

/** The first line. */
function readPassphrase(file: string): string {
  const shown = escapeForTerminal(file);
  const [passphrase = ""] = readSmallFile(file, shown).split(/\r?\n/, 1);
  if (passphrase === "")
    throw usageError(`The passphrase file ${shown} is empty, or its first line is. Write the passphrase there.`);
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
