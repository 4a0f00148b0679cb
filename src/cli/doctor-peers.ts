// Whom the network shows, and why each is or is not connected. Pure.

import type { StatusReport } from "../core/reports.ts";
import { shortId } from "../core/ids.ts";
import type { FoundService } from "../discovery/parse-services.ts";
import { statusOf, type DoctorFacts, type NetworkFacts } from "./doctor-facts.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";
import { formatBytes, plural } from "./format.ts";

export function checkPeers(facts: DoctorFacts): readonly Finding[] {
  const status = statusOf(facts);
  const { network } = facts;
  const others = network.services.filter(({ peerId }) => peerId !== status?.peerId);
  const seen = others.map((service) => checkSeen(service, network, status));
  const unseen = (status?.peers ?? []).filter(({ id }) => !others.some(({ peerId }) => peerId === id));
  const findings = [...seen, ...unseen.map((peer) => ok("peer", `${peer.name} (${peer.address}) is connected.`))];
  if (findings.length > 0) return findings;
  const refused = (status?.refused ?? []).map(({ address, reason }) =>
    problem("peer", `${address} was refused: ${reason}`, null),
  );
  const remedy = "Start dsync on another machine of this network; if it runs there, run dsync doctor there, too.";
  return [warning("peer", "No other instance is to be seen on the network.", remedy), ...refused];
}

function checkSeen(service: FoundService, network: NetworkFacts, status: StatusReport | undefined): Finding {
  const who = `${service.name} (${service.addresses[0] ?? service.host}:${service.port}, ${shortId(service.peerId)})`;
  const connected = status?.peers.find(({ id }) => id === service.peerId);
  if (connected !== undefined) {
    const { files, bytes } = connected.pending;
    const left = files === 0 ? "" : `; it lacks ${plural(files, "file")}, ${formatBytes(bytes)}`;
    return ok("peer", `${who} is connected${connected.inSync ? " and in sync" : left}.`);
  }
  if (service.shareHash !== network.ownShareHash) {
    return ok("peer", `${who} syncs another share, and is left alone. To sync with it, give both the same --share.`);
  }
  if (service.version !== network.ownVersion) {
    const text = `${who} speaks version ${service.version} of the protocol, this dsync ${network.ownVersion}.`;
    return problem("peer", text, "Install the same version of dsync on both.");
  }
  if (status === undefined) return ok("peer", `${who} is there, and will be connected once dsync runs here.`);
  const refused = status.refused.findLast(({ address }) => isFrom(address, service.addresses));
  if (refused !== undefined) return problem("peer", `${who} is refused: ${refused.reason}`, null);
  const text = `${who} is to be seen, but not connected.`;
  return problem("peer", text, `Allow TCP port ${service.port} in the firewall of that machine.`);
}

function isFrom(address: string, hosts: readonly string[]): boolean {
  return hosts.some((host) => address.startsWith(`${host}:`) || address.startsWith(`[${host}]:`));
}
