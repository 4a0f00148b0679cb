// Checks values from outside field by field: each function returns the checked value, or throws a ShapeError. Pure.

/** A value is not what it should be. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

export type Shape<T> = (value: unknown) => T;

export const text: Shape<string> = (value) => (typeof value === "string" ? value : fail("a text"));
export const flag: Shape<boolean> = (value) => (typeof value === "boolean" ? value : fail("true or false"));
/** Finite and not negative. */
export const count: Shape<number> = (value) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : fail("a count");

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value) => (value === null ? null : shape(value));
}

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value) => (Array.isArray(value) ? value.map((item: unknown) => shape(item)) : fail("a list"));
}

export function oneOf<const T extends string>(...texts: readonly T[]): Shape<T> {
  return (value) => texts.find((text) => text === value) ?? fail(texts.join(" or "));
}

/** An object with these fields; others are dropped. */
export function record<T extends object>(shapes: { readonly [Key in keyof T]: Shape<T[Key]> }): Shape<T> {
  const entries = Object.entries<Shape<unknown>>(shapes);
  return (value) => {
    if (typeof value !== "object" || value === null) return fail("an object");
    const fields = new Map<string, unknown>(Object.entries(value));
    // Every field of T is there, because `shapes` names each of them.
    return Object.fromEntries(entries.map(([name, shape]) => [name, shape(fields.get(name))])) as T;
  };
}

function fail(expected: string): never {
  throw new ShapeError(`Expected ${expected}.`);
}
