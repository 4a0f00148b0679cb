// `dsync -d folder`: from flags to a running instance, until somebody asks it to stop.

import { loadBlake3 } from "../content/blake3.ts";
import { DsyncError, messageOf } from "../core/errors.ts";
import type { DsyncEvent } from "../core/events.ts";
import { Discovery } from "../discovery/discovery.ts";
import { isLinkLocal6 } from "../discovery/interfaces.ts";
import { openMdnsSocket } from "../discovery/mdns-socket.ts";
import { shareHash } from "../discovery/service-records.ts";
import { systemInterfaces } from "../discovery/system-interfaces.ts";
import { systemClock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import { stateDirectory } from "../edge/folder-record.ts";
import { releaseMemory } from "../edge/release-memory.ts";
import { systemRandom } from "../edge/random.ts";
import { tcpNetwork } from "../edge/tcp-network.ts";
import type { RenewableJobRunner } from "../edge/worker-runner.ts";
import { selectCurves } from "../handshake/curves.ts";
import { createIdentity, type Identity } from "../handshake/identity.ts";
import { passphraseBytes } from "../handshake/passphrase-exchange.ts";
import { selectAead } from "../handshake/select-aead.ts";
import { formatAddress } from "../pool/address.ts";
import { PROTOCOL_VERSION } from "../pool/messages.ts";
import { channelOpener } from "../pool/open-channel.ts";
import { Instance } from "../sync/instance.ts";
import { openFolder } from "../sync/open-folder.ts";
import { trashAccess } from "../transfer/trash-access.ts";
import { createIgnoreFile, IgnoreFile } from "../watch/ignore-file.ts";
import { createSystemWatcher } from "../watch/system-watcher.ts";
import { codeBanner, makeCode } from "./code.ts";
import type { RunFlags } from "./command-line.ts";
import { createReporter } from "./create-reporter.ts";
import { DiscoveredTargets } from "./discovered-targets.ts";
import { folderAccess } from "./local-access.ts";
import { LocalApi } from "./local-api.ts";
import { answerLocally } from "./local-messages.ts";
import { loadOptions } from "./load-options.ts";
import type { Options } from "./options.ts";
import type { Platform } from "./platform.ts";
import type { Output } from "./reporter.ts";
import { socketPathFor } from "./socket-path.ts";
import { verificationWords } from "./verification-words.ts";

export interface RunSurroundings {
  readonly platform: Platform;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Leave the native twins of libraries alone (DSYNC_PORTABLE=1). */
  readonly portable: boolean;
  /** Closed with the instance. */
  readonly jobs: RenewableJobRunner;
  /** Calls back when somebody asks the instance to stop. */
  readonly onStop: (stop: () => void) => void;
}

/** What cannot be finished in this time is finished after the next start. */
const STOP_MS_MAX = 1_800;

/** Resolves when it has stopped as asked. Throws a DsyncError. */
export async function runInstance(flags: RunFlags, around: RunSurroundings): Promise<void> {
  const { platform } = around;
  const { options, warnings } = loadOptions(flags, platform);
  const reporter = createReporter({
    stdout: around.stdout,
    stderr: around.stderr,
    clock: systemClock,
    environment: platform.environment,
    verbosity: options.verbosity,
    json: options.json,
  });
  const emit = (event: DsyncEvent): void => reporter.report(event);
  try {
    for (const message of warnings) emit({ kind: "warning", message });
    await runUntilStopped(withCode(options, around), around, emit);
    emit({ kind: "stopped" });
  } catch (error) {
    if (options.json) emit({ kind: "failed", message: messageOf(error) });
    throw error;
  } finally {
    reporter.close();
  }
}

/** Makes the code that was asked for, and shows it: to a person, so that it is in no log and no event. */
function withCode(options: Options, { stdout, stderr }: RunSurroundings): Options {
  if (!options.makesCode) return options;
  const code = makeCode(systemRandom);
  const output = options.json || options.verbosity === "quiet" ? stderr : stdout;
  output.write(codeBanner(code));
  return { ...options, passphrase: code };
}

async function runUntilStopped(
  options: Options,
  { platform, portable, jobs, onStop }: RunSurroundings,
  emit: (event: DsyncEvent) => void,
): Promise<void> {
  // Asked to stop while still starting: then it stops right after.
  const stopAsked = new Promise<void>((resolve) => onStop(resolve));
  const fatal = createDeferred<Error>();
  const blake3 = loadBlake3({ portable });
  const hash = (bytes: Uint8Array): Uint8Array => blake3.hash(bytes);
  const folder = await openFolder({
    folder: options.folder,
    state: stateDirectory(platform) ?? noHome(),
    clock: systemClock,
    random: systemRandom,
    hash,
    holder: {
      host: platform.hostName,
      name: options.name,
      socketPath: (root) => socketPathFor(root, platform),
    },
    onCreating: (path) => emit({ kind: "folder-created", folder: path }),
  });
  const { root } = folder.identity;
  const curves = selectCurves({ portable });
  const identity = createIdentity(systemRandom, curves);
  const aead = selectAead({ portable });
  const passphrase = options.passphrase === undefined ? undefined : passphraseBytes(options.passphrase);
  createIgnoreFile(root);
  const instance = await Instance.open({
    folder,
    jobs,
    clock: systemClock,
    random: systemRandom,
    network: tcpNetwork,
    createWatcher: (isIgnored) => createSystemWatcher({ root, clock: systemClock, isIgnored }),
    hash,
    pool: {
      ownId: identity.peerId,
      openChannel: channelOpener({ identity, passphrase, aead, curves, random: systemRandom, clock: systemClock }),
      listenPort: { port: options.port.value, isExplicit: options.port.explicit },
      share: options.share,
      name: options.name,
      dataChannelsMax: options.maxConcurrentTransfers,
      allowRemote: options.allowRemote,
      rateLimitBytesPerSecond: options.rateLimitBytesPerSecond,
    },
    ignore: new IgnoreFile({ root, exclude: options.exclude }),
    trashDays: options.trashDays,
    sayVerification: options.verify ? verificationWords : undefined,
    onQuiet: () => {
      releaseMemory();
      jobs.renew();
    },
    emit,
    onFatal: fatal.resolve,
  });
  const stops: (() => Promise<void>)[] = [() => instance.stop()];
  try {
    await instance.start();
    if (!options.port.explicit && instance.port !== options.port.value) {
      emit({ kind: "port-taken", wanted: options.port.value, used: instance.port });
    }
    stops.unshift(await openLocalApi(root, { instance, jobs, platform }));
    if (options.discovery) stops.unshift(startDiscovery(options, identity, instance, emit));
    for (const { host, port } of options.peers) {
      emit({ kind: "peer-sought", address: formatAddress(host, port) });
      instance.targets.addTarget({ host, port, source: "peer-flag" });
    }
    const { share, name, discovery } = options;
    const { replicaId } = folder.store;
    const { port } = instance;
    const addresses = reachableAddresses().map((host) => formatAddress(host, port));
    const { peerId } = identity;
    const open = passphrase === undefined;
    emit({ kind: "started", folder: root, share, name, port, peerId, replicaId, addresses, discovery, open });
    const error = await Promise.race([stopAsked, fatal.promise]);
    emit({ kind: "stopping" });
    if (error !== undefined) throw error;
  } finally {
    await stopAll(stops);
  }
}

/** Stops in order, and gives up on what takes too long. */
async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  const all = (async () => {
    for (const stop of stops) await stop();
  })();
  const tooLong = createDeferred<void>();
  const timer = systemClock.after(STOP_MS_MAX, tooLong.resolve);
  await Promise.race([all, tooLong.promise]);
  timer.clear();
}

