// What the commands beside a running instance print, as text. Pure: everything that a peer or the file system chose is
// escaped here.

import { escapeForTerminal as escape } from "../core/escape.ts";
import type {
  ConflictReport,
  EmptyTrashReport,
  FailedPath,
  IgnoreReport,
  PeerReport,
  Pending,
  RestoreOutcome,
  StatusReport,
  TrashItem,
} from "../core/reports.ts";
import { formatBytes, formatCount, formatDate, plural } from "./format.ts";

const SHORT_ID_DIGITS = 8;
/** Failed paths shown by `status`; `--json` has them all. */
const FAILED_SHOWN_MAX = 20;

/** `dsync status`. */
export function statusText(status: StatusReport): string {
  const conflicts =
    status.conflicts === 0
      ? []
      : [`${plural(status.conflicts, "conflict copy", "conflict copies")}: dsync conflicts lists them.`];
  const halted = status.halted === null ? [] : [`Paused: ${escape(status.halted)}`];
  return lines([
    headline(status),
    `Folder  ${escape(status.folder)} (${plural(status.entries, "entry", "entries")})`,
    `Share   ${escape(status.share)}`,
    `Root    ${escape(status.merkleRoot)}`,
    ...(status.running ? peerLines(status) : []),
    `To come ${pendingText(status.pending)}`,
    ...halted,
    ...failedLines(status.failed),
    ...conflicts,
  ]);
}

function headline(status: StatusReport): string {
  if (!status.running) return "No instance runs on this folder. This is what its index says:";
  const instance = `${escape(status.name ?? "")} on port ${status.port ?? "?"}`;
  if (status.halted !== null) return `Paused (${instance}).`;
  if (status.peers.length === 0) return `Waiting for peers (${instance}).`;
  return status.inSync ? `In sync (${instance}).` : `Not in sync yet (${instance}).`;
}

function peerLines({ peers, outgoing }: StatusReport): readonly string[] {
  if (peers.length === 0) return ["Peers   none"];
  const sending = outgoing.files === 0 ? [] : [`To send ${pendingText(outgoing)}`];
  return ["Peers", ...peers.map(peerLine), ...sending];
}

function peerLine({ id, name, address, inSync, pending, verification }: PeerReport): string {
  const state = inSync ? "in sync" : pending.files === 0 ? "comparing" : `lacks ${pendingText(pending)}`;
  const words = verification === null ? "" : `  both sides must show: ${escape(verification)}`;
  return `  ${escape(name)}  ${escape(id.slice(0, SHORT_ID_DIGITS))}  ${escape(address)}  ${state}${words}`;
}

function pendingText({ files, bytes }: Pending): string {
  return files === 0 ? "nothing" : `${plural(files, "file")}, ${formatBytes(bytes)}`;
}

function failedLines(failed: readonly FailedPath[]): readonly string[] {
  if (failed.length === 0) return [];
  const more = failed.length - FAILED_SHOWN_MAX;
  return [
    "Skipped for now, and tried again:",
    ...failed.slice(0, FAILED_SHOWN_MAX).map(({ path, reason }) => `  ${escape(path)}: ${escape(reason)}`),
    ...(more > 0 ? [`  … and ${formatCount(more)} more: dsync status --json has them all.`] : []),
  ];
}

/** `dsync conflicts`. */
export function conflictsText(conflicts: readonly ConflictReport[]): string {
  if (conflicts.length === 0) return "No conflict copies.\n";
  return lines(
    conflicts.flatMap(({ path, original, author, time, size }) => [
      escape(path),
      `  by ${escape(author)}, ${formatDate(time)}, ${formatBytes(size)}; the other version is ${escape(original)}`,
    ]),
  );
}

/** `dsync trash list`. */
export function trashText(items: readonly TrashItem[]): string {
  if (items.length === 0) return "The trash is empty.\n";
  return lines(
    items.map(({ item, time, size }) => `${formatDate(time)}  ${formatBytes(size).padStart(8)}  ${escape(item)}`),
  );
}

/** `dsync trash restore`. */
export function restoreText(outcomes: readonly RestoreOutcome[]): string {
  return lines(
    outcomes.map((outcome) =>
      outcome.restored
        ? `Restored ${escape(outcome.path)}`
        : `Not restored: ${escape(outcome.item)}: ${escape(outcome.reason)}`,
    ),
  );
}

/** `dsync trash empty`. */
export function emptyTrashText({ files, bytes, failed }: EmptyTrashReport): string {
  return lines([
    `Removed ${plural(files, "file")}, ${formatBytes(bytes)}.`,
    ...failed.map(({ path, reason }) => `Not removed: ${escape(path)}: ${escape(reason)}`),
  ]);
}

/** `dsync ignore test`. */
export function ignoreText({ path, ignored, rule }: IgnoreReport): string {
  const verdict = `${escape(path)} is ${ignored ? "ignored" : "not ignored"}`;
  if (rule === null) return `${verdict}: no line matches it.\n`;
  const line = rule.line === null ? "" : `, line ${rule.line}`;
  return `${verdict}, by ${escape(rule.source)}${line}: ${escape(rule.pattern)}\n`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
