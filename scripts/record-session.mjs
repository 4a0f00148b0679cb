// Records two real instances that meet, in two terminals, as docs/session-light.svg and docs/session-dark.svg. After a
// build, as root on Linux with tmux:  node scripts/record-session.mjs
// Each machine is a network namespace with a home of its own; the cable between them carries 200 Mbit/s.
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createNamespaces, whyNoNamespaces } from "../dist/test/support/network-namespaces.js";
import { drawSession } from "./draw-session.mjs";

const COLUMNS = 62;
const ROWS = 17;
const FRAME_MS = 100;
const KEY_MS = 70;
/** Nobody reads longer at one picture. */
const FRAME_SHOWN_MS_MAX = 1_800;
const LAST_SHOWN_MS = 4_000;
const DEADLINE_MS = 60_000;

const why = whyNoNamespaces() || (spawnSync("tmux", ["-V"]).status === 0 ? false : "tmux is not installed");
if (why !== false) {
  console.error(`Cannot record: ${why}.`);
  process.exit(1);
}

const main = fileURLToPath(new URL("../dist/app/main.js", import.meta.url));
const base = mkdtempSync(join(tmpdir(), "dsync-session-"));
const namespaces = createNamespaces();
const machines = [openMachine("desk", "ada", namespaces.left), openMachine("laptop", "ada", namespaces.right)];
const [desk, laptop] = machines;
/** What both terminals showed, and for how long. */
const frames = [];

try {
  for (const side of [namespaces.left, namespaces.right]) {
    side.run(
      "tc",
      "qdisc",
      "add",
      "dev",
      "eth0",
      "root",
      "tbf",
      "rate",
      "200mbit",
      "burst",
      "256kb",
      "latency",
      "50ms",
    );
  }
  const [yesterday, today] = [Date.now() / 1000 - 90_000, Date.now() / 1000 - 7_000];
  desk.write("letters/to the bank.odt", randomBytes(31_000), yesterday);
  desk.write("notes.txt", "milk, bread\n", yesterday);
  desk.write("photos/lake.jpg", randomBytes(4_200_000), yesterday);
  desk.write("films/summer.mp4", randomBytes(64_000_000), yesterday);
  laptop.write("notes.txt", "milk, bread, coffee\n", today);

  for (const machine of machines) await until(() => machine.screen().includes("$"), "a prompt");
  await type(desk, "dsync -d ~/shared");
  await until(() => desk.screen().includes("waiting for peers"), "the first instance");
  await watch(1_200);
  await type(laptop, "dsync -d ~/shared");
  await until(
    () => machines.every((machine) => machine.screen().includes("in sync with 1 peer")),
    "both to be in sync",
  );
  await watch(2_000);
  laptop.write("letters/to the bank.odt", randomBytes(32_500), Date.now() / 1000);
  await until(() => desk.screen().includes("laptop changed letters"), "the edit to arrive");
  await watch(2_000);
} finally {
  for (const machine of machines) machine.close();
  namespaces.delete();
  rmSync(base, { recursive: true, force: true, maxRetries: 10 });
}

const shown = frames.map(({ screens, ms }, index) => ({
  screens,
  ms: index === frames.length - 1 ? LAST_SHOWN_MS : Math.min(ms, FRAME_SHOWN_MS_MAX),
}));
const titles = machines.map(({ name }) => name);
for (const theme of ["light", "dark"]) {
  const file = fileURLToPath(new URL(`../docs/session-${theme}.svg`, import.meta.url));
  const svg = drawSession({ frames: shown, titles, columns: COLUMNS, rows: ROWS, theme });
  writeFileSync(file, svg);
  console.log(`${file}: ${shown.length} pictures, ${Math.round(svg.length / 1000)} kB`);
}

/** A terminal on a machine whose home is `/home/<user>` and whose name is `name`, by namespaces of its own. */
function openMachine(name, user, namespace) {
  const root = join(base, name);
  const home = join(root, user);
  for (const directory of [join(home, "shared"), join(root, "bin"), join(root, "run")])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  const program = join(root, "bin", "dsync");
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`);
  chmodSync(program, 0o755);
  const socket = join(root, "tmux.sock");
  const environment = {
    PATH: `${join(root, "bin")}:${process.env.PATH}`,
    HOME: `/home/${user}`,
    XDG_RUNTIME_DIR: join(root, "run"),
    LC_ALL: "C.UTF-8",
    TERM: "xterm-256color",
  };
  const tmux = (...args) => execFileSync("tmux", ["-u", "-S", socket, ...args], { env: environment, encoding: "utf8" });
  const session = `hostname ${name} && mount --bind ${root} /home && cd && exec tmux -u -S ${socket} -f /dev/null new-session -d -x ${COLUMNS} -y ${ROWS} "PS1='$ ' sh"`;
  execFileSync("ip", ["netns", "exec", namespace.name, "unshare", "-m", "-u", "sh", "-c", session], {
    env: environment,
    stdio: "inherit",
  });
  return {
    name,
    tmux,
    /** With its colours. */
    screen: () => tmux("capture-pane", "-e", "-p"),
    write(path, content, seconds) {
      const file = join(home, "shared", path);
      mkdirSync(join(file, ".."), { recursive: true });
      writeFileSync(file, content);
      utimesSync(file, seconds, seconds);
    },
    close: () => spawnSync("tmux", ["-S", socket, "kill-server"], { env: environment }),
  };
}

/** Looks at both terminals, and remembers what is new. */
function look() {
  const screens = machines.map((machine) => machine.screen().split("\n").slice(0, ROWS));
  const last = frames.at(-1);
  if (last !== undefined) last.ms = performance.now() - last.sinceMs;
  if (JSON.stringify(last?.screens) !== JSON.stringify(screens))
    frames.push({ screens, sinceMs: performance.now(), ms: FRAME_MS });
}

async function watch(ms) {
  for (const endMs = performance.now() + ms; performance.now() < endMs; await sleep(FRAME_MS)) look();
}

async function until(condition, what) {
  const endMs = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > endMs) {
      throw new Error(`Waited in vain for ${what}:\n${machines.map(({ screen }) => screen()).join("\n")}`);
    }
    await watch(FRAME_MS);
  }
  look();
}

async function type(machine, line) {
  for (const character of line) {
    machine.tmux("send-keys", "-l", character);
    await watch(KEY_MS);
  }
  machine.tmux("send-keys", "Enter");
}
