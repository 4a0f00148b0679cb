// What of the process and the machine the command line depends on, as an argument: only main.ts reads the real one.

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Platform {
  readonly environment: Environment;
  /** `process.platform`. */
  readonly system: string;
  /** The user's home directory; empty if there is none. */
  readonly home: string;
  /** Current directory, absolute. */
  readonly cwd: string;
  readonly hostName: string;
  /** The directory for temporary files. */
  readonly temporary: string;
  /** Numeric user ID; `undefined` on Windows. */
  readonly uid: number | undefined;
}
