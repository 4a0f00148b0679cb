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
  superseded: 0,
  meta: 0,
  state: 0,
};

/** A row's value; `undefined` says that the row is removed. */
export type RowValue = Uint8Array | undefined;

interface Row {
  readonly key: string;
  value: RowValue;
}

/** Most groups hold one row, and a map for each would cost more than the rows. */
type Group = Row | Map<string, Row>;

/** For an estimate of what a row costs beyond its value: key, B-tree and map overhead. */
const ROW_OVERHEAD_BYTES = 64;

export class RowMap {
  readonly #tables = new Map<TableName, Map<string, Group>>(TABLE_NAMES.map((name) => [name, new Map()]));
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
    return this.find(table, key) !== undefined;
  }

  get(table: TableName, key: string): RowValue {
    return this.find(table, key)?.value;
  }

  /** Tells a row that is removed from none. */
  find(table: TableName, key: string): Readonly<Row> | undefined {
    return this.#row(table, key);
  }

  set(table: TableName, key: string, value: RowValue): void {
    const row = this.#row(table, key);
    this.#bytes += bytesOf(value) - (row === undefined ? 0 : bytesOf(row.value));
    if (row === undefined) this.#add(table, { key, value });
    else row.value = value;
  }

  delete(table: TableName, key: string): void {
    const row = this.#row(table, key);
    if (row === undefined) return;
    const groups = this.#groups(table);
    const name = groupOf(table, key);
    const group = groups.get(name);
    this.#bytes -= bytesOf(row.value);
    this.#rows--;
    if (group instanceof Map) group.delete(key);
    if (!(group instanceof Map) || group.size === 0) groups.delete(name);
  }

  /** The keys that begin with `prefix`, unsorted, of removed rows too. */
  keys(table: TableName, prefix: string): string[] {
    const groups = this.#groups(table);
    const length = GROUP_LENGTH[table];
    if (prefix.length >= length) {
      return keysOf(groups.get(prefix.slice(0, length))).filter((key) => key.startsWith(prefix));
    }
    const keys: string[] = [];
    for (const [name, group] of groups) if (name.startsWith(prefix)) for (const key of keysOf(group)) keys.push(key);
    return keys;
  }

  forEach(action: (table: TableName, key: string, value: RowValue) => void): void {
    for (const [table, groups] of this.#tables) {
      for (const group of groups.values()) {
        if (group instanceof Map) for (const { key, value } of group.values()) action(table, key, value);
        else action(table, group.key, group.value);
      }
    }
  }

  #add(table: TableName, row: Row): void {
    const groups = this.#groups(table);
    const name = groupOf(table, row.key);
    const group = groups.get(name);
    this.#rows++;
    if (group === undefined) groups.set(name, row);
    else if (group instanceof Map) group.set(row.key, row);
    else groups.set(name, new Map([group, row].map((each) => [each.key, each])));
  }

  #groups(table: TableName): Map<string, Group> {
    const groups = this.#tables.get(table);
    if (groups === undefined) throw new RangeError(`No table is called ${table}.`);
    return groups;
  }

  #row(table: TableName, key: string): Row | undefined {
    const group = this.#groups(table).get(groupOf(table, key));
    if (group instanceof Map) return group.get(key);
    return group?.key === key ? group : undefined;
  }
}

function groupOf(table: TableName, key: string): string {
  return key.slice(0, GROUP_LENGTH[table]);
}

function keysOf(group: Group | undefined): string[] {
  if (group === undefined) return [];
  return group instanceof Map ? [...group.keys()] : [group.key];
}

function bytesOf(value: RowValue): number {
  return (value?.length ?? 0) + ROW_OVERHEAD_BYTES;
}
