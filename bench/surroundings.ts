// Where a run took place: what its figures cannot be compared without.

import { execFileSync, spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import type { Peer } from "./peers/peer.ts";

export interface Surroundings {
  readonly cpus: number;
  readonly model: string;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly node: string;
  /** Of the scratch directory. */
  readonly fileSystem: string;
  /** The first line of what each peer says of itself, by its label. */
  readonly versions: Readonly<Record<string, string>>;
}

export function surroundingsOf(scratch: string, peers: readonly Peer[]): Surroundings {
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? "unknown",
    memoryMb: Math.round(totalmem() / 1e6),
    kernel: release(),
    node: process.version,
    fileSystem: fileSystemOf(scratch),
    versions: Object.fromEntries(peers.map(({ label, version }) => [label, firstLine(version)])),
  };
}

/** Above a table: a list of the peers, and a line of everything else. */
export function headingOf({ versions, ...rest }: Surroundings): string {
  const memory = `${Math.round((rest.memoryMb * 1e6) / 2 ** 30)} GiB`;
  const machine = [
    `${rest.cpus} × ${rest.model}`,
    memory,
    `Node ${rest.node}`,
    `Linux ${rest.kernel}`,
    rest.fileSystem,
  ];
  const peers = Object.entries(versions).map(([label, version]) => `- ${label}: ${version}\n`);
  return `${peers.join("")}\n${new Date().toISOString().slice(0, 10)}, ${machine.join(", ")}.`.trim();
}

/** Its type, as `mount` names it. */
function fileSystemOf(directory: string): string {
  return execFileSync("df", ["--output=fstype", directory], { encoding: "utf8" }).trim().split("\n").at(-1) ?? "";
}

/** Of either output: not everything that is asked for a version answers on the same. */
function firstLine([program = "", ...args]: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return `${stdout}\n${stderr}`.trim().split("\n", 1)[0]?.replaceAll(/\s+/g, " ") ?? "";
}