async function openLocalApi(
  root: string,
  { instance, jobs, platform }: { readonly instance: Instance; readonly jobs: JobRunner; readonly platform: Platform },
): Promise<() => Promise<void>> {
  const socketPath = socketPathFor(root, platform);
  if (socketPath === null) return () => Promise.resolve();
  const index = { status: () => instance.status(), conflicts: () => instance.conflicts() };
  const access = folderAccess(root, index, trashAccess(jobs, root));
  const api = await LocalApi.start({
    socketPath,
    uid: platform.uid,
    handle: (request) => answerLocally(access, request),
  });
  return () => api.stop();
}

/** Announces this instance, and tells the pool of every other one of the share. */
function startDiscovery(
  { share, name, allowRemote }: Options,
  { peerId }: Identity,
  instance: Instance,
  emit: (event: DsyncEvent) => void,
): () => Promise<void> {
  const ownShare = shareHash(share);
  const discovery = new Discovery({
    service: { peerId, name, shareHash: ownShare, version: PROTOCOL_VERSION, port: instance.port },
    clock: systemClock,
    random: systemRandom,
    interfaces: systemInterfaces,
    openSocket: openMdnsSocket,
  });
  const targets = new DiscoveredTargets({
    targets: instance.targets,
    ownShareHash: ownShare,
    ownVersion: PROTOCOL_VERSION,
    allowRemote,
    emit,
  });
  discovery.events.on((event) => targets.note(event));
  discovery.problems.on(({ message }) => emit({ kind: "warning", message }));
  discovery.start();
  return () => discovery.stop();
}

/** Where others on the network may reach this machine, IPv4 first. */
function reachableAddresses(): readonly string[] {
  try {
    return systemInterfaces()
      .filter(({ loopback }) => !loopback)
      .flatMap(({ addresses }) => addresses.filter(({ address }) => !isLinkLocal6(address)))
      .toSorted((left, right) => left.family.localeCompare(right.family))
      .map(({ address }) => address);
  } catch {
    // A sandbox that hides the interfaces: discovery says so.
    return [];
  }
}

function createDeferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

function noHome(): never {
  throw new DsyncError("environment", "There is no home directory to remember folders in. Set XDG_STATE_HOME or HOME.");
}
