// Statements that hold unless dsync itself is wrong.

/** A bug in dsync: not a user's, a disk's or a peer's doing. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws an {@link InvariantError} unless `condition` holds. */
export function invariant(condition: unknown, statement: string): asserts condition {
  if (!condition) throw new InvariantError(`Bug in dsync: ${statement}`);
}

/** Ends an exhaustive `switch`: a compile error if a case is missing. */
export function assertNever(value: never): never {
  throw new InvariantError(`Bug in dsync: unexpected case ${JSON.stringify(value)}`);
}
