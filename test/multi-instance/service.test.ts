// `dsync service` with a service manager that is a script: what is asked of it, what is written, and that the command that
// is written down runs. On Linux by systemd's rules, elsewhere skipped.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Launchd } from "../../src/cli/launchd.ts";
import { toolRunner } from "../../src/cli/run-tool.ts";
import type { ServiceReport, StatusReport } from "../../src/core/reports.ts";
import { unquoteUnit } from "../support/service-files.ts";
import { removeDirectory, temporaryDirectory } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

const MAIN = fileURLToPath(new URL("../../app/main.js", import.meta.url));
const skip = process.platform === "linux" ? false : "only Linux has systemd";

const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$HOME/calls"
case "$*" in
  "--user show-environment") [ ! -e "$HOME/no-bus" ] || { echo "Failed to connect to bus: No medium found" >&2; exit 1; } ;;
  "--user start "*|"--user restart "*)
    [ ! -e "$HOME/refuses" ] || { echo "Job failed." >&2; exit 1; }
    : > "$HOME/active" ;;
  "--user disable --now "*) rm -f "$HOME/active" ;;
  "--user show "*)
    if [ -e "$HOME/active" ]; then echo ActiveState=active; echo SubState=running; echo ExecMainStatus=0
    else echo ActiveState=failed; echo SubState=failed; echo ExecMainStatus=2; fi ;;
esac
`;

const LAUNCHCTL = `#!/bin/sh
echo "$*" >> "$HOME/calls"
case "$1" in
  print) [ -e "$HOME/active" ] || exit 113; echo "	state = running" ;;
  bootstrap) : > "$HOME/active" ;;
  bootout) rm "$HOME/active" ;;
