// docs/events.md as a value: what it says about each event. Throws where it does not have the form that it should.

import assert from "node:assert/strict";
import { readDocument } from "./documents.ts";

export interface DocumentedEvent {
  readonly name: string;
  /** The first paragraph. */
  readonly summary: string;
  /** Field name → type; fields of objects in an array as `peers[].id`. */
  readonly fields: ReadonlyMap<string, string>;
  /** `code` values of `peer-refused`. */
  readonly codes: readonly string[];
  readonly exampleLine: string;
}

export function documentedEvents(): readonly DocumentedEvent[] {
  const [, ...sections] = readDocument("docs/events.md").split(/^## /m);
  return sections.map(parseSection);
}

function parseSection(section: string): DocumentedEvent {
  const [, name, summary] = /^`([a-z-]+)`\n\n(.+)\n/.exec(section) ?? [];
  assert.ok(name !== undefined && summary !== undefined, `no name and summary: ${section.slice(0, 80)}`);
  const [, exampleLine] = /\n```json\n(.+)\n```\n/.exec(section) ?? [];
  assert.ok(exampleLine !== undefined, `${name} has no example`);
  const fields = [...section.matchAll(/^\| `(\S+)` \| ([a-z, ]+) \| \S.* \|$/gm)];
  const codes = [...section.matchAll(/^\| `([a-z-]+)` \| [^|]+ \|$/gm)].filter(([, code]) => code !== "code");
  return {
    name,
    summary,
    fields: new Map(fields.map(([, field = "", type = ""]) => [field, type])),
    codes: codes.map(([, code = ""]) => code),
    exampleLine,
  };
}

/** What is wrong with a line of `--json` by what the document says of its event. */
export function complaintsAbout(line: Readonly<Record<string, unknown>>, events: readonly DocumentedEvent[]): string[] {
  const { event, time, ...rest } = line;
  const documented = events.find(({ name }) => name === event);
  if (documented === undefined) return [`${String(event)} is not in docs/events.md`];
  const complaints = typeof time === "string" && !Number.isNaN(Date.parse(time)) ? [] : [`time is ${String(time)}`];
  return [...complaints, ...complaintsAboutFields(rest, "", documented.fields)].map(
    (text) => `${String(event)}: ${text}`,
  );
}

function complaintsAboutFields(value: object, prefix: string, fields: ReadonlyMap<string, string>): string[] {
  const own = new Map(
    [...fields].filter(([name]) => name.startsWith(prefix) && !name.slice(prefix.length).includes("[].")),
  );
  const unknown = Object.keys(value).filter((name) => !own.has(prefix + name));
  const given = new Map(Object.entries(value));
  return [
    ...unknown.map((name) => `${prefix}${name} is not documented`),
    ...[...own].flatMap(([name, type]) =>
      complaintsAboutField(name, type, given.get(name.slice(prefix.length)), fields),
    ),
  ];
}

function complaintsAboutField(
  name: string,
  type: string,
  value: unknown,
  fields: ReadonlyMap<string, string>,
): readonly string[] {
  if (type === "array of objects") {
    if (!Array.isArray(value)) return [`${name} is no array`];
    return value.flatMap((item: object) => complaintsAboutFields(item, `${name}[].`, fields));
  }
  if (type === "array of strings") {
    return Array.isArray(value) && value.every((item) => typeof item === "string") ? [] : [`${name} is not ${type}`];
  }
  const [simple = "", optional] = type.split(", ");
  if (optional === "optional" && value === undefined) return [];
  return typeof value === simple ? [] : [`${name} is not ${type}`];
}
