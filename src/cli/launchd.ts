// Services of one user by launchd (macOS): an agent's property list, and launchctl.

import { posix } from "node:path";
import { DsyncError } from "../core/errors.ts";
import { shellWord } from "../core/shell-word.ts";
import type { ServiceReport } from "../core/reports.ts";
import { launchdPlist } from "./launchd-plist.ts";
import type { Platform } from "./platform.ts";
import type { RunTool, ToolOutcome } from "./run-tool.ts";
import { readServiceFile, removeServiceFile, writeServiceFile } from "./service-file.ts";
import { runServiceTool } from "./service-tool.ts";
import { serviceName, type ServiceManager, type ServicePlan } from "./service.ts";

export class Launchd implements ServiceManager {
  readonly #run: RunTool;
  readonly #library: string;
  /** The session in which the user's programs run. */
  readonly #domain: string;

  constructor({ home, uid }: Platform, run: RunTool) {
    if (home === "") throw new DsyncError("environment", "There is no home directory for the service. Set HOME.");
    this.#run = run;
    this.#library = posix.join(home, "Library");
    this.#domain = `gui/${uid ?? 0}`;
  }

  async install(plan: ServicePlan): Promise<ServiceReport> {
    const { folder } = plan;
    const label = serviceName(folder);
    const file = this.#file(folder);
    const isChanged = writeServiceFile(file, launchdPlist({ ...plan, label, logFile: this.#logFile(folder) }));
    const isLoaded = (await this.#print(folder)).kind === "done";
    if (isLoaded && !isChanged) return this.status(folder);
    if (isLoaded) await this.#launchctl("bootout", this.#target(folder));
    await this.#launchctl("enable", this.#target(folder));
    await this.#launchctl("bootstrap", this.#domain, file);
    return this.status(folder);
  }

  async uninstall(folder: string): Promise<boolean> {
    const file = this.#file(folder);
    if (readServiceFile(file) === undefined) return false;
    if ((await this.#print(folder)).kind === "done") await this.#launchctl("bootout", this.#target(folder));
    removeServiceFile(file);
    return true;
  }

  async status(folder: string): Promise<ServiceReport> {
    const file = this.#file(folder);
    const service = serviceName(folder);
    if (readServiceFile(file) === undefined)
      return { folder, service, file, installed: false, running: false, state: "not installed" };
    const printed = await this.#print(folder);
    const state =
      printed.kind === "done" ? (/^\s*state = (.+)$/m.exec(printed.stdout)?.[1] ?? "unknown") : "not loaded";
    return { folder, service, file, installed: true, running: state === "running", state };
  }

  hints(folder: string): readonly string[] {
    return ["It starts when you log in.", `Its log: ${shellWord(this.#logFile(folder))}`];
  }

  #logFile(folder: string): string {
    return posix.join(this.#library, "Logs", `${serviceName(folder)}.log`);
  }

  #file(folder: string): string {
    return posix.join(this.#library, "LaunchAgents", `${serviceName(folder)}.plist`);
  }

  #target(folder: string): string {
    return `${this.#domain}/${serviceName(folder)}`;
  }

  /** Fails for what is not loaded. */
  #print(folder: string): Promise<ToolOutcome> {
    return this.#run("launchctl", ["print", this.#target(folder)]);
  }

  #launchctl(...args: readonly string[]): Promise<string> {
    return runServiceTool(this.#run, "launchctl", args);
  }
}
