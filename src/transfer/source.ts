// Whom content can be fetched from: one connected peer, as the transfer sees it.

import type { RelativePath } from "../core/path.ts";
import type { Session } from "../pool/session.ts";

export interface Source {
  readonly session: Session;
  /** False if the peer does not know the entry as we do, or has said that it lacks the content. */
  mayHold(path: RelativePath): boolean;
  /** The peer could not deliver: do not ask it for this path again until it says that it holds it. */
  noteLacking(path: RelativePath): void;
}
