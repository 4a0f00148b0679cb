// Two machines on one cable, made of Linux network namespaces: for tests that run real processes on a network of their
// own. Nothing outside the two namespaces is touched.

import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { DEADLINE_MS } from "./wait.ts";

export interface NamespaceOptions {
  /** Sends what is not on the cable to the other end. Without it there is no default route. */
  readonly hasDefaultRoute?: boolean;
  /** No IPv4 addresses, only the link-local ones of IPv6. */
  readonly isIpv6Only?: boolean;
}

/** One machine: a network namespace with a loopback interface and `eth0`. */
export interface NetworkNamespace {
  readonly name: string;
  /** On `eth0`. */
  readonly ipv4: string;
  /** Runs a command to its end and returns its output; throws if it fails. */
  run(command: string, ...args: readonly string[]): string;
  /** Starts a command; signals to the child reach the command itself. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

export interface NamespacePair {
  readonly left: NetworkNamespace;
  readonly right: NetworkNamespace;
  /** Gives both sides their IPv4 addresses, if they started without. */
  addIpv4(): void;
  unplug(): void;
  plugIn(): void;
  /** Removes both. The caller has ended what it started in them. */
  delete(): void;
}

let reason: string | false | undefined;

/** For `skip`: why namespaces cannot be made here, or `false`. */
export function whyNoNamespaces(): string | false {
  reason ??= findReason();
  return reason;
}

let pairs = 0;

/** Also deleted when the test process exits. */
export function createNamespaces(options: NamespaceOptions = {}): NamespacePair {
  pairs += 1;
  const left = namespaceOf(`dsync-${process.pid}-${pairs}-left`, "10.99.0.1");
  const right = namespaceOf(`dsync-${process.pid}-${pairs}-right`, "10.99.0.2");
  const both = [left, right];
  const eachRuns = (...args: readonly string[]): void => {
    for (const each of both) each.run("ip", ...args);
  };
  const addIpv4 = (): void => {
    for (const each of both) each.run("ip", "address", "add", `${each.ipv4}/24`, "dev", "eth0");
  };
  const removeAll = (): void => {
    for (const each of both) tryTo(() => ip("netns", "delete", each.name));
  };
  process.once("exit", removeAll);
  try {
    for (const each of both) ip("netns", "add", each.name);
    for (const each of both) skipAddressDetection(each);
    ip("link", "add", "eth0", "netns", left.name, "type", "veth", "peer", "name", "eth0", "netns", right.name);
    if (options.isIpv6Only !== true) addIpv4();
    for (const device of ["lo", "eth0"]) eachRuns("link", "set", device, "up");
    for (const each of both) waitUntilUp(each);
    if (options.hasDefaultRoute === true) {
      left.run("ip", "route", "add", "default", "via", right.ipv4);
      right.run("ip", "route", "add", "default", "via", left.ipv4);
    }
  } catch (error) {
    removeAll();
    throw error;
  }
  return {
    left,
    right,
    addIpv4,
    unplug: () => eachRuns("link", "set", "eth0", "down"),
    plugIn: () => {
      eachRuns("link", "set", "eth0", "up");
      for (const each of both) waitUntilUp(each);
    },
    delete: () => {
      process.off("exit", removeAll);
      removeAll();
    },
  };
}

function namespaceOf(name: string, ipv4: string): NetworkNamespace {
  return {
    name,
    ipv4,
    run: (command, ...args) => ip("netns", "exec", name, command, ...args),
    spawn: (command, args, options = {}) => spawn("ip", ["netns", "exec", name, command, ...args], options),
  };
}

/** Otherwise IPv6 addresses can be used only a second or two after they appear. */
function skipAddressDetection(namespace: NetworkNamespace): void {
  tryTo(() => namespace.run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad"));
}

/** The kernel reports the carrier some time after both ends are up. */
function waitUntilUp(namespace: NetworkNamespace): void {
  const deadlineMs = Date.now() + DEADLINE_MS;
  while (!namespace.run("ip", "-brief", "link", "show", "dev", "eth0").includes("LOWER_UP")) {
    if (Date.now() > deadlineMs) throw new Error(`eth0 of ${namespace.name} does not come up`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function findReason(): string | false {
  if (process.platform !== "linux") return "needs Linux network namespaces";
  if (process.getuid?.() !== 0) return "needs root, to make network namespaces";
  const name = `dsync-${process.pid}-probe`;
  try {
    ip("netns", "add", name);
    ip("netns", "delete", name);
    return false;
  } catch (error) {
    return `cannot make network namespaces: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function tryTo(action: () => void): void {
  try {
    action();
  } catch {
    // What could not be done is not needed.
  }
}
