import assert from "node:assert/strict";
import { test } from "node:test";
import { titleWithoutSecrets } from "./hide-secrets.ts";

test("passphrases and codes are hidden, the rest stays", () => {
  assert.equal(titleWithoutSecrets(["-d", "f", "--passphrase", "secret", "-v"]), "dsync -d f --passphrase *** -v");
  assert.equal(titleWithoutSecrets(["--passphrase=secret", "-d", "f"]), "dsync --passphrase=*** -d f");
  assert.equal(titleWithoutSecrets(["-d", "f", "--code", "a-b-c"]), "dsync -d f --code ***");
  assert.equal(titleWithoutSecrets(["--code=a-b-c"]), "dsync --code=***");
});

test("a command line without any is left alone", () => {
  assert.equal(titleWithoutSecrets(["-d", "f", "--passphrase-file", "p"]), undefined);
  assert.equal(titleWithoutSecrets(["-d", "f", "--code"]), undefined);
  assert.equal(titleWithoutSecrets(["--code", "-d", "f"]), undefined);
});
