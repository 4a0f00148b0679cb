// `dsync doctor`'s judgement: from facts to findings, each with what to type. Pure.

import { assertNever } from "../core/assert.ts";
import { shellWord } from "../core/shell-word.ts";
import { checkPeers } from "./doctor-peers.ts";
import {
  directoriesCountedMax,
  type DoctorFacts,
  type FirewallName,
  type FolderFacts,
  type PortFacts,
} from "./doctor-facts.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";
import { limitsOf } from "./file-system-traits.ts";
import { formatBytes, formatCount, plural } from "./format.ts";

const NODE_MIN = [20, 19] as const;
/** Below, a full disk is near. */
const FREE_BYTES_LOW = 1e9;
const FREE_BYTES_NONE = 20e6;
/** dsync did not exist before: a clock that says so is wrong. */
const CLOCK_MS_MIN = Date.UTC(2024, 0, 1);
/** Share of the watches that one folder may take before others run out. */
const WATCHES_SHARE_MAX = 0.8;

/** In the order in which a person should read them. */
export function checkAll(facts: DoctorFacts): readonly Finding[] {
  return [
    checkNode(facts),
    ...checkInstance(facts),
    ...checkFolder(facts.folder),
    ...checkWatches(facts.folder),
    checkPort(facts.port),
    ...facts.firewalls.map((name) => checkFirewall(name, facts.port.port)),
    ...checkMulticast(facts),
    ...checkPeers(facts),
    checkClock(facts),
    checkFastPaths(facts),
  ];
}

function checkNode({ nodeVersion }: DoctorFacts): Finding {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const isEnough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  const needed = NODE_MIN.join(".");
  return isEnough
    ? ok("node", `Node.js ${nodeVersion}.`)
    : problem("node", `Node.js ${nodeVersion} is too old.`, `Install Node.js ${needed} or newer.`);
}

function checkInstance(facts: DoctorFacts): readonly Finding[] {
  const { status } = facts;
  const folder = shellWord(facts.folder.path);
  if (status === null) return [warning("instance", "dsync is not running on this folder.", `dsync -d ${folder}`)];
  if ("unreachable" in status)
    return [problem("instance", status.unreachable, `Stop it, and start: dsync -d ${folder}`)];
  const findings = [ok("instance", `dsync is running on this folder as ${status.name ?? ""}.`)];
  if (status.halted !== null)
    findings.push(problem("instance", `It pauses: ${status.halted}`, "Free some space on the disk."));
  if (status.failed.length > 0) {
    const text = `${plural(status.failed.length, "path")} cannot be synced for now.`;
    findings.push(warning("paths", text, `dsync status -d ${folder} says why.`));
  }
  return findings;
}

function checkFolder({ path, exists, denied, freeBytes, fileSystem }: FolderFacts): readonly Finding[] {
  const folder = shellWord(path);
  if (!exists) return [warning("folder", `${path} does not exist yet.`, `dsync -d ${folder} creates it.`)];
  const findings = [
    denied === null
      ? ok("folder", `${path} can be read and written.`)
      : problem("folder", `${path} cannot be read and written: ${denied}.`, `ls -ld ${folder}; chmod u+rwx ${folder}`),
  ];
  if (freeBytes !== null) findings.push(checkSpace(freeBytes));
  if (fileSystem !== null) {
    const limits = limitsOf(fileSystem);
    findings.push(
      limits === undefined
        ? ok("file-system", `The file system is ${fileSystem}.`)
        : warning("file-system", `The file system is ${fileSystem}: ${limits}.`, null),
    );
  }
  return findings;
}

function checkSpace(freeBytes: number): Finding {
  const text = `${formatBytes(freeBytes)} free on the disk.`;
  const remedy = "Free some space; dsync trash empty removes what others replaced or deleted.";
  if (freeBytes < FREE_BYTES_NONE) return problem("space", text, remedy);
  return freeBytes < FREE_BYTES_LOW ? warning("space", text, remedy) : ok("space", text);
}

