// What the live view knows: a fold over the instance's events. Pure; the time of each event comes in.
// Every collection in it is bounded: peers by the pool's sessions, the rest by limits.ts.

import { assertNever } from "../core/assert.ts";
import type { DsyncEvent, Progress } from "../core/events.ts";
import type { PeerId } from "../core/ids.ts";
import { LIVE_AWAY_PEERS_MAX, LIVE_EVENTS_MAX, LIVE_PROBLEMS_MAX } from "../core/limits.ts";
import { foldRates, type TransferRate } from "./live-rates.ts";

/** One peer, from the first that was heard of it. */
export interface LivePeer {
  readonly id: PeerId;
  readonly name: string;
  /** `undefined` before it was connected. */
  readonly address: string | undefined;
  /** With `--verify`: the words of its session. */
  readonly verification: string | undefined;
  readonly state: "connecting" | "comparing" | "pending" | "in-sync" | "away";
  /** What it still lacks. */
  readonly pendingFiles: number;
  readonly pendingBytes: number;
}

/** An address given by a person, and what came of dialling it. */
export interface SoughtPeer {
  readonly address: string;
  readonly sinceMs: number;
  /** The last failure; `undefined`: none so far. */
  readonly failure: { readonly atMs: number; readonly reason: string } | undefined;
}

/** What happened: an event, or several changes of one kind in a row (`count`), the last of which is shown. */
export interface LiveEntry {
  readonly atMs: number;
  readonly event: DsyncEvent;
  readonly count: number;
}

export interface LiveState {
  readonly openedMs: number;
  readonly started: Extract<DsyncEvent, { kind: "started" }> | undefined;
  readonly peers: ReadonlyMap<PeerId, LivePeer>;
  readonly sought: readonly SoughtPeer[];
  readonly progress: Progress | undefined;
  readonly rates: readonly TransferRate[];
  /** Oldest first. */
  readonly entries: readonly LiveEntry[];
  /** Skipped paths, by path: why. The oldest first. */
  readonly problems: ReadonlyMap<string, string>;
  /** Warnings and refusals, the oldest first, each once. */
  readonly warnings: readonly DsyncEvent[];
  readonly halted: Extract<DsyncEvent, { kind: "halted" }> | undefined;
  readonly isStopping: boolean;
}

/** Changes that follow each other faster are one entry. */
const MERGE_MS = 2_000;

export function emptyLiveState(nowMs: number): LiveState {
  return {
    openedMs: nowMs,
    started: undefined,
    peers: new Map(),
    sought: [],
    progress: undefined,
    rates: [],
    entries: [],
    problems: new Map(),
    warnings: [],
    halted: undefined,
    isStopping: false,
  };
}

/** The state after `event`. */
export function reduceLive(state: LiveState, event: DsyncEvent, nowMs: number): LiveState {
  switch (event.kind) {
    case "started":
      return { ...state, started: event };
    case "peer-found":
      return withPeer(state, event.id, (peer) => ({
        ...peer,
        name: event.name,
        state: peer.state === "away" ? "connecting" : peer.state,
      }));
    case "peer-lost":
      return state.peers.get(event.id)?.state === "connecting" ? withoutPeer(state, event.id) : state;
    case "peer-joined":
      return noted(joined(state, event), event, nowMs);
    case "peer-left":
      return noted(
        withPeer(state, event.id, (peer) => ({ ...peer, name: event.name, verification: undefined, state: "away" })),
        event,
        nowMs,
      );
    case "peer-sought":
      return { ...state, sought: [...state.sought, { address: event.address, sinceMs: nowMs, failure: undefined }] };
    case "peer-unreachable":
      return { ...state, sought: state.sought.map((sought) => withFailure(sought, event, nowMs)) };
    case "progress":
      return progressed(state, event, nowMs);
    case "changed":
    case "conflict":
    case "in-sync":
    case "folder-created":
      return noted(state, event, nowMs);
    case "problem":
      return { ...state, problems: bounded(new Map(state.problems).set(event.path, event.reason)) };
    case "problem-solved": {
      const problems = new Map(state.problems);
      return problems.delete(event.path) ? noted({ ...state, problems }, event, nowMs) : state;
    }
    case "warning":
    case "port-taken":
    case "peer-refused":
      return { ...state, warnings: withWarning(state.warnings, event) };
    case "halted":
      return { ...state, halted: event };
    case "resumed":
      return noted({ ...state, halted: undefined }, event, nowMs);
    case "stopping":
      return { ...state, isStopping: true };
    case "failed":
    case "stopped":
    case "debug":
      return state;
    default:
      return assertNever(event);
  }
}

