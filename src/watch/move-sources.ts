// Where content that turns up under a new path may come from.

import type { RelativePath } from "../core/path.ts";
import type { PathRecord } from "../index/entry.ts";
import type { Fact } from "./gather.ts";
import type { RoundContext } from "./round-context.ts";
import { isMoved } from "./vanished.ts";

/** Paths that are gone, or hold something else now, by the inode that they had. */
export class MoveSources {
  readonly #context: RoundContext;
  readonly #replaced = new Map<bigint, RelativePath>();

  constructor(context: RoundContext, facts: ReadonlyMap<RelativePath, Fact>) {
    this.#context = context;
    for (const { path, child, before } of facts.values()) {
      if (before !== undefined && before.inode !== child?.signature?.inode) this.#replaced.set(before.inode, path);
    }
  }

  /** The record of the path whose content has moved to where `fact` is of. */
  find({ path, child }: Fact): PathRecord | undefined {
    const { vanished, store } = this.#context;
    if (child?.signature === undefined) return undefined;
    const { signature } = child;
    const from = vanished.byInode(signature.inode) ?? this.#replaced.get(signature.inode);
    if (from === undefined || from === path) return undefined;
    const record = store.get(from);
    if (record === undefined || !isMoved(record.signature, child)) return undefined;
    return record.present.live?.content.kind === signature.kind ? record : undefined;
  }
}
