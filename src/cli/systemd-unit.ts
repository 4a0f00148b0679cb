// The text of a systemd user unit: see systemd.service(5), and systemd.syntax(7) for its quotes. Pure.

import { escapeForTerminal } from "../core/escape.ts";
import type { ServicePlan } from "./service.ts";

/** Long enough for a disk to be mounted or a port to be free meanwhile, and not to fill the journal. */
const RESTART_SECONDS = 30;

export function systemdUnit({ folder, command, environment }: ServicePlan): string {
  const [program = "", ...rest] = command;
  return [
    "# Written by dsync service install; dsync service uninstall removes it.",
    "[Unit]",
    `Description=dsync of ${escapeForTerminal(folder).replaceAll("\\", "\\\\").replaceAll("%", "%%")}`,
    "",
    "[Service]",
    `ExecStart=${[quoted(program), ...rest.map(argument)].join(" ")}`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    "Restart=on-failure",
    `RestartSec=${RESTART_SECONDS}`,
    // 2 is wrong usage or configuration: the next try would be the same.
    "RestartPreventExitStatus=2",
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}

/** Specifiers (`%h`) are expanded everywhere, variables (`$HOME`) in arguments only. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll("%", "%%")
    .replaceAll(/\p{Cc}/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
    );
  return `"${escaped}"`;
}

function argument(text: string): string {
  return quoted(text).replaceAll("$", () => "$$");
}
