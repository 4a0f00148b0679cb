// What one event reads like in a log. Pure: everything that a peer or the file system chose is escaped here.

import { assertNever } from "../core/assert.ts";
import { escapeForTerminal as escape } from "../core/escape.ts";
import type { DsyncEvent, Progress } from "../core/events.ts";
import { shortId } from "../core/ids.ts";
import { formatBytes, formatDuration, plural } from "./format.ts";

/** What a share without a passphrase means. */
export const OPEN_TEXT = "Anybody on this network may join: --code lets in only whom you tell the words.";

/** `error` and `warning` go to stderr, `debug` is for `--verbose`. */
export type Level = "error" | "warning" | "info" | "debug";

export function levelOf(event: DsyncEvent): Level {
  switch (event.kind) {
    case "failed":
    case "halted":
    case "problem":
      return "error";
    case "warning":
    case "port-taken":
    case "peer-refused":
    case "conflict":
      return "warning";
    case "debug":
    case "peer-found":
    case "peer-lost":
    case "peer-sought":
    case "peer-unreachable":
      return "debug";
    case "folder-created":
    case "started":
    case "peer-joined":
    case "peer-left":
    case "changed":
    case "problem-solved":
    case "progress":
    case "in-sync":
    case "resumed":
    case "stopping":
    case "stopped":
      return "info";
    default:
      return assertNever(event);
  }
}

/** One line without its time, or `undefined` for what is no line of a log. */
export function textOf(event: DsyncEvent): string | undefined {
  switch (event.kind) {
    case "folder-created":
      return `Creating ${escape(event.folder)}, which does not exist yet.`;
    case "started":
      return startedText(event);
    case "port-taken":
      return `Port ${event.wanted} is taken by another program: using ${event.used}.`;
    case "peer-joined":
      return event.verification === undefined
        ? joinedText(event)
        : `${joinedText(event)}. ${verificationText(event.verification)}`;
    case "peer-left":
      return `${escape(event.name)} left (${escape(event.reason)})`;
    case "peer-found":
      return `Found ${escape(event.name)} (${shortId(event.id)})`;
    case "peer-lost":
      return `${escape(event.name)} no longer announces itself (${shortId(event.id)})`;
    case "peer-sought":
      return `Connecting to ${escape(event.address)}`;
    case "peer-unreachable":
      return `Cannot reach ${escape(event.address)}: ${escape(event.reason)}`;
    case "peer-refused":
      // The sentence about passphrases names the address itself.
      return event.code === "passphrase"
        ? escape(event.reason)
        : `Refused ${escape(event.address)}: ${escape(event.reason)}`;
    case "changed":
      return changedText(event);
    case "conflict":
      return `Conflict at ${escape(event.path)}: the version of ${escape(event.author)} is kept as ${escape(event.conflictPath)}`;
    case "problem":
      return `Skipped for now: ${escape(event.path)}: ${escape(event.reason)}`;
    case "problem-solved":
      return `No longer skipped: ${escape(event.path)}`;
    case "progress":
      return progressText(event);
    case "in-sync":
      return `In sync with ${plural(event.peers, "peer")}.`;
    case "halted":
      return `Paused: ${escape(event.reason)} ${escape(event.remedy)}`;
    case "resumed":
      return "Going on.";
    case "warning":
    case "failed":
    case "debug":
      return escape(event.message);
    case "stopping":
      return "Stopping. Ctrl-C again: at once.";
    case "stopped":
      return "Stopped.";
    default:
      return assertNever(event);
  }
}

/** What is going on, in a few words; `undefined` if nothing is. */
export function progressText(progress: Progress): string | undefined {
  const parts: string[] = [];
  if (progress.scanning) parts.push(`reading the folder: ${plural(progress.scannedFiles, "file")}`);
  if (progress.pendingFiles > 0) {
    const { pendingFiles, pendingBytes, receivedBytesPerSecond } = progress;
    parts.push(`receiving: ${leftText(pendingFiles, pendingBytes, receivedBytesPerSecond)}`);
  }
  if (progress.outgoingFiles > 0) {
    const { outgoingFiles, outgoingBytes, sentBytesPerSecond } = progress;
    parts.push(`sending: ${leftText(outgoingFiles, outgoingBytes, sentBytesPerSecond)}`);
  }
  return parts.length === 0 ? undefined : parts.join("; ");
}

function leftText(files: number, bytes: number, bytesPerSecond: number): string {
  const rate =
    bytesPerSecond < 1 ? "" : `, ${formatBytes(bytesPerSecond)}/s, ${formatDuration(bytes / bytesPerSecond)} left`;
  return `${plural(files, "file")}, ${formatBytes(bytes)}${rate}`;
}

function startedText({ folder, name, port, peerId, share, open }: Extract<DsyncEvent, { kind: "started" }>): string {
  const who = `${escape(name)} (port ${port}, ${shortId(peerId)}${shareText(share)})`;
  const trust = open ? ` ${OPEN_TEXT}` : "";
  return `Syncing ${escape(folder)} as ${who}.${trust} Ctrl-C stops.`;
}

/** Who it is stands in the line, so that a person can tell a stranger from a colleague. */
export function joinedText({ name, address, id, isFirst }: Extract<DsyncEvent, { kind: "peer-joined" }>): string {
  const joined = `${escape(name)} joined (${escape(address)}, ${shortId(id)})`;
  return isFirst ? `New peer: ${joined}` : joined;
}

/** What to read to each other. */
export function verificationText(verification: string): string {
  return `Both sides must show: ${escape(verification)}`;
}

function changedText(event: Extract<DsyncEvent, { kind: "changed" }>): string {
  const from = event.from === undefined ? "" : `${escape(event.from)} → `;
  const by = event.isLocal ? "" : ` by ${escape(event.by)}`;
  return `${event.change}${by}: ${from}${escape(event.path)}`;
}

function shareText(share: string): string {
  return share === "default" ? "" : `, share ${escape(share)}`;
}
