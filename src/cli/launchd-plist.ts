// The text of a launchd agent: see launchd.plist(5). Pure.

import type { ServicePlan } from "./service.ts";

/** Long enough for a disk to be mounted or a port to be free meanwhile. */
const RESTART_SECONDS = 30;

export interface AgentPlan extends ServicePlan {
  readonly label: string;
  /** Absolute: what it prints goes there. */
  readonly logFile: string;
}

export function launchdPlist({ label, command, environment, logFile }: AgentPlan): string {
  const entries = [
    ["Label", text(label)],
    ["ProgramArguments", list("array", command.map(text))],
    [
      "EnvironmentVariables",
      list(
        "dict",
        Object.entries(environment).map(([name, value]) => key(name) + text(value)),
      ),
    ],
    ["RunAtLoad", "<true/>"],
    // Stopped as asked is stopped.
    ["KeepAlive", list("dict", [`${key("SuccessfulExit")}<false/>`])],
    ["ThrottleInterval", `<integer>${RESTART_SECONDS}</integer>`],
    ["StandardOutPath", text(logFile)],
    ["StandardErrorPath", text(logFile)],
  ] as const;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<!-- Written by dsync service install; dsync service uninstall removes it. -->",
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    list(
      "dict",
      entries.map(([name, value]) => key(name) + value),
    ),
    "</plist>",
    "",
  ].join("\n");
}

function list(tag: "array" | "dict", items: readonly string[]): string {
  return items.length === 0 ? `<${tag}/>` : `<${tag}>\n${items.join("\n")}\n</${tag}>`;
}

function key(name: string): string {
  return `<key>${escaped(name)}</key>`;
}

function text(value: string): string {
  return `<string>${escaped(value)}</string>`;
}

/** XML has no way to write most control characters: they become what nothing is called. */
function escaped(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[^\P{Cc}\t\n\r]/gu, "\u{fffd}");
}
