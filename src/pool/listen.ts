// Finds a port to listen on: the one that was asked for, or the next free one if nobody asked.

import { DsyncError, errnoOf, messageOf } from "../core/errors.ts";
import { PORTS_TRIED_MAX } from "../core/limits.ts";
import type { Connection, Listener, Network } from "../edge/network.ts";

/** `port`: 0 for any. `isExplicit`: a person asked for exactly this one. */
export interface ListenPort {
  readonly port: number;
  readonly isExplicit: boolean;
}

const PORT_MAX = 65_535;

/** Throws a DsyncError `environment` that says what to do. */
export async function listen(
  network: Network,
  { port, isExplicit }: ListenPort,
  onConnection: (connection: Connection) => void,
): Promise<Listener> {
  const last = isExplicit || port === 0 ? port : Math.min(PORT_MAX, port + PORTS_TRIED_MAX);
  for (let candidate = port; candidate <= last; candidate++) {
    try {
      return await network.listen(candidate, onConnection);
    } catch (error) {
      if (isExplicit || !isOccupied(error)) throw explain(candidate, error);
    }
  }
  try {
    return await network.listen(0, onConnection);
  } catch (error) {
    throw explain(0, error);
  }
}

function isOccupied(error: unknown): boolean {
  return errnoOf(error) === "EADDRINUSE" || errnoOf(error) === "EACCES";
}

function explain(port: number, error: unknown): DsyncError {
  const what = port === 0 ? "Cannot listen on any port" : `Cannot listen on port ${port}`;
  const remedy = "Choose another with -p, or -p 0 for any.";
  const errno = errnoOf(error);
  let reason = `${messageOf(error)}.`;
  if (errno === "EADDRINUSE") reason = `another program uses it. ${remedy}`;
  else if (errno === "EACCES") reason = `the system does not allow it. ${remedy}`;
  return new DsyncError("environment", `${what}: ${reason}`, { cause: error });
}
