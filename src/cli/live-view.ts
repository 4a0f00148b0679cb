// What the live view shows for a state, as lines for a terminal of a given size. Pure.
// Invariant: at most `rows` lines, none wider than `columns - 1` (some terminals wrap when the last column is filled).

import { escapeForTerminal as escape } from "../core/escape.ts";
import { shortId } from "../core/ids.ts";
import { shellWord } from "../core/shell-word.ts";
import { ALONE_MS, aloneHint } from "./alone-hint.ts";
import { progressText, textOf } from "./event-text.ts";
import { plural } from "./format.ts";
import { entryLine, peerLines, transferLine } from "./live-lines.ts";
import { layOut, type Section } from "./live-sections.ts";
import type { LivePeer, LiveState, SoughtPeer } from "./live-state.ts";
import { columnsOfLine, paint, span, type Span, type StyledLine } from "./styled-line.ts";
import { wrapColumns } from "./text-width.ts";

export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
  /** Wall clock. */
  readonly nowMs: number;
  readonly color: boolean;
}

/** An address that has not failed for so long has answered: failures come at most 30 s apart. */
const SOUGHT_MS_MAX = 65_000;
/** How long an address that never failed counts as being dialled. */
const SOUGHT_FRESH_MS = 10_000;
/** Tables are no wider than this: eyes lose the line on the way to its end. */
const TABLE_COLUMNS_MAX = 120;
/** Lines of one problem. */
const PROBLEM_LINES_MAX = 3;

export function renderLive(state: LiveState, { columns, rows, nowMs, color }: ViewSize): readonly string[] {
  const width = Math.max(1, columns - 1);
  const head = headLines(state, width);
  const sections: readonly Section[] = [
    { title: "Problems", ...problemLines(state, width), linesMin: 4 },
    { title: "Peers", lines: peersOf(state, nowMs, width), linesMin: 4 },
    { title: "Transfers", lines: transferLines(state, width), linesMin: 3 },
    { title: "Events", lines: state.entries.toReversed().map(entryLine), linesMin: 3 },
  ];
  const lines = [...head, ...layOut(sections, rows - head.length - 1)].slice(0, Math.max(1, rows - 1));
  if (lines.length + 1 < rows) lines.push([]);
  if (rows > 1) lines.push([span(footer(state, columns), "faint")]);
  return lines.map((line) => paint(line, width, color));
}

function headLines(state: LiveState, width: number): readonly StyledLine[] {
  const { started } = state;
  if (started === undefined) return [[span("dsync", "strong"), span("  starting")]];
  const title = [span("dsync  ", "strong"), span(escape(started.folder), "strong")];
  const summary = summaryOf(state);
  const gap = Math.min(width, TABLE_COLUMNS_MAX) - columnsOfLine(title) - columnsOfLine([summary]);
  const top: readonly StyledLine[] = gap >= 2 ? [[...title, span(" ".repeat(gap)), summary]] : [title, [summary]];
  const facts = [
    `share ${escape(started.share)}`,
    `name ${escape(started.name)}`,
    `port ${started.port}`,
    `ID ${shortId(started.peerId)}`,
    started.open ? "open to anybody" : "passphrase",
  ];
  return [
    ...top,
    ...wrapColumns(facts.join(" · "), width).map((text) => [span(text, "faint")]),
    ...joinLines(state, width),
  ];
}

/** How others join: what to type on their machine. */
function joinLines({ started }: LiveState, width: number): readonly StyledLine[] {
  if (started === undefined) return [];
  const share = started.share === "default" ? "" : ` --share ${shellWord(started.share)}`;
  const [address] = started.addresses;
  const named = address === undefined ? "" : ` -a ${shellWord(address)}`;
  const join = `Others join: dsync -d <their folder>${share}`;
  const text = started.discovery ? join : `${join}${named}`;
  const isWide = started.discovery && named !== "" && width >= 100;
  const also = isWide ? `   (where multicast does not reach:${named})` : "";
  return wrapColumns(`${text}${also}`, width).map((line) => [span(line, "faint")]);
}

