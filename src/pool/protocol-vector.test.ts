// The test vectors in docs/protocol.md are what the code produces. (Tests run from the top of the repository.)

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { computeOpenVector, computePassphraseVector, type Vector } from "../../test/support/protocol-vectors.ts";

/** The block fenced as `fence`: a name on a line, its hex on the indented ones below. */
function readVector(fence: string): Vector {
  const page = readFileSync("docs/protocol.md", "utf8");
  const block = new RegExp(`^\`\`\`${fence}\\n(.*?)^\`\`\``, "ms").exec(page)?.[1] ?? "";
  const vector = new Map<string, string>();
  let name = "";
  for (const line of block.split("\n")) {
    if (line.startsWith(" ")) vector.set(name, (vector.get(name) ?? "") + line.trim());
    else name = line;
  }
  return vector;
}

test("the vector in docs/protocol.md is what either cipher produces", () => {
  const written = readVector("vector");
  assert.deepEqual(written, computeOpenVector(false));
  assert.deepEqual(written, computeOpenVector(true));
});

test("so is the one with a passphrase", () => {
  const written = readVector("passphrase-vector");
  assert.deepEqual(written, computePassphraseVector(false));
  assert.deepEqual(written, computePassphraseVector(true));
});
