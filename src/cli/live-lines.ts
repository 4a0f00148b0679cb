// The single lines of the live view: a peer, a transfer, something that happened. Pure: everything that a peer or the
// file system chose is escaped here.

import { assertNever } from "../core/assert.ts";
import { escapeForTerminal as escape } from "../core/escape.ts";
import type { DsyncEvent } from "../core/events.ts";
import { shortId } from "../core/ids.ts";
import { joinedText, textOf, verificationText } from "./event-text.ts";
import { formatBytes, formatCount, formatDuration, formatTime, plural } from "./format.ts";
import { rateOf, type TransferRate } from "./live-rates.ts";
import type { LiveEntry, LivePeer, SoughtPeer } from "./live-state.ts";
import { span, type Span, type StyledLine } from "./styled-line.ts";
import { columnsOfText, fitMiddle, padColumns, wrapColumns } from "./text-width.ts";

/** Widths from which more is shown. */
const WITH_ID_COLUMNS = 60;
const WITH_ADDRESS_COLUMNS = 76;
const WITH_RATE_COLUMNS = 56;
const WITH_TIME_COLUMNS = 72;
const NAME_COLUMNS_MAX = 24;
const ADDRESS_COLUMNS = 22;

/** The peers as a table that is as wide as its names need. */
export function peerLines(peers: readonly LivePeer[], sought: readonly SoughtPeer[], columns: number): StyledLine[] {
  const names = [...peers.map(({ name }) => escape(name)), ...sought.map(({ address }) => escape(address))];
  const widest = Math.max(0, ...names.map(columnsOfText));
  const nameColumns = Math.min(widest, NAME_COLUMNS_MAX, Math.max(8, Math.floor(columns / 3)));
  return [
    ...peers.flatMap((peer) => [peerLine(peer, nameColumns, columns), ...verificationLines(peer, columns)]),
    ...sought.map((peer) => soughtLine(peer, nameColumns)),
  ];
}

function peerLine(peer: LivePeer, nameColumns: number, columns: number): StyledLine {
  const line = [markOf(peer), span(padColumns(escape(peer.name), nameColumns), "plain"), span("  ")];
  if (columns >= WITH_ID_COLUMNS) line.push(span(`${shortId(peer.id)}  `, "faint"));
  if (columns >= WITH_ADDRESS_COLUMNS) {
    line.push(span(`${padColumns(escape(peer.address ?? ""), ADDRESS_COLUMNS)}  `, "faint"));
  }
  return [...line, stateOf(peer)];
}

/** Never cut: half of the words prove nothing. */
function verificationLines({ verification }: LivePeer, columns: number): readonly StyledLine[] {
  if (verification === undefined) return [];
  return wrapColumns(verificationText(verification), Math.max(1, columns - 4)).map((text) => [span(`    ${text}`)]);
}

function markOf({ state }: LivePeer): Span {
  switch (state) {
    case "in-sync":
      return span("  ● ", "good");
    case "comparing":
    case "pending":
      return span("  ◐ ", "busy");
    case "connecting":
    case "away":
      return span("  ○ ", "faint");
    default:
      return assertNever(state);
  }
}

function stateOf({ state, pendingFiles, pendingBytes }: LivePeer): Span {
  switch (state) {
    case "in-sync":
      return span("in sync", "good");
    case "comparing":
      return span("comparing", "busy");
    case "pending":
      return span(
        pendingFiles === 0 ? "ahead of us" : `${plural(pendingFiles, "file")} · ${formatBytes(pendingBytes)} left`,
        "busy",
      );
    case "connecting":
      return span("connecting", "faint");
    case "away":
      return span("away", "faint");
    default:
      return assertNever(state);
  }
}

function soughtLine({ address, failure }: SoughtPeer, nameColumns: number): StyledLine {
  const why = failure === undefined ? "" : `: ${escape(failure.reason)}`;
  return [
    span("  ○ ", "faint"),
    span(padColumns(escape(address), nameColumns)),
    span(`  connecting${why}`, failure === undefined ? "faint" : "bad"),
  ];
}

/** Name, bar, percentage, rate and time left, as far as the width allows. */
export function transferLine(transfer: TransferRate, columns: number): StyledLine {
  const { path, doneBytes, sizeBytes } = transfer;
  const done = sizeBytes === 0 ? 1 : Math.min(1, doneBytes / sizeBytes);
  const bytesPerSecond = rateOf(transfer);
  const barColumns = Math.min(40, Math.max(8, Math.floor(columns / 5)));
  const filled = Math.floor(done * barColumns);
  let numbers = ` ${Math.floor(done * 100)}%`.padStart(6);
  if (columns >= WITH_RATE_COLUMNS) numbers += `${formatBytes(bytesPerSecond)}/s`.padStart(12);
  if (columns >= WITH_TIME_COLUMNS) numbers += timeLeft(sizeBytes - doneBytes, bytesPerSecond).padStart(18);
  const nameColumns = Math.max(4, columns - 2 - 1 - barColumns - numbers.length);
  return [
    span(`  ${padColumns(fitMiddle(escape(path), nameColumns), nameColumns)} `),
    span("█".repeat(filled), "busy"),
    span("░".repeat(barColumns - filled), "faint"),
    span(numbers),
  ];
}

function timeLeft(bytes: number, bytesPerSecond: number): string {
  return bytesPerSecond < 1 ? "" : `${formatDuration(bytes / bytesPerSecond)} left`;
}

export function entryLine({ atMs, event, count }: LiveEntry): StyledLine {
  return [span(`  ${formatTime(atMs)}  `, "faint"), span(happened(event, count), toneOf(event))];
}

function toneOf({ kind }: DsyncEvent): Span["style"] {
  if (kind === "conflict") return "bad";
  return kind === "in-sync" ? "good" : "plain";
}

/** In plain words. */
function happened(event: DsyncEvent, count: number): string {
  switch (event.kind) {
    case "changed": {
      const who = event.isLocal ? "you" : escape(event.by);
      const what = event.change === "edited" ? "changed" : event.change;
      const from = event.from === undefined ? "" : `${escape(event.from)} → `;
      const path = `${from}${escape(event.path)}`;
      return count === 1 ? `${who} ${what} ${path}` : `${who} ${what} ${formatCount(count)} items, the last: ${path}`;
    }
    case "conflict":
      return `conflict in ${escape(event.path)}: both versions kept, ${escape(event.author)}'s as ${escape(event.conflictPath)}`;
    case "peer-joined":
      return event.isFirst ? joinedText(event) : `${escape(event.name)} joined`;
    case "in-sync":
      return `in sync with ${plural(event.peers, "peer")}`;
    default:
      return textOf(event) ?? "";
  }
}
