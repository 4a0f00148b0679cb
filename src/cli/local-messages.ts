// What a command and the running instance say to each other over the local socket: one line of JSON each way.
// `{"v":1,"ask":"status"}` → `{"v":1,"ok":true,"answer":{…}}` or `{"v":1,"ok":false,"message":"…"}`.

import { assertNever } from "../core/assert.ts";
import type {
  ConflictReport,
  EmptyTrashReport,
  FailedPath,
  IgnoreReport,
  IgnoreRuleReport,
  PeerReport,
  Pending,
  RefusedReport,
  RestoreOutcome,
  StatusReport,
  TrafficReport,
  TrashItem,
} from "../core/reports.ts";
import type { FolderAccess } from "./folder-access.ts";
import { count, flag, list, nullable, oneOf, record, text, type Shape } from "./shape.ts";

/** Raised when a request or an answer changes its meaning. */
export const LOCAL_VERSION = 1;

export type LocalRequest =
  | { readonly ask: "status" | "conflicts" | "trash-list" | "trash-empty" }
  | { readonly ask: "trash-restore"; readonly wanted: readonly string[] }
  | { readonly ask: "ignore-test"; readonly target: string; readonly exclude: readonly string[] };

const ask = oneOf("status", "conflicts", "trash-list", "trash-empty", "trash-restore", "ignore-test");

/** Throws a ShapeError. */
export const parseLocalRequest: Shape<LocalRequest> = (value) => {
  const kind = record({ ask })(value).ask;
  switch (kind) {
    case "trash-restore":
      return { ask: kind, ...record({ wanted: list(text) })(value) };
    case "ignore-test":
      return { ask: kind, ...record({ target: text, exclude: list(text) })(value) };
    case "status":
    case "conflicts":
    case "trash-list":
    case "trash-empty":
      return { ask: kind };
    default:
      return assertNever(kind);
  }
};

/** Answers a request from what is known of the folder. */
export function answerLocally(access: FolderAccess, request: LocalRequest): Promise<unknown> {
  switch (request.ask) {
    case "status":
      return access.status();
    case "conflicts":
      return access.conflicts();
    case "trash-list":
      return access.trashList();
    case "trash-empty":
      return access.trashEmpty();
    case "trash-restore":
      return access.trashRestore(request.wanted);
    case "ignore-test":
      return access.ignoreTest(request.target, request.exclude);
    default:
      return assertNever(request);
  }
}

const pending = record<Pending>({ files: count, bytes: count });
const failed = record<FailedPath>({ path: text, reason: text });
const peer = record<PeerReport>({
  id: text,
  name: text,
  address: text,
  inSync: flag,
  pending,
  verification: nullable(text),
});

/** Throw a ShapeError, as do those below. */
export const parseStatus = record<StatusReport>({
  running: flag,
  folder: text,
  share: text,
  name: nullable(text),
  port: nullable(count),
  replicaId: text,
  peerId: nullable(text),
  merkleRoot: text,
  inSync: flag,
  peers: list(peer),
  pending,
  outgoing: pending,
  failed: list(failed),
  conflicts: count,
  halted: nullable(text),
  entries: count,
  traffic: record<TrafficReport>({ sentBytes: count, receivedBytes: count }),
  refused: list(record<RefusedReport>({ address: text, reason: text })),
});

export const parseConflicts = list(
  record<ConflictReport>({ path: text, original: text, author: text, time: text, size: count }),
);

export const parseTrashItems = list(
  record<TrashItem>({ item: text, path: text, time: text, kind: oneOf("file", "symlink"), size: count }),
);

export const parseRestoreOutcomes = list<RestoreOutcome>((value) =>
  record({ restored: flag })(value).restored
    ? { ...record({ item: text, path: text })(value), restored: true }
    : { ...record({ item: text, reason: text })(value), restored: false },
);

export const parseEmptyTrash = record<EmptyTrashReport>({ files: count, bytes: count, failed: list(failed) });

export const parseIgnoreReport = record<IgnoreReport>({
  path: text,
  ignored: flag,
  rule: nullable(record<IgnoreRuleReport>({ pattern: text, source: text, line: nullable(count) })),
});
