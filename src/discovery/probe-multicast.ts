// Asks every network once, for `dsync doctor`: does multicast leave and come back on each interface, and which instances
// answer? It announces nothing. What is heard is as little proven as any announcement.

import { messageOf } from "../core/errors.ts";
import { DISCOVERED_PEERS_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import { parseQuestion, sameName } from "./dns.ts";
import { endpointsOf, type AddressFamily, type LocalInterface } from "./interfaces.ts";
import type { MdnsSocket, OpenMdnsSocket } from "./mdns.ts";
import { parseServices, type FoundService } from "./parse-services.ts";
import { SERVICE_TYPE } from "./service-records.ts";

/** What one interface does with multicast. */
export interface ProbedLink {
  readonly interface: string;
  readonly family: AddressFamily;
  readonly loopback: boolean;
  /** Our own question came back through the group. */
  readonly received: boolean;
  /** What the system said against it; `undefined`: nothing. */
  readonly problem: string | undefined;
}

export interface MulticastProbe {
  readonly links: readonly ProbedLink[];
  /** Each instance once, also this machine's. */
  readonly services: readonly FoundService[];
}

export interface ProbeOptions {
  readonly interfaces: readonly LocalInterface[];
  readonly openSocket: OpenMdnsSocket;
  readonly clock: Clock;
  /** Names this probe among others: a DNS label. */
  readonly nonce: string;
}

/** Questions are repeated, since a datagram may get lost; answers to the last one have as long to come. */
const ROUNDS = 3;
const ROUND_MS = 600;

/** Takes about two seconds. Never throws. */
export async function probeMulticast({ interfaces, openSocket, clock, nonce }: ProbeOptions): Promise<MulticastProbe> {
  const services = new Map<string, FoundService>();
  const probes = endpointsOf(interfaces).map((endpoint, index) => {
    const name = `${nonce}-${index}.${SERVICE_TYPE}`;
    const probe = { endpoint, name, received: false, problem: undefined as string | undefined };
    const onProblem = (error: unknown): void => {
      probe.problem ??= messageOf(error);
    };
    let socket: MdnsSocket | undefined;
    try {
      socket = openSocket(endpoint, {
        onMessage: (message) => {
          const isOwn = message.questions.some((question) => sameName(parseQuestion(question)?.name ?? "", name));
          probe.received ||= isOwn;
          for (const service of parseServices(message)) {
            if (service.ttlSeconds > 0 && services.size < DISCOVERED_PEERS_MAX) services.set(service.peerId, service);
          }
        },
        onProblem,
      });
    } catch (error) {
      onProblem(error);
    }
    return { probe, socket };
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { probe, socket } of probes) void socket?.send(questionsFor(probe.name));
    await new Promise<void>((resolve) => clock.after(ROUND_MS, resolve));
  }
  for (const { socket } of probes) socket?.close();
  const links = probes.map(({ probe: { endpoint, received, problem } }) => {
    const { name, loopback } = endpoint.interface;
    return { interface: name, family: endpoint.family, loopback, received, problem };
  });
  return { links, services: [...services.values()] };
}

function questionsFor(name: string): Parameters<MdnsSocket["send"]>[0] {
  return {
    type: "query",
    id: 0,
    questions: [
      { name, type: "PTR" },
      { name: SERVICE_TYPE, type: "PTR" },
    ],
    answers: [],
  };
}
