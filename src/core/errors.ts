// One base class for what dsync reports to a person or to a peer, with a closed set of codes.

/** What went wrong, as the exit code and the status see it. */
export type ErrorCode =
  | "usage" // wrong flag, key, value: exit 2
  | "environment" // port taken, folder unreadable: exit 1
  | "folder-held" // another instance runs on the folder: exit 3
  | "folder-changed" // unmounted or swapped: exit 4
  | "index" // the index cannot be opened or written: exit 1
  | "protocol"; // a peer broke the protocol: its session closes

const NAME = "DsyncError";

/** An error with a message for a person: what was tried, on what, what came back, what to do. */
export class DsyncError extends Error {
  override readonly name = NAME;
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Also true of what another script of the program threw: each has a class of its own (scripts/bundle.mjs). */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === NAME;
  }
}

/** A peer sent something that the protocol does not allow. */
export function protocolError(message: string): DsyncError {
  return new DsyncError("protocol", message);
}

/** A thrown value's message, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name (`ENOENT`) of a system error, or `undefined`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
