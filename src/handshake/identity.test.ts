import assert from "node:assert/strict";
import { test } from "node:test";
import type { Random } from "../edge/random.ts";
import { createIdentity } from "./identity.ts";

function fixed(hex: string): Random {
  return { bytes: () => Buffer.from(hex, "hex"), fraction: () => 0 };
}

test("an identity is RFC 8032's first test vector when its secret is", () => {
  const identity = createIdentity(fixed("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  assert.equal(identity.peerId, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  assert.equal(
    Buffer.from(identity.sign(new Uint8Array(0))).toString("hex"),
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
});
