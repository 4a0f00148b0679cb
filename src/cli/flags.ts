// Every flag of the command line in one table, from which parsing, help and hints are made. Pure.

/** A flag as a person writes it, without its dashes. */
export interface Flag {
  readonly name: string;
  readonly letter?: string;
  /** What follows it, for the help; a flag without one is a switch. */
  readonly value?: string;
  readonly isRepeatable?: boolean;
  readonly help: string;
}

export const FLAGS = [
  { name: "path", letter: "d", value: "<dir>", help: "folder to sync (or in the config file)" },
  { name: "port", letter: "p", value: "<n>", help: "TCP port; 0: any (9000, or the next free)" },
  { name: "name", letter: "n", value: "<name>", help: "friendly name of this instance (host name)" },
  { name: "peer", letter: "a", value: "<host:port>", isRepeatable: true, help: "connect to this peer too; repeatable" },
  { name: "no-discovery", help: "no mDNS: neither announce nor browse" },
  { name: "exclude", letter: "e", value: "<pattern>", isRepeatable: true, help: "ignore this too; repeatable" },
  { name: "share", value: "<name>", help: "only sync with peers of the same share" },
  { name: "passphrase", value: "<text>", help: "only peers that know it connect" },
  { name: "passphrase-file", value: "<file>", help: "the same: the first line of a file" },
  { name: "code", value: "[words]", help: "the same: makes or takes three words" },
  { name: "verify", help: "show words to compare with each peer" },
  { name: "max-concurrent-transfers", value: "<n>", help: "data channels per peer (4)" },
  { name: "rate-limit", value: "<rate>", help: "up and down each, e.g. 20MB/s (none)" },
  { name: "trash-days", value: "<n>", help: "keep replaced content this long (14)" },
  { name: "allow-remote", help: "accept peers with addresses not local" },
  { name: "config", value: "<file>", help: "another config file" },
  { name: "verbose", letter: "v", help: "detailed log" },
  { name: "quiet", letter: "q", help: "errors only" },
  { name: "json", help: "one JSON object per event, or per answer" },
  { name: "version", letter: "V", help: "print the version" },
  { name: "help", letter: "h", help: "print this" },
] as const satisfies readonly Flag[];

export type FlagName = (typeof FLAGS)[number]["name"];

/** The same table with the optional fields of every row. */
export const ALL_FLAGS: readonly (Flag & { readonly name: FlagName })[] = FLAGS;

/** `--path` for `path`. */
export function spelled(name: FlagName): string {
  return `--${name}`;
}
