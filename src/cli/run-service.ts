// `dsync service`: an instance that starts when its user logs in, run by the system's own service manager.

import { assertNever } from "../core/assert.ts";
import { DsyncError } from "../core/errors.ts";
import { escapeForTerminal as escape } from "../core/escape.ts";
import { shellWord } from "../core/shell-word.ts";
import type { ServiceReport } from "../core/reports.ts";
import { resolveRealFolder } from "../edge/real-folder.ts";
import type { ServiceCommand } from "./command-line.ts";
import { Launchd } from "./launchd.ts";
import { loadFolder, loadOptions } from "./load-options.ts";
import type { Platform } from "./platform.ts";
import type { Output } from "./reporter.ts";
import { runArguments } from "./run-arguments.ts";
import { toolRunner } from "./run-tool.ts";
import { usageError } from "./settings.ts";
import { serviceName, type ServiceManager, type ServicePlan } from "./service.ts";
import { Systemd } from "./systemd.ts";
import { schedulerLine } from "./task-scheduler.ts";

export interface ServiceSurroundings {
  readonly platform: Platform;
  readonly stdout: Output;
  /** What runs dsync: node and the script, absolute paths. */
  readonly program: readonly string[];
}

/** What a service does not inherit from a person's shell, and dsync looks at. */
const KEPT_VARIABLES = ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "DSYNC_PORTABLE"] as const;

/** Throws a DsyncError. */
export async function runService(command: ServiceCommand, around: ServiceSurroundings): Promise<void> {
  const { platform, stdout } = around;
  switch (command.action) {
    case "install": {
      const plan = planOf(command, around);
      const manager = managerFor(platform, plan);
      const report = await manager.install(plan);
      return stdout.write(command.json ? jsonLine(report) : installedText(report, manager.hints(plan.folder)));
    }
    case "uninstall": {
      const folder = folderOf(command, platform);
      const removed = await managerFor(platform, undefined).uninstall(folder);
      return stdout.write(command.json ? jsonLine({ folder, removed }) : removedText(folder, removed));
    }
    case "status": {
      const report = await managerFor(platform, undefined).status(folderOf(command, platform));
      return stdout.write(command.json ? jsonLine(report) : statusText(report));
    }
    default:
      return assertNever(command);
  }
}

/** Everything is checked now that an instance would check at its start: nobody reads what a service says. */
function planOf(
  { flags }: Extract<ServiceCommand, { action: "install" }>,
  { platform, program }: ServiceSurroundings,
): ServicePlan {
  if (flags.passphraseFile === undefined && platform.environment["DSYNC_PASSPHRASE"] !== undefined) {
    throw usageError(
      "DSYNC_PASSPHRASE does not reach a service. Put the passphrase into a file of your own (chmod 600), and name it with --passphrase-file.",
    );
  }
  const { options } = loadOptions(flags, platform);
  const { path: folder } = resolveRealFolder(options.folder);
  const environment: Record<string, string> = {};
  for (const name of KEPT_VARIABLES) {
    const value = platform.environment[name];
    if (value !== undefined && value !== "") environment[name] = value;
  }
  return { folder, command: [...program, ...runArguments(folder, flags, platform)], environment };
}

/** Also of a folder that is gone: its service is still to be found. */
function folderOf(command: { path: string | undefined; config: string | undefined }, platform: Platform): string {
  const { folder } = loadFolder(command, platform);
  try {
    return resolveRealFolder(folder).path;
  } catch {
    return folder;
  }
}

function managerFor(platform: Platform, plan: ServicePlan | undefined): ServiceManager {
  const run = toolRunner(platform.environment);
  switch (platform.system) {
    case "linux":
      return new Systemd(platform, run);
    case "darwin":
      return new Launchd(platform, run);
    case "win32":
      throw new DsyncError(
        "environment",
        `On Windows the task scheduler starts dsync when you log in. ${plan === undefined ? "See the tasks: schtasks /Query" : `Type: ${schedulerLine(serviceName(plan.folder), plan.command)}`}`,
      );
    default:
      throw new DsyncError(
        "environment",
        `dsync knows no service manager on ${escape(platform.system)}: start it with your own, as dsync -d <folder>.`,
      );
  }
}

function installedText(report: ServiceReport, hints: readonly string[]): string {
  return lines([
    `Installed ${report.service} for ${escape(report.folder)}: ${escape(report.state)}.`,
    ...hints,
    `What it does: dsync status -d ${shellWord(report.folder)}`,
  ]);
}

function removedText(folder: string, removed: boolean): string {
  return removed
    ? `Stopped and removed the service of ${escape(folder)}. Nothing in the folder was touched.\n`
    : `There is no service for ${escape(folder)}.\n`;
}

function statusText({ folder, service, file, installed, state }: ServiceReport): string {
  if (!installed) return `There is no service for ${escape(folder)}: dsync service install -d ${shellWord(folder)}\n`;
  return lines([`${service}: ${escape(state)}`, `Folder  ${escape(folder)}`, `File    ${escape(file)}`]);
}

function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
