// Syncthing: two instances with homes of their own on loopback, no discovery, relay or NAT, changes watched as fast as it
// can. Configured by its file, asked through its REST API.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../measure.ts";
import { Daemon, freePort, run, type KeepOptions, type Peer, type ServeOptions, type Server } from "./peer.ts";

export const syncthing: Peer = {
  against: "syncthing",
  label: "Syncthing",
  programs: ["syncthing"],
  version: ["syncthing", "--version"],
  packages: "syncthing",
  isSlow: true,
  serve,
  serveFresh,
  keeping: { label: "Syncthing", start: keep },
};

const API_KEY = "bench";
const FOLDER = "bench";

/** One instance that has not started yet. */
interface Instance {
  readonly home: string;
  readonly deviceId: string;
  readonly apiPort: number;
  readonly syncPort: number;
}

/** The clock runs from starting the second, as with dsync: the first knows its folder by then. */
function serve(options: ServeOptions): Promise<Server> {
  return servedBy(options, { isFresh: false });
}

/** The clock runs from starting the first. */
function serveFresh(options: ServeOptions): Promise<Server> {
  return servedBy(options, { isFresh: true });
}

async function servedBy(
  { source, scratch }: ServeOptions,
  { isFresh }: { readonly isFresh: boolean },
): Promise<Server> {
  const own = mkdtempSync(join(scratch, "syncthing-"));
  const [first, second] = [await prepare(join(own, "first")), await prepare(join(own, "second"))];
  const started: Daemon[] = [];
  if (!isFresh) {
    started.push(await start(first, second, source));
    // It is idle before its first scan, too.
    await until(async () => {
      const { state, localFiles } = await ask(first, `db/status?folder=${FOLDER}`);
      return state === "idle" && localFiles !== 0;
    }, 20);
  }
  return {
    fetch: async (target, isComplete) => {
      if (isFresh) started.push(await start(first, second, source));
      started.push(await start(second, first, target));
      await until(isComplete, 10);
      await until(async () => (await ask(second, `db/completion?folder=${FOLDER}`))["completion"] === 100, 20);
    },
    stop: async () => {
      await Promise.all(started.map((daemon) => daemon.stop()));
      rmSync(own, { recursive: true, force: true });
      rmSync(join(source, ".stfolder"), { recursive: true, force: true });
    },
  };
}

async function keep({ here, there, scratch }: KeepOptions): Promise<Pick<Server, "stop">> {
  const [first, second] = [await prepare(join(scratch, "first")), await prepare(join(scratch, "second"))];
  const started = [await start(first, second, here), await start(second, first, there)];
  return {
    stop: async () => {
      await Promise.all(started.map((daemon) => daemon.stop()));
    },
  };
}

async function prepare(home: string): Promise<Instance> {
  mkdirSync(home, { recursive: true });
  await run(["syncthing", "generate", `--home=${home}`, "--no-default-folder"], { HOME: home });
  const generated = readFileSync(join(home, "config.xml"), "utf8");
  const deviceId = /<device id="([A-Z0-9-]+)"/.exec(generated)?.[1];
  if (deviceId === undefined) throw new Error("Syncthing's configuration names no device.");
  return { home, deviceId, apiPort: await freePort(), syncPort: await freePort() };
}

async function start(instance: Instance, other: Instance, folder: string): Promise<Daemon> {
  writeFileSync(join(instance.home, "config.xml"), configOf(instance, other, folder));
  const command = ["syncthing", "serve", `--home=${instance.home}`, "--no-browser", "--no-restart"];
  return new Daemon(command, { HOME: instance.home, STNOUPGRADE: "1" }).listensOn(instance.apiPort);
}

/** What is not said here has Syncthing's default. */
function configOf(own: Instance, other: Instance, folder: string): string {
  const device = ({ deviceId, syncPort }: Instance): string =>
    `<device id="${deviceId}"><address>tcp://127.0.0.1:${syncPort}</address></device>`;
  return `<configuration version="36">
    <folder id="${FOLDER}" path="${folder}" type="sendreceive" fsWatcherEnabled="true" fsWatcherDelayS="1">
      <device id="${own.deviceId}"/>
      <device id="${other.deviceId}"/>
    </folder>
    ${device(own)}
    ${device(other)}
    <gui enabled="true" tls="false"><address>127.0.0.1:${own.apiPort}</address><apikey>${API_KEY}</apikey></gui>
    <options>
      <listenAddress>tcp://127.0.0.1:${own.syncPort}</listenAddress>
      <globalAnnounceEnabled>false</globalAnnounceEnabled>
      <localAnnounceEnabled>false</localAnnounceEnabled>
      <relaysEnabled>false</relaysEnabled>
      <natEnabled>false</natEnabled>
      <stunServer></stunServer>
      <urAccepted>-1</urAccepted>
      <crashReportingEnabled>false</crashReportingEnabled>
      <setLowPriority>false</setLowPriority>
    </options>
  </configuration>`;
}

/** `path`: below `/rest/`. */
async function ask({ apiPort }: Instance, path: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`http://127.0.0.1:${apiPort}/rest/${path}`, { headers: { "X-API-Key": API_KEY } });
  return (await response.json()) as Record<string, unknown>;
}