function checkWatches({ directories, watchesMax }: FolderFacts): readonly Finding[] {
  if (watchesMax === null) return [];
  const more = directories >= directoriesCountedMax ? "at least " : "";
  const text = `${more}${plural(directories, "directory", "directories")} to watch, of ${formatCount(watchesMax)} that this user may.`;
  const wanted = Math.max(524_288, 2 ** Math.ceil(Math.log2(directories * 2 + 1)));
  const remedy = `sudo sysctl fs.inotify.max_user_watches=${wanted}`;
  if (directories >= watchesMax) return [problem("watches", text, remedy)];
  return [directories > watchesMax * WATCHES_SHARE_MAX ? warning("watches", text, remedy) : ok("watches", text)];
}

function checkPort(port: PortFacts): Finding {
  switch (port.kind) {
    case "listening":
      return port.unreachable.length === 0
        ? ok("port", `dsync answers on TCP port ${port.port}.`)
        : problem(
            "port",
            `dsync listens on TCP port ${port.port}, but does not answer on ${port.unreachable.join(", ")}.`,
            `Allow TCP port ${port.port} in this machine's firewall.`,
          );
    case "free":
      return ok("port", `TCP port ${port.port} is free.`);
    case "taken":
      return port.isAsked
        ? problem(
            "port",
            `TCP port ${port.port} is taken by another program.`,
            "Choose another with -p, or -p 0 for any.",
          )
        : warning("port", `TCP port ${port.port} is taken by another program: the next free one is used.`, null);
    case "failed":
      return problem(
        "port",
        `Cannot listen on TCP port ${port.port}: ${port.reason}.`,
        "Choose one above 1023 with -p.",
      );
    default:
      return assertNever(port);
  }
}

function checkFirewall(name: FirewallName, port: number): Finding {
  const text = `A firewall is on (${name}): it has to let TCP port ${port} and UDP port 5353 in.`;
  return warning("firewall", text, firewallRemedy(name, port));
}

function firewallRemedy(name: FirewallName, port: number): string {
  switch (name) {
    case "ufw":
      return `sudo ufw allow ${port}/tcp && sudo ufw allow 5353/udp`;
    case "firewalld":
      return `sudo firewall-cmd --permanent --add-port=${port}/tcp --add-service=mdns && sudo firewall-cmd --reload`;
    case "windows":
      return `netsh advfirewall firewall add rule name=dsync dir=in action=allow protocol=TCP localport=${port}`;
    case "macos":
      return "System Settings > Network > Firewall > Options: allow incoming connections for node.";
    default:
      return assertNever(name);
  }
}

function checkMulticast({ network, port }: DoctorFacts): readonly Finding[] {
  const links = network.links.filter(({ loopback }) => !loopback);
  const byHand = `Name a peer instead: -a <its address>:${port.port}`;
  if (links.length === 0)
    return [problem("multicast", "No network interface is up but loopback.", "Connect to a network.")];
  const isFoundSomewhere = links.some(({ received }) => received);
  return links.map(({ interface: name, family, received, problem: reason }) => {
    const where = `${name} (${family})`;
    if (received) return ok("multicast", `Multicast works on ${where}.`);
    const text = `Multicast does not come back on ${where}${reason === undefined ? "" : `: ${reason}`}.`;
    const remedy = `Allow UDP port 5353 in this machine's firewall. ${byHand}`;
    return isFoundSomewhere ? warning("multicast", text, remedy) : problem("multicast", text, remedy);
  });
}

function checkClock({ clock: { nowMs, isSynchronised } }: DoctorFacts): Finding {
  const remedy = "sudo timedatectl set-ntp true, or set the time by hand.";
  if (nowMs < CLOCK_MS_MIN) {
    return problem("clock", `The clock says ${new Date(nowMs).toISOString()}, which cannot be.`, remedy);
  }
  if (isSynchronised === false) return warning("clock", "The clock is not set by a time server.", remedy);
  return ok("clock", isSynchronised === null ? "The clock is plausible." : "The clock is set by a time server.");
}

function checkFastPaths({ fastPaths: { cipher, blake3 } }: DoctorFacts): Finding {
  const slow = [...(cipher ? [] : ["encryption"]), ...(blake3 ? [] : ["hashing"])];
  if (slow.length === 0) return ok("speed", "The fast implementations of hashing and encryption are in use.");
  const text = `The portable implementation of ${slow.join(" and ")} is in use, which is several times slower.`;
  return warning("speed", text, "Unset DSYNC_PORTABLE, and install the optional packages: npm ci --include=optional");
}
