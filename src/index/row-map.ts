// Rows of all tables in plain maps: the whole of the index in memory, or the part of it that is not committed yet.

import { TABLE_NAMES, type TableName } from "./tables.ts";

/**
 * How many characters of a key choose its group: as many as the prefixes that are looked up most often have, so that
 * such a look-up reads one group and nothing else.
 */
const GROUP_LENGTH: Readonly<Record<TableName, number>> = {
  records: 2,
  children: 16,
  contents: 16,
  pending: 0,
  manifests: 0,
  chunks: 0,
  marks: 0,
  meta: 0,
  state: 0,
};

/** A row's value; `undefined` says that the row is removed. */
export type RowValue = Uint8Array | undefined;

/** For an estimate of what a row costs beyond its value: key, B-tree and map overhead. */
const ROW_OVERHEAD_BYTES = 64;

export class RowMap {
  readonly #tables = new Map<TableName, Map<string, Map<string, RowValue>>>(
    TABLE_NAMES.map((name) => [name, new Map<string, Map<string, RowValue>>()]),
  );
  #rows = 0;
  #bytes = 0;

  get rows(): number {
    return this.#rows;
  }

  /** What the rows take, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  has(table: TableName, key: string): boolean {
    return this.#group(table, key)?.has(key) ?? false;
  }

  get(table: TableName, key: string): RowValue {
    return this.#group(table, key)?.get(key);
  }

  set(table: TableName, key: string, value: RowValue): void {
    const groups = this.#groups(table);
    const name = key.slice(0, GROUP_LENGTH[table]);
    let group = groups.get(name);
    if (group === undefined) groups.set(name, (group = new Map()));
    if (group.has(key)) this.#bytes -= bytesOfRow(group.get(key));
    else this.#rows++;
    group.set(key, value);
    this.#bytes += bytesOfRow(value);
  }

  delete(table: TableName, key: string): void {
    const group = this.#group(table, key);
    if (group?.has(key) !== true) return;
    this.#bytes -= bytesOfRow(group.get(key));
    group.delete(key);
    this.#rows--;
    if (group.size === 0) this.#groups(table).delete(key.slice(0, GROUP_LENGTH[table]));
  }

  /** The keys that begin with `prefix`, unsorted, of removed rows too. */
  keys(table: TableName, prefix: string): string[] {
    const groups = this.#groups(table);
    const length = GROUP_LENGTH[table];
    if (prefix.length >= length) {
      const keys = [...(groups.get(prefix.slice(0, length))?.keys() ?? [])];
      return prefix.length === length ? keys : keys.filter((key) => key.startsWith(prefix));
    }
    const keys: string[] = [];
    for (const [name, group] of groups) {
      if (name.startsWith(prefix)) for (const key of group.keys()) keys.push(key);
    }
    return keys;
  }

  *entries(): Iterable<readonly [table: TableName, key: string, value: RowValue]> {
    for (const [table, groups] of this.#tables) {
      for (const group of groups.values()) for (const [key, value] of group) yield [table, key, value];
    }
  }

  #groups(table: TableName): Map<string, Map<string, RowValue>> {
    const groups = this.#tables.get(table);
    if (groups === undefined) throw new RangeError(`No table is called ${table}.`);
    return groups;
  }

  #group(table: TableName, key: string): Map<string, RowValue> | undefined {
    return this.#groups(table).get(key.slice(0, GROUP_LENGTH[table]));
  }
}

function bytesOfRow(value: RowValue): number {
  return (value?.length ?? 0) + ROW_OVERHEAD_BYTES;
}
