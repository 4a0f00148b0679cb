// `cp -a`: what the disk alone costs.

import { run, type Peer } from "./peer.ts";

export const copy: Peer = {
  against: "cp",
  label: "cp -a",
  programs: ["cp"],
  version: ["cp", "--version"],
  packages: "coreutils",
  isSlow: false,
  serve: ({ source }) =>
    Promise.resolve({
      fetch: (target) => copyTree(source, target),
      stop: () => Promise.resolve(),
    }),
};

/** Copies what is in one directory into another. */
export function copyTree(from: string, to: string): Promise<void> {
  return run(["cp", "-a", `${from}/.`, to]);
}
