// One line of what `dsync doctor` says. `--json` prints findings as they are.

export interface Finding {
  /** A stable name: `port`, `multicast`, `peer`, … */
  readonly check: string;
  readonly verdict: "ok" | "warning" | "problem";
  /** Not escaped. */
  readonly text: string;
  /** What to type or do; `null` if there is nothing to do. */
  readonly remedy: string | null;
}

export function ok(check: string, text: string): Finding {
  return { check, verdict: "ok", text, remedy: null };
}

export function warning(check: string, text: string, remedy: string | null): Finding {
  return { check, verdict: "warning", text, remedy };
}

export function problem(check: string, text: string, remedy: string | null): Finding {
  return { check, verdict: "problem", text, remedy };
}
