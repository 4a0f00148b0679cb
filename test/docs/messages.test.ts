// docs/messages.md: each message in src/ is in it, and it has no message that dsync cannot print.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readDocument } from "./documents.ts";
import { messagesInSource, normalized } from "./messages.ts";

function documentedMessages(): readonly string[] {
  const rows = [...readDocument("docs/messages.md").matchAll(/^\| `(.+?)` \| (.+) \|$/gm)];
  return rows.map(([, message = ""]) => normalized(message));
}

test("each message is documented", () => {
  const documented = documentedMessages();
  const missing = messagesInSource().filter(({ text }) => !documented.some((message) => message.includes(text)));
  assert.deepEqual(missing, []);
});

test("each documented message is made of texts that are in the source", () => {
  const texts = [...new Set(messagesInSource().map(({ text }) => text))].toSorted(
    (left, right) => right.length - left.length,
  );
  const unknown = documentedMessages().filter((message) => {
    let rest = message;
    for (const text of texts) rest = rest.replaceAll(text, "");
    return /\p{L}/u.test(rest);
  });
  assert.deepEqual(unknown, []);
});

test("no message is documented twice, and none without a why", () => {
  const messages = documentedMessages();
  assert.deepEqual(
    messages.filter((message, index) => messages.indexOf(message) !== index),
    [],
  );
  const rows = readDocument("docs/messages.md").match(/^\| `/gm) ?? [];
  assert.equal(rows.length, messages.length);
});