/** Everything in a few words. */
function summaryOf(state: LiveState): Span {
  const connected = connectedPeers(state);
  if (state.isStopping) return span("stopping", "busy");
  if (state.halted !== undefined) return span("paused", "bad");
  if (state.progress?.scanning === true) return span("reading the folder", "busy");
  if (connected.length === 0) return span("waiting for peers", "busy");
  const isBusy = state.progress !== undefined && progressText(state.progress) !== undefined;
  if (!isBusy && connected.every((peer) => peer.state === "in-sync")) {
    return span(`in sync with ${plural(connected.length, "peer")}`, "good");
  }
  return span(`syncing with ${plural(connected.length, "peer")}`, "busy");
}

function connectedPeers(state: LiveState): readonly LivePeer[] {
  return [...state.peers.values()].filter((peer) => peer.state !== "away" && peer.state !== "connecting");
}

function peersOf(state: LiveState, nowMs: number, width: number): readonly StyledLine[] {
  const peers = [...state.peers.values()].toSorted((left, right) => rankOf(left) - rankOf(right));
  const connected = connectedPeers(state);
  const sought = state.sought.filter((each) => isSought(each, connected, nowMs));
  const lines = peerLines(peers, sought, width);
  if (connected.length > 0 || state.started === undefined) return lines;
  const waiting = lines.length === 0 ? [[span("  none yet", "faint")]] : lines;
  if (nowMs - state.openedMs < ALONE_MS) return waiting;
  const hint = aloneHint(state.started.folder);
  return [...waiting, ...wrapColumns(hint, width - 2).map((text) => [span(`  ${text}`)])];
}

/** Those that are connected first. */
function rankOf({ state }: LivePeer): number {
  return state === "away" ? 2 : state === "connecting" ? 1 : 0;
}

function isSought({ address, sinceMs, failure }: SoughtPeer, connected: readonly LivePeer[], nowMs: number): boolean {
  if (connected.some((peer) => peer.address === address)) return false;
  return failure === undefined ? nowMs - sinceMs < SOUGHT_FRESH_MS : nowMs - failure.atMs < SOUGHT_MS_MAX;
}

function transferLines({ rates, progress }: LiveState, width: number): readonly StyledLine[] {
  const columns = Math.min(width, TABLE_COLUMNS_MAX);
  const total = progress === undefined ? undefined : progressText(progress);
  const totals = (total ?? "").split("; ").filter((text) => text !== "");
  return [...totals.map((text) => [span(`  ${text}`)]), ...rates.map((transfer) => transferLine(transfer, columns))];
}

function problemLines({ halted, problems, warnings }: LiveState, width: number): Pick<Section, "lines"> {
  const skipped = [...problems].map(([path, reason]) => `Skipped for now: ${escape(path)}: ${escape(reason)}`);
  const texts = [
    ...(halted === undefined ? [] : [textOf(halted) ?? ""]),
    ...skipped.toReversed(),
    ...warnings.toReversed().map((event) => textOf(event) ?? ""),
  ];
  return { lines: texts.flatMap((text) => problemLine(text, width)) };
}

function problemLine(text: string, width: number): readonly StyledLine[] {
  const wrapped = wrapColumns(text, Math.max(1, width - 4));
  return wrapped
    .slice(0, PROBLEM_LINES_MAX)
    .map((line, index) => [span(index === 0 ? "  ! " : "    ", "bad"), span(line)]);
}

function footer({ isStopping, problems }: LiveState, columns: number): string {
  if (isStopping) return "Stopping. Ctrl-C again: at once.";
  const more = problems.size > 0 && columns >= 60 ? "   dsync status: every problem" : "";
  return `Ctrl-C stops${more}`;
}