function joined(state: LiveState, event: Extract<DsyncEvent, { kind: "peer-joined" }>): LiveState {
  const { id, name, address, verification } = event;
  const withIt = withPeer(state, id, (peer) => ({ ...peer, name, address, verification, state: "comparing" }));
  // A restarted instance is another identity under the same name: the one that is away is the same machine to a person.
  const peers = new Map([...withIt.peers].filter(([, peer]) => peer.state !== "away" || peer.name !== name));
  return { ...withIt, peers, warnings: state.warnings.filter((warning) => !isRefusalOf(warning, address)) };
}

/** Whoever has joined now was refused before a person put it right, or at another of its ports. */
function isRefusalOf(warning: DsyncEvent, address: string): boolean {
  return warning.kind === "peer-refused" && hostOf(warning.address) === hostOf(address);
}

/** Of `192.168.1.20:9000` or `[fe80::1%eth0]:9000`. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}

function withPeer(state: LiveState, id: PeerId, change: (peer: LivePeer) => LivePeer): LiveState {
  const before: LivePeer = state.peers.get(id) ?? {
    id,
    name: "",
    address: undefined,
    verification: undefined,
    state: "connecting",
    pendingFiles: 0,
    pendingBytes: 0,
  };
  const peers = new Map(state.peers).set(id, change(before));
  const away = [...peers.values()].filter((peer) => peer.state === "away");
  for (const { id } of away.slice(0, Math.max(0, away.length - LIVE_AWAY_PEERS_MAX))) peers.delete(id);
  return { ...state, peers };
}

function withoutPeer(state: LiveState, id: PeerId): LiveState {
  const peers = new Map(state.peers);
  peers.delete(id);
  return { ...state, peers };
}

function withFailure(
  sought: SoughtPeer,
  { address, reason }: Extract<DsyncEvent, { kind: "peer-unreachable" }>,
  nowMs: number,
): SoughtPeer {
  return sought.address === address ? { ...sought, failure: { atMs: nowMs, reason } } : sought;
}

function progressed(state: LiveState, progress: Progress, nowMs: number): LiveState {
  const peers = new Map(state.peers);
  for (const { id, state: stand, pendingFiles, pendingBytes } of progress.peers) {
    const peer = peers.get(id);
    if (peer !== undefined && peer.state !== "away")
      peers.set(id, { ...peer, state: stand, pendingFiles, pendingBytes });
  }
  return { ...state, progress, peers, rates: foldRates(state.rates, progress.transfers, nowMs) };
}

function noted(state: LiveState, event: DsyncEvent, atMs: number): LiveState {
  const last = state.entries.at(-1);
  if (last !== undefined && isSameKind(last.event, event) && atMs - last.atMs <= MERGE_MS) {
    return { ...state, entries: [...state.entries.slice(0, -1), { atMs, event, count: last.count + 1 }] };
  }
  return { ...state, entries: [...state.entries, { atMs, event, count: 1 }].slice(-LIVE_EVENTS_MAX) };
}

function isSameKind(last: DsyncEvent, event: DsyncEvent): boolean {
  if (last.kind !== "changed" || event.kind !== "changed") return last.kind === "in-sync" && event.kind === "in-sync";
  return last.by === event.by && last.change === event.change && last.isLocal === event.isLocal;
}

function withWarning(warnings: readonly DsyncEvent[], event: DsyncEvent): readonly DsyncEvent[] {
  const text = JSON.stringify(event);
  const others = warnings.filter((each) => JSON.stringify(each) !== text);
  return [...others, event].slice(-LIVE_PROBLEMS_MAX);
}

function bounded(problems: Map<string, string>): ReadonlyMap<string, string> {
  const [oldest] = problems.keys();
  if (problems.size > LIVE_PROBLEMS_MAX && oldest !== undefined) problems.delete(oldest);
  return problems;
}