esac
`;

class User {
  readonly home: string;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;

  constructor(t: TestContext, tools: Readonly<Record<string, string>>) {
    const base = temporaryDirectory();
    t.after(() => removeDirectory(base));
    this.home = join(base, "home");
    // A name that the shell, systemd and people would each read differently.
    this.folder = join(base, 'my $HOME 100%h "files"');
    const bin = join(base, "bin");
    for (const directory of [this.home, this.folder, bin]) fs.mkdirSync(directory, { mode: 0o700 });
    for (const [name, text] of Object.entries(tools)) fs.writeFileSync(join(bin, name), text, { mode: 0o755 });
    for (const tool of ["sh", "rm"]) {
      const found = ["/bin", "/usr/bin"].map((place) => join(place, tool)).find((path) => fs.existsSync(path));
      if (found !== undefined) fs.symlinkSync(found, join(bin, tool));
    }
    this.environment = { PATH: bin, HOME: this.home, XDG_RUNTIME_DIR: this.home };
  }

  dsync(...args: readonly string[]): {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      env: this.environment,
      cwd: dirname(this.folder),
      encoding: "utf8",
    });
    return { code: status, stdout, stderr };
  }

  /** What was asked of the service manager since the last look. */
  calls(): readonly string[] {
    const file = join(this.home, "calls");
    const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trimEnd().split("\n") : [];
    fs.rmSync(file, { force: true });
    return lines;
  }

  get units(): readonly string[] {
    const directory = join(this.home, ".config/systemd/user");
    return fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  }
}

function parsed({ code, stdout, stderr }: ReturnType<User["dsync"]>): unknown {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test("a service is installed, says how it is, changes, and goes; each can be done twice", { skip }, (t) => {
  const user = new User(t, { systemctl: SYSTEMCTL });
  const { folder } = user;
  const status = (): ServiceReport => parsed(user.dsync("service", "status", "-d", folder, "--json")) as ServiceReport;
  const [none, nothing] = [status(), user.dsync("service", "uninstall", "-d", folder)];
  assert.deepEqual([none.installed, none.running, none.folder], [false, false, fs.realpathSync(folder)]);
  assert.match(nothing.stdout, /^There is no service for /);
  assert.deepEqual(user.calls(), []);

  const installed = user.dsync("service", "install", "-d", folder, "-p", "0");
  assert.equal(installed.code, 0, installed.stderr);
  const { service, file, state } = status();
  assert.match(installed.stdout, new RegExp(`^Installed ${service} for .*: active \\(running\\)\\.\n`));
  assert.match(installed.stdout, /loginctl enable-linger\n.*journalctl --user -u dsync-.*\.service\n/);
  assert.deepEqual([state, user.units], ["active (running)", [service]]);
  const show = `--user show ${service} --property=ActiveState,SubState,ExecMainStatus`;
  const install = ["--user show-environment", "--user daemon-reload", `--user enable ${service}`];
  assert.deepEqual(user.calls(), [...install, `--user restart ${service}`, show, show]);

  assert.equal(user.dsync("service", "install", "-d", folder, "-p", "0").code, 0);
  assert.deepEqual(user.calls(), [...install, `--user start ${service}`, show]);
  assert.equal(user.dsync("service", "install", "-d", folder, "-p", "0", "--share", "films").code, 0);
  assert.ok(user.calls().includes(`--user restart ${service}`));
  assert.match(fs.readFileSync(file, "utf8"), /"--share=films"/);

  fs.rmSync(join(user.home, "active"));
  assert.deepEqual([status().running, status().state], [false, "failed (exit code 2)"]);
  user.calls();

  const removed = parsed(user.dsync("service", "uninstall", "-d", folder, "--json")) as { removed: boolean };
  assert.deepEqual([removed.removed, user.units], [true, []]);
  assert.deepEqual(user.calls(), [`--user disable --now ${service}`, "--user daemon-reload"]);
  assert.deepEqual(fs.readdirSync(folder), []);
});

test("the command that systemd is given starts an instance on the folder", { skip }, async (t) => {
  const user = new User(t, { systemctl: SYSTEMCTL });
  const state = join(user.home, "other-state");
  user.environment["XDG_STATE_HOME"] = state;
  const { file } = parsed(
    user.dsync("service", "install", "-d", user.folder, "-p", "0", "--no-discovery", "-n", "at login", "--json"),
  ) as ServiceReport;
  const unit = fs.readFileSync(file, "utf8").split("\n");
  const line = (name: string): string =>
    unit.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? assert.fail(`no ${name}`);
  assert.deepEqual(unquoteUnit(line("Environment")), [`XDG_STATE_HOME=${state}`]);
  const [program = "", ...args] = unquoteUnit(line("ExecStart"));
  const child = spawn(program, args, { env: user.environment, cwd: "/", stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  const status = await waitFor(
    () => {
      const { code, stdout } = user.dsync("status", "-d", user.folder, "--json");
      const report = code === 0 ? (JSON.parse(stdout) as StatusReport) : undefined;
      return report?.running === true ? report : undefined;
    },
    { until: "the service's instance to answer", isCostly: true },
  );
  assert.deepEqual([status.name, status.folder], ["at login", fs.realpathSync(user.folder)]);
});

test("systemd's own checker finds nothing wrong with the unit", { skip: skip || lacks("systemd-analyze") }, (t) => {
  const user = new User(t, { systemctl: SYSTEMCTL });
  const { file } = parsed(user.dsync("service", "install", "-d", user.folder, "--json")) as ServiceReport;
  const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--user", "--man=no", file], {
    encoding: "utf8",
    env: { ...process.env, HOME: user.home, XDG_RUNTIME_DIR: user.home },
  });
  const about = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("dsync-my"));
  assert.deepEqual(about, []);
});

test("without systemd nothing is written, and the way out is said", { skip }, (t) => {
  const user = new User(t, {});
  const missing = user.dsync("service", "install", "-d", user.folder);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /There is no systemctl here.*run: .*main\.js '--path=/);
  const without = new User(t, { systemctl: SYSTEMCTL });
  fs.writeFileSync(join(without.home, "no-bus"), "");
  const refused = without.dsync("service", "install", "-d", without.folder);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /systemd runs no services for this user here: Failed to connect to bus: No medium found/,
  );
  assert.deepEqual([...user.units, ...without.units], []);
});

test("a service that cannot be started is an error that shows what to type", { skip }, (t) => {
  const user = new User(t, { systemctl: SYSTEMCTL });
  fs.writeFileSync(join(user.home, "refuses"), "");
  const { code, stderr } = user.dsync("service", "install", "-d", user.folder);
  assert.equal(code, 1);
  assert.match(stderr, /^dsync: The service manager refused: systemctl --user restart dsync-\S+: Job failed\. Try /);
  assert.equal(user.units.length, 1);
  fs.rmSync(join(user.home, "refuses"));
  assert.equal(user.dsync("service", "install", "-d", user.folder).code, 0);
  assert.equal(user.dsync("service", "uninstall", "-d", user.folder).code, 0);
});

test("what would fail or open the folder later is refused now", { skip }, (t) => {
  const user = new User(t, { systemctl: SYSTEMCTL });
  const { folder } = user;
  for (const [args, message] of [
    [["-d", folder, "--passphrase", "x"], /does not take --passphrase/],
    [["-d", folder, "--code"], /does not take --code/],
    [["-d", folder, "--passphrase-file", "absent"], /Cannot read the passphrase file/],
    [["-d", join(folder, "a/b")], /neither it nor the directory above it exists/],
    [[], /Which folder\?/],
  ] as const) {
    const { code, stderr } = user.dsync("service", "install", ...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  user.environment["DSYNC_PASSPHRASE"] = "secret";
  const { code, stderr } = user.dsync("service", "install", "-d", folder);
  assert.deepEqual([code, user.units, user.calls()], [2, [], []]);
  assert.match(stderr, /DSYNC_PASSPHRASE does not reach a service/);
  assert.doesNotMatch(stderr, /secret/);
});

test("launchd is asked to load, reload and unload the agent", { skip: process.platform === "win32" }, async (t) => {
  const user = new User(t, { launchctl: LAUNCHCTL });
  const platform = {
    environment: user.environment,
    system: "darwin",
    home: user.home,
    cwd: "/",
    hostName: "",
    temporary: "/tmp",
    uid: 501,
  };
  const launchd = new Launchd(platform, toolRunner(platform.environment));
  const plan = { folder: "/Users/u/f", command: ["/n", "/main.js"], environment: {} };
  const report = await launchd.install(plan);
  assert.deepEqual([report.installed, report.running, report.state], [true, true, "running"]);
  assert.ok(report.file.startsWith(join(user.home, "Library/LaunchAgents/dsync-f-")));
  const target = `gui/501/${report.service}`;
  assert.deepEqual(user.calls(), [
    `print ${target}`,
    `enable ${target}`,
    `bootstrap gui/501 ${report.file}`,
    `print ${target}`,
  ]);
  await launchd.install(plan);
  assert.deepEqual(user.calls(), [`print ${target}`, `print ${target}`]);
  await launchd.install({ ...plan, command: ["/n", "/main.js", "--quiet"] });
  assert.ok(user.calls().includes(`bootout ${target}`));
  assert.deepEqual([await launchd.uninstall(plan.folder), await launchd.uninstall(plan.folder)], [true, false]);
  assert.equal((await launchd.status(plan.folder)).installed, false);
});

function lacks(tool: string): string | false {
  return spawnSync(tool, ["--version"]).status === 0 ? false : `${tool} is not installed`;
}
