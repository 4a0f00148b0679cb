// Plain values of what the command line and the reporters deal with, for tests to change what matters to them.

import type { RunFlags } from "../../src/cli/command-line.ts";
import { NO_SETTINGS } from "../../src/cli/settings.ts";
import type { Progress } from "../../src/core/events.ts";

/** Of `dsync` without a word behind it. */
export const NO_FLAGS: RunFlags = {
  ...NO_SETTINGS,
  passphrase: undefined,
  code: undefined,
  verify: false,
  verbose: false,
  quiet: false,
  json: false,
  config: undefined,
};

/** Of an instance that has nothing to do. */
export const QUIET: Progress = {
  pendingFiles: 0,
  pendingBytes: 0,
  outgoingFiles: 0,
  outgoingBytes: 0,
  receivedBytesPerSecond: 0,
  sentBytesPerSecond: 0,
  scanning: false,
  scannedFiles: 0,
  entries: 9,
  transfers: [],
  peers: [],
};
