// The way back from run flags to the words of a command line, for a service that runs with them later. Pure.

import { formatAddress } from "../pool/address.ts";
import type { RunFlags } from "./command-line.ts";
import { spelled, type FlagName } from "./flags.ts";
import { absolute } from "./locate.ts";
import type { Platform } from "./platform.ts";

/** What was given, and nothing else; files absolute. `folder`: absolute. Secrets are left out: see run-service.ts. */
export function runArguments(folder: string, flags: RunFlags, platform: Platform): readonly string[] {
  const file = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : absolute(path, platform.cwd, platform);
  const rate = flags.rateLimitBytesPerSecond;
  return [
    ...one("path", folder),
    ...one("port", flags.port),
    ...one("name", flags.name),
    ...flags.peers.flatMap(({ host, port }) => one("peer", formatAddress(host, port))),
    ...on("no-discovery", flags.noDiscovery),
    ...flags.exclude.flatMap((pattern) => one("exclude", pattern)),
    ...one("share", flags.share),
    ...one("passphrase-file", file(flags.passphraseFile)),
    ...on("verify", flags.verify),
    ...one("max-concurrent-transfers", flags.maxConcurrentTransfers),
    ...one("rate-limit", rate === undefined ? undefined : `${rate}B/s`),
    ...one("trash-days", flags.trashDays),
    ...on("allow-remote", flags.allowRemote),
    ...one("config", file(flags.config)),
    ...on("verbose", flags.verbose),
    ...on("quiet", flags.quiet),
  ];
}

/** In one word: a value may begin with a dash. */
function one(name: FlagName, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [`${spelled(name)}=${value}`];
}

function on(name: FlagName, isOn: boolean): readonly string[] {
  return isOn ? [spelled(name)] : [];
}
