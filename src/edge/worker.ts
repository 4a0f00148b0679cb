// The entry of a worker thread: does one job after the other on the real file system.

import { parentPort, workerData } from "node:worker_threads";

import { invariant } from "../core/assert.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { JobContext } from "./job-context.ts";
import { runJob } from "./job-table.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { transferablesOf } from "./transferables.ts";
import type { WorkerAnswer, WorkerRequest, WorkerSettings } from "./worker-messages.ts";

invariant(parentPort !== null, "worker.ts runs as a worker thread");
const port = parentPort;
const settings = workerData as WorkerSettings;
const context: JobContext = { fs: nodeFileSystem, blake3: loadBlake3(settings) };

port.on("message", ({ id, name, request }: WorkerRequest) => {
  try {
    const result = runJob(context, name, request);
    port.postMessage({ kind: "done", id, result } satisfies WorkerAnswer, transferablesOf(result));
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(String(error));
    port.postMessage({ kind: "threw", id, error: thrown } satisfies WorkerAnswer);
  }
});
