// What the main thread and a worker say to each other.

import type { JobName, Jobs } from "./jobs.ts";

/** Handed to a worker at its start. */
export interface WorkerSettings {
  /** Leave native twins alone. */
  readonly portable: boolean;
}

export interface WorkerRequest<Name extends JobName = JobName> {
  readonly id: number;
  readonly name: Name;
  readonly request: Jobs[Name]["request"];
}

export type WorkerAnswer =
  | { readonly kind: "done"; readonly id: number; readonly result: Jobs[JobName]["result"] }
  /** The job threw: a bug. */
  | { readonly kind: "threw"; readonly id: number; readonly error: Error };
