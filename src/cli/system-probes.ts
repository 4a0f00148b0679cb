// The real machine, as `dsync doctor` asks it.

import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { errnoOf, messageOf } from "../core/errors.ts";
import { isLinkLocal6 } from "../discovery/interfaces.ts";
import { openMdnsSocket } from "../discovery/mdns-socket.ts";
import { probeMulticast } from "../discovery/probe-multicast.ts";
import { systemInterfaces } from "../discovery/system-interfaces.ts";
import { systemClock } from "../edge/clock.ts";
import { systemRandom } from "../edge/random.ts";
import { isLocalAddress } from "../pool/address.ts";
import { directoriesCountedMax } from "./doctor-facts.ts";
import type { Probes } from "./gather-facts.ts";

const TOOL_MS_MAX = 3_000;
const CONNECT_MS_MAX = 2_000;
const NONCE_BYTES = 6;

/** All but what concerns the running instance. */
export function systemProbes(): Omit<Probes, "status"> {
  return {
    nowMs: () => systemClock.now(),
    readText,
    exists: existsSync,
    runTool,
    deniedAt,
    freeBytes: (path) => {
      const { bavail, bsize } = statfsSync(path);
      return bavail * bsize;
    },
    countDirectories,
    tryPort,
    canConnect,
    multicast: () =>
      probeMulticast({
        interfaces: systemInterfaces(),
        openSocket: openMdnsSocket,
        clock: systemClock,
        nonce: `doctor-${Buffer.from(systemRandom.bytes(NONCE_BYTES)).toString("hex")}`,
      }),
    ownAddresses: () =>
      systemInterfaces()
        .filter(({ loopback }) => !loopback)
        .flatMap(({ addresses }) => addresses.map(({ address }) => address))
        // From any other the instance would refuse us, and say so.
        .filter((address) => isLocalAddress(address) && !isLinkLocal6(address)),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function runTool(tool: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(tool, args, { timeout: TOOL_MS_MAX }, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}

function deniedAt(path: string): string | null {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Symlinks are not followed; what cannot be read counts as one. */
async function countDirectories(root: string): Promise<number> {
  const waiting = [root];
  let count = 0;
  for (let path = waiting.pop(); path !== undefined && count < directoriesCountedMax; path = waiting.pop()) {
    count++;
    const directory = path;
    const items = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const item of items) if (item.isDirectory()) waiting.push(join(directory, item.name));
  }
  return count;
}

function tryPort(port: number): ReturnType<Probes["tryPort"]> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      resolve(errnoOf(error) === "EADDRINUSE" ? "taken" : { reason: messageOf(error) });
    });
    server.listen(port, () => server.close(() => resolve("free")));
  });
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const settle = (can: boolean): void => {
      socket.destroy();
      resolve(can);
    };
    socket.setTimeout(CONNECT_MS_MAX, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
