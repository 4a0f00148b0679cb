// Why native events are not to be had, for a person, with the remedy. Pure.

import { errnoOf, messageOf } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";

/** What `error`, thrown by a watcher, means for the folder. */
export function watchProblemOf(error: unknown): Problem {
  switch (limitOf(error)) {
    case "watches":
      return limitProblem("The limit of watched directories", "fs.inotify.max_user_watches=524288");
    case "instances":
      return limitProblem("The limit of watching programs", "fs.inotify.max_user_instances=1024");
    case undefined:
      return {
        code: "EWATCH",
        message: `Cannot watch the folder for events (${messageOf(error)}): it is looked through every few seconds instead.`,
      };
  }
}

function limitOf(error: unknown): "watches" | "instances" | undefined {
  const code = errnoOf(error);
  // @parcel/watcher gives no code, only the kernel's words.
  if (code === "ENOSPC" || /inotify.*No space left on device/s.test(messageOf(error))) return "watches";
  if (code === "EMFILE" || code === "ENFILE" || /inotify.*Too many open files/s.test(messageOf(error)))
    return "instances";
  return undefined;
}

function limitProblem(limit: string, setting: string): Problem {
  const name = setting.slice(0, setting.indexOf("="));
  return {
    code: "EWATCHLIMIT",
    message:
      `${limit} (${name}) is reached: the folder is looked through every few seconds instead, which is slower. ` +
      `To raise it: sudo sysctl ${setting}, then start dsync again.`,
  };
}
