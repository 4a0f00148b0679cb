// What docs/events.md has to say about each event: its fields with their types, and one event as an example. The compiler
// keeps both complete: a field or kind that core/events.ts has and this file lacks does not compile, nor the reverse.

import type { DsyncEvent } from "../../src/core/events.ts";
import type { PeerId, ReplicaId } from "../../src/core/ids.ts";
import type { RefusalReason } from "../../src/pool/pool-events.ts";

export type EventKind = DsyncEvent["kind"];

type EventOf<K extends EventKind> = Extract<DsyncEvent, { readonly kind: K }>;

/** How the document calls a type; fields of objects in an array are listed below it, as `peers[].id`. */
export type FieldType = "string" | "number" | "boolean" | "string, optional" | "array of strings" | FieldTable;

/** Of an event, or of the objects in an array. */
export interface FieldTable {
  readonly [field: string]: FieldType;
}

type TypeOf<T> = T extends boolean
  ? "boolean"
  : T extends number
    ? "number"
    : T extends string
      ? "string"
      : T extends readonly string[]
        ? "array of strings"
        : T extends readonly (infer Item)[]
          ? FieldsOf<Item>
          : never;

type FieldsOf<T> = {
  readonly [F in Exclude<keyof T, "kind">]-?: undefined extends T[F] ? "string, optional" : TypeOf<T[F]>;
};

const HALT = { reason: "string", remedy: "string" } as const;
const PEER = { id: "string", name: "string" } as const;
const NONE = {} as const;

export const FIELDS: { readonly [K in EventKind]: FieldsOf<EventOf<K>> } = {
  "folder-created": { folder: "string" },
  started: {
    folder: "string",
    share: "string",
    name: "string",
    port: "number",
    peerId: "string",
    replicaId: "string",
    addresses: "array of strings",
    discovery: "boolean",
    open: "boolean",
  },
  "port-taken": { wanted: "number", used: "number" },
  "peer-joined": { ...PEER, address: "string", isFirst: "boolean", verification: "string, optional" },
  "peer-left": { ...PEER, reason: "string" },
  "peer-found": PEER,
  "peer-lost": PEER,
  "peer-sought": { address: "string" },
  "peer-unreachable": { address: "string", reason: "string" },
  "peer-refused": { address: "string", reason: "string", code: "string" },
  changed: { path: "string", change: "string", from: "string, optional", by: "string", isLocal: "boolean" },
  conflict: { path: "string", conflictPath: "string", author: "string" },
  problem: { path: "string", reason: "string" },
  "problem-solved": { path: "string" },
  progress: {
    pendingFiles: "number",
    pendingBytes: "number",
    outgoingFiles: "number",
    outgoingBytes: "number",
    receivedBytesPerSecond: "number",
    sentBytesPerSecond: "number",
    scanning: "boolean",
    scannedFiles: "number",
    entries: "number",
    transfers: { path: "string", doneBytes: "number", sizeBytes: "number" },
    peers: { id: "string", state: "string", pendingFiles: "number", pendingBytes: "number" },
  },
  "in-sync": { merkleRoot: "string", peers: "number" },
  halted: HALT,
  resumed: NONE,
  warning: { message: "string" },
  failed: { message: "string" },
  debug: { message: "string" },
  stopping: NONE,
  stopped: NONE,
};

const ID = "3f9c2ab871e05d64".repeat(4) as PeerId;
const LAPTOP = { id: ID, name: "laptop" } as const;

export const EXAMPLES: { readonly [K in EventKind]: EventOf<K> } = {
  "folder-created": { kind: "folder-created", folder: "/home/ada/shared" },
  started: {
    kind: "started",
    folder: "/home/ada/shared",
    share: "default",
    name: "desk",
    port: 9000,
    peerId: "b04e6d1f92a7c358".repeat(4) as PeerId,
    replicaId: "5d1c09e2a4b7f836" as ReplicaId,
    addresses: ["192.168.1.20:9000"],
    discovery: true,
    open: true,
  },
  "port-taken": { kind: "port-taken", wanted: 9000, used: 9001 },
  "peer-joined": { kind: "peer-joined", ...LAPTOP, address: "192.168.1.21:9000", isFirst: true },
  "peer-left": { kind: "peer-left", ...LAPTOP, reason: "goodbye" },
  "peer-found": { kind: "peer-found", ...LAPTOP },
  "peer-lost": { kind: "peer-lost", ...LAPTOP },
  "peer-sought": { kind: "peer-sought", address: "10.0.0.7:9000" },
  "peer-unreachable": { kind: "peer-unreachable", address: "10.0.0.7:9000", reason: "connection refused" },
  "peer-refused": {
    kind: "peer-refused",
    address: "192.168.1.33:51022",
    reason: "The peer at 192.168.1.33:51022 uses another passphrase. Start both sides with the same one.",
    code: "passphrase",
  },
  changed: {
    kind: "changed",
    path: "letters/2024.odt",
    change: "moved",
    from: "letters/draft.odt",
    by: "laptop",
    isLocal: false,
  },
  conflict: {
    kind: "conflict",
    path: "notes.txt",
    conflictPath: "notes.conflict-laptop-20240501-100344-9f3c.txt",
    author: "laptop",
  },
  problem: {
    kind: "problem",
    path: "letters/2024.odt",
    reason: "Cannot write: permission denied: give the user that runs dsync the right to it (chmod, chown).",
  },
  "problem-solved": { kind: "problem-solved", path: "letters/2024.odt" },
  progress: {
    kind: "progress",
    pendingFiles: 2,
    pendingBytes: 734_003_200,
    outgoingFiles: 0,
    outgoingBytes: 0,
    receivedBytesPerSecond: 104_857_600,
    sentBytesPerSecond: 0,
    scanning: false,
    scannedFiles: 0,
    entries: 1204,
    transfers: [{ path: "films/trip.mp4", doneBytes: 314_572_800, sizeBytes: 1_048_576_000 }],
    peers: [{ id: ID, state: "in-sync", pendingFiles: 0, pendingBytes: 0 }],
  },
  "in-sync": { kind: "in-sync", merkleRoot: "8c41d7f0b2a95e36".repeat(2), peers: 1 },
  halted: {
    kind: "halted",
    reason: "The disk is full.",
    remedy: "Free some space: dsync goes on by itself.",
  },
  resumed: { kind: "resumed" },
  warning: { kind: "warning", message: 'Unknown key "prot" in /home/ada/.config/dsync/dsync.toml. Did you mean port?' },
  failed: {
    kind: "failed",
    message: "Cannot listen on port 9000: another program uses it. Choose another with -p, or -p 0 for any.",
  },
  debug: { kind: "debug", message: "laptop speaks protocol version 2, not 1" },
  stopping: { kind: "stopping" },
  stopped: { kind: "stopped" },
};

/** Every `code` of `peer-refused`. */
export const REFUSALS: Readonly<Record<RefusalReason, true>> = {
  "remote-address": true,
  "too-many-handshakes": true,
  "too-many-sessions": true,
  handshake: true,
  version: true,
  passphrase: true,
  "wrong-peer": true,
  "other-share": true,
};
