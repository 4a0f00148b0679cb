// Two machines on one slow cable, for one case: network namespaces with a shaped veth between them. Needs root and `tc`.
//
// Kernels without netem cannot delay packets: there, tbf limits the rate, and a relay on the client's side delays what
// passes. It ends each TCP connection, so that slow start does not show; where the delay is below what it can keep, the
// round trip is the veth's own.

import { fileURLToPath } from "node:url";
import { createNamespaces, whyNoNamespaces, type NetworkNamespace } from "../test/support/network-namespaces.ts";
import { Daemon, freePort, isInstalled, type Place } from "./peers/peer.ts";
import { Skipped } from "./row.ts";

/** What Node's timers can keep, with some room. */
const RELAY_DELAY_MS_MIN = 2;
const RELAY = fileURLToPath(new URL("./delay-relay.js", import.meta.url));

export interface Line {
  readonly mbitPerSecond: number;
  readonly roundTripMs: number;
}

export interface Link {
  readonly place: Place;
  /** What is not as asked, for the table; empty if all is. */
  readonly note: string;
  /** The caller has ended what it started on it. */
  remove(): Promise<void>;
}

/** Why there can be no links here; `undefined` if they can. */
export function whyNoLink(): string | undefined {
  const reason = whyNoNamespaces();
  if (reason !== false) return reason;
  return isInstalled("tc") ? undefined : "needs tc: apt-get install -y iproute2";
}

/** Throws {@link Skipped} where it cannot be made. */
export function createLink(line: Line): Link {
  const reason = whyNoLink();
  if (reason !== undefined) throw new Skipped(reason);
  const namespaces = createNamespaces();
  const { left, right } = namespaces;
  const hasNetem = [left, right].every((side) => shape(side, line));
  const oneWayMs = line.roundTripMs / 2;
  const hasRelay = !hasNetem && oneWayMs >= RELAY_DELAY_MS_MIN;
  const relays: Daemon[] = [];
  const on = (side: NetworkNamespace): readonly string[] => ["ip", "netns", "exec", side.name];
  const reach = async (port: number): Promise<{ host: string; port: number }> => {
    if (!hasRelay) return { host: left.ipv4, port };
    const own = await freePort();
    const relay = new Daemon([...on(right), process.execPath, RELAY, `${own}`, left.ipv4, `${port}`, `${oneWayMs}`]);
    relays.push(await relay.listensOn(own));
    return { host: "127.0.0.1", port: own };
  };
  return {
    place: { server: on(left), client: on(right), address: left.ipv4, reach },
    note: hasNetem ? "" : hasRelay ? ", delayed by a relay" : ", no netem: undelayed",
    remove: async () => {
      await Promise.all(relays.map((relay) => relay.stop()));
      namespaces.delete();
    },
  };
}

/** Limits what leaves this side; false if the delay is still missing. */
function shape(side: NetworkNamespace, { mbitPerSecond, roundTripMs }: Line): boolean {
  const rate = ["rate", `${mbitPerSecond}mbit`];
  const add = (...discipline: readonly string[]): void => {
    side.run("tc", "qdisc", "add", "dev", "eth0", "root", ...discipline);
  };
  try {
    add("netem", "delay", `${roundTripMs / 2}ms`, ...rate, "limit", "10000");
    return true;
  } catch {
    // The burst holds some packets of the largest size that a veth carries, 64 KiB.
    add("tbf", ...rate, "burst", "256kb", "limit", "4mb");
    return false;
  }
}
