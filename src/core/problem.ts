// A problem with one path: a value that is listed in the status and retried, while everything else goes on.

/** Why a path could not be read, written or applied. */
export interface Problem {
  /** An errno name (`EACCES`), or one of dsync's own. */
  readonly code: string;
  /** For a person: what was tried, what came back, what to do. */
  readonly message: string;
}
