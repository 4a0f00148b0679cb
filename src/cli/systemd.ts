// Services of one user by systemd (Linux): a unit file, and systemctl --user.

import { posix } from "node:path";
import { DsyncError } from "../core/errors.ts";
import { escapeForTerminal as escape } from "../core/escape.ts";
import { shellWord } from "../core/shell-word.ts";
import type { ServiceReport } from "../core/reports.ts";
import type { Platform } from "./platform.ts";
import type { RunTool } from "./run-tool.ts";
import { readServiceFile, removeServiceFile, writeServiceFile } from "./service-file.ts";
import { runServiceTool } from "./service-tool.ts";
import { serviceName, type ServiceManager, type ServicePlan } from "./service.ts";
import { systemdUnit } from "./systemd-unit.ts";

export class Systemd implements ServiceManager {
  readonly #run: RunTool;
  readonly #directory: string;

  constructor(platform: Platform, run: RunTool) {
    this.#run = run;
    this.#directory = posix.join(configHome(platform), "systemd", "user");
  }

  async install(plan: ServicePlan): Promise<ServiceReport> {
    const { folder } = plan;
    const unit = unitOf(folder);
    await this.#expectSystemd(plan);
    const isChanged = writeServiceFile(this.#file(folder), systemdUnit(plan));
    // Also after an install that failed half-way.
    await this.#systemctl("daemon-reload");
    await this.#systemctl("enable", unit);
    // `start` leaves alone what runs already.
    await this.#systemctl(isChanged ? "restart" : "start", unit);
    return this.status(folder);
  }

  async uninstall(folder: string): Promise<boolean> {
    const file = this.#file(folder);
    if (readServiceFile(file) === undefined) return false;
    await this.#systemctl("disable", "--now", unitOf(folder));
    removeServiceFile(file);
    await this.#systemctl("daemon-reload");
    return true;
  }

  async status(folder: string): Promise<ServiceReport> {
    const file = this.#file(folder);
    const service = unitOf(folder);
    if (readServiceFile(file) === undefined)
      return { folder, service, file, installed: false, running: false, state: "not installed" };
    const shown = await this.#systemctl("show", service, "--property=ActiveState,SubState,ExecMainStatus");
    const facts = new Map(shown.split("\n").map((line) => line.split("=", 2) as [string, string | undefined]));
    const active = facts.get("ActiveState") ?? "unknown";
    const code = facts.get("ExecMainStatus") ?? "0";
    const detail = [facts.get("SubState"), code === "0" ? undefined : `exit code ${code}`].filter(
      (part) => part !== undefined && part !== active,
    );
    const state = detail.length === 0 ? active : `${active} (${detail.join(", ")})`;
    return { folder, service, file, installed: true, running: active === "active", state };
  }

  hints(folder: string): readonly string[] {
    return [
      "It starts when you log in. To keep it running while you are logged out: loginctl enable-linger",
      `Its log: journalctl --user -u ${unitOf(folder)}`,
    ];
  }

  #file(folder: string): string {
    return posix.join(this.#directory, unitOf(folder));
  }

  /** Before anything is written. */
  async #expectSystemd({ command }: ServicePlan): Promise<void> {
    const outcome = await this.#run("systemctl", ["--user", "show-environment"]);
    if (outcome.kind === "done") return;
    const itself = `Have your own way of starting programs run: ${command.map(shellWord).join(" ")}`;
    throw outcome.kind === "missing"
      ? new DsyncError("environment", `There is no systemctl here: this system does without systemd. ${itself}`)
      : new DsyncError(
          "environment",
          `systemd runs no services for this user here: ${escape(outcome.complaint)}. Log in as that user, not by su or sudo. ${itself}`,
        );
  }

  #systemctl(...args: readonly string[]): Promise<string> {
    return runServiceTool(this.#run, "systemctl", ["--user", ...args]);
  }
}

function unitOf(folder: string): string {
  return `${serviceName(folder)}.service`;
}

function configHome({ environment, home }: Platform): string {
  const given = environment["XDG_CONFIG_HOME"];
  if (given !== undefined && posix.isAbsolute(given)) return given;
  if (home === "") throw new DsyncError("environment", "There is no home directory for the service. Set HOME.");
  return posix.join(home, ".config");
}
