// The live view in a real terminal: tmux is the terminal, and tells what is on it.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { columnsOfText } from "../../src/cli/text-width.ts";
import { DsyncProcess } from "../support/dsync-process.ts";
import { waitFor } from "../support/wait.ts";

const MAIN = fileURLToPath(new URL("../../app/main.js", import.meta.url));
const missing = ["tmux", "pgrep"].find((tool) => spawnSync(tool, ["-V"]).status !== 0);
const skip = missing === undefined ? false : `${missing} is not installed`;

/** One tmux server of its own with one window that runs a shell. */
class TmuxTerminal {
  readonly #home: string;

  constructor(home: string, columns: number, rows: number) {
    this.#home = home;
    const size = ["-x", String(columns), "-y", String(rows)];
    this.#tmux("-f", "/dev/null", "new-session", "-d", ...size, "PS1='$ ' sh");
  }

  close(): void {
    this.#tmux("kill-server");
  }

  type(line: string): void {
    this.#tmux("send-keys", "-l", line);
    this.#tmux("send-keys", "Enter");
  }

  press(key: string): void {
    this.#tmux("send-keys", key);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  get screen(): string {
    return this.#tmux("capture-pane", "-p");
  }

  /** Whether a program has the whole screen, and whether the cursor shows. */
  get modes(): string {
    return this.#tmux(
      "display-message",
      "-p",
      "alternate #{alternate_on} cursor #{cursor_flag} wrap #{wrap_flag}",
    ).trim();
  }

  #tmux(...args: readonly string[]): string {
    const env = {
      PATH: process.env["PATH"],
      HOME: this.#home,
      TMUX_TMPDIR: this.#home,
      LC_ALL: "C.UTF-8",
      TERM: "xterm-256color",
    };
    return execFileSync("tmux", ["-u", "-S", join(this.#home, "tmux.sock"), ...args], { env, encoding: "utf8" });
  }
}

interface World {
  readonly terminal: TmuxTerminal;
  readonly peer: DsyncProcess;
  readonly folder: string;
}

/** A peer with a few files, and a terminal in which dsync has joined it. */
async function start(t: TestContext, columns: number, rows: number): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), "dsync-view-"));
  const folders = ["here", "there"].map((name) => join(home, name));
  for (const folder of folders) mkdirSync(folder);
  const [folder = "", other = ""] = folders;
  writeFileSync(join(other, "日本語のファイル.txt"), "wide");
  mkdirSync(join(home, "peer"));
  const peer = await DsyncProcess.start({ folder: other, home: join(home, "peer"), args: ["-n", "désktop"] });
  const terminal = new TmuxTerminal(home, columns, rows);
  t.after(async () => {
    terminal.close();
    await peer.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 10 });
  });
  const command = `${process.execPath} ${MAIN} -d ${folder} -p 0 -n here --no-discovery -a 127.0.0.1:${peer.port}`;
  terminal.type(`${command}; echo "ended with $?"`);
  await waitFor(() => terminal.screen.includes("in sync with 1 peer") && terminal.screen.includes("added"), {
    until: `the view says that everything is in sync:\n${terminal.screen}`,
  });
  return { terminal, peer, folder };
}

for (const [columns, rows] of [
  [40, 24],
  [80, 24],
  [200, 50],
] as const) {
  test(`${columns} columns: the view fits, follows a resize, and is gone after Ctrl-C`, { skip }, async (t) => {
    const { terminal, folder } = await start(t, columns, rows);
    assert.equal(terminal.modes, "alternate 1 cursor 0 wrap 0");
    const { screen } = terminal;
    for (const part of [/^dsync {2}\//, /Peers\n {2}● désktop/, /Events/, /désktop added /, /^Ctrl-C stops/m])
      assert.match(screen, part);
    for (const line of screen.split("\n")) assert.ok(columnsOfText(line) < columns, line);
    terminal.resize(60, 20);
    writeFileSync(join(folder, "mine.txt"), "new");
    // It learns of its new size a moment after the terminal has it.
    const fits = (shown: string): boolean => shown.split("\n").every((line) => columnsOfText(line) < 60);
    await waitFor(() => [terminal.screen].find((shown) => shown.includes("you added mine.txt") && fits(shown)), {
      until: "the next event is shown, and fits",
    });
    terminal.press("C-c");
    await waitFor(() => terminal.screen.includes("ended with 0"), { until: "dsync ended" });
    assert.equal(terminal.modes, "alternate 0 cursor 1 wrap 1");
    assert.match(terminal.screen, /Stopped syncing/);
    assert.doesNotMatch(terminal.screen, /Ctrl-C stops/);
  });
}

/** The process that runs in the terminal. */
function pidOn(folder: string): number {
  const [line = ""] = execFileSync("pgrep", ["-f", `main.js -d ${folder} `], { encoding: "utf8" }).split("\n");
  return Number(line);
}

test("SIGTERM, and a crash, leave the terminal as it was", { skip }, async (t) => {
  const { terminal, folder } = await start(t, 80, 24);
  process.kill(pidOn(folder), "SIGTERM");
  await waitFor(() => terminal.screen.includes("ended with 0"), { until: "dsync ended" });
  assert.equal(terminal.modes, "alternate 0 cursor 1 wrap 1");
  const crash = join(folder, "crash.mjs");
  // A bug, at a time when the view is open.
  writeFileSync(crash, "process.on('SIGUSR2', () => { throw new Error('on purpose'); });");
  terminal.type(`clear; ${process.execPath} --import ${crash} ${MAIN} -d ${folder} -p 0; echo "then $?"`);
  await waitFor(() => terminal.screen.includes("Peers"), { until: "the view is open" });
  process.kill(pidOn(folder), "SIGUSR2");
  await waitFor(() => terminal.screen.includes("then 1"), { until: "dsync crashed" });
  assert.match(terminal.screen, /on purpose/);
  assert.equal(terminal.modes, "alternate 0 cursor 1 wrap 1");
});
