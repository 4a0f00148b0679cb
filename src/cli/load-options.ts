// The way from a parsed command line to what to run with: finds and reads the config file in between.

import type { RunFlags } from "./command-line.ts";
import { defaultConfigFile, readConfig, type Config } from "./config-file.ts";
import { absolute } from "./locate.ts";
import { resolveFolder, resolveOptions, type Options } from "./options.ts";
import { passphraseWarnings } from "./passphrase.ts";
import type { Platform } from "./platform.ts";

export interface LoadedOptions {
  readonly options: Options;
  /** About the config file and the passphrase file; one sentence each. */
  readonly warnings: readonly string[];
}

/** Throws a DsyncError `usage`. */
export function loadOptions(flags: RunFlags, platform: Platform): LoadedOptions {
  const config = loadConfig(flags.config, platform);
  const options = resolveOptions(flags, config, platform);
  return { options, warnings: [...config.warnings, ...passphraseWarnings(flags, config, platform)] };
}

/** What the commands beside an instance need of the config: its folder (absolute), its share and port. Throws a DsyncError `usage`. */
export function loadFolder(
  command: { readonly path: string | undefined; readonly config: string | undefined },
  platform: Platform,
): { readonly folder: string; readonly share: string | undefined; readonly port: number | undefined } {
  const config = loadConfig(command.config, platform);
  const { share, port } = config.settings;
  return { folder: resolveFolder(command.path, config, platform), share, port };
}

function loadConfig(explicit: string | undefined, platform: Platform): Config {
  return readConfig({
    explicit: explicit === undefined ? undefined : absolute(explicit, platform.cwd, platform),
    usual: defaultConfigFile(platform),
  });
}
