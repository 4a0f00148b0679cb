// Checks against draft-irtf-cfrg-cpace-21, appendix B.3 (CPACE-RISTR255-SHA512) and A.1 (lengths).

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  calculateGenerator,
  generatorString,
  intermediateKey,
  makeShare,
  scalarFrom,
  secretPoint,
  withLength,
} from "./cpace.ts";

const INPUTS = {
  password: Buffer.from("Password"),
  channel: bytes("0b415f696e69746961746f720b425f726573706f6e646572"),
  sessionId: bytes("7e4b4791d6a8ef019b936c79fb7f2c57"),
};
const GENERATOR = "222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56";
const SCALAR_A = "da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08";
const SCALAR_B = "d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d";
const SHARE_A = "d6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157";
const SHARE_B = "3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258";
const SECRET = "80b69a8a76457ab6a4d7f887a4bf6b55a2f80ac19c333f917a05fc9887c8b40f";
const KEY =
  "b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447";

function bytes(text: string): Uint8Array {
  return Buffer.from(text, "hex");
}

function hex(value: Uint8Array | undefined): string {
  return value === undefined ? "none" : Buffer.from(value).toString("hex");
}

test("the generator string and the generator are the draft's", () => {
  const expected =
    "11435061636552697374726574746f3235350850617373776f726464" +
    "00".repeat(100) +
    "180b415f696e69746961746f720b425f726573706f6e646572107e4b4791d6a8ef019b936c79fb7f2c57";
  assert.equal(hex(generatorString(INPUTS)), expected);
  assert.equal(hex(calculateGenerator(INPUTS).toBytes()), GENERATOR);
});

test("shares, the secret point and the key are the draft's, on both sides", () => {
  const generator = calculateGenerator(INPUTS);
  const [a, b] = [scalarFrom(bytes(SCALAR_A)), scalarFrom(bytes(SCALAR_B))];
  assert.equal(hex(makeShare(a, generator)), SHARE_A);
  assert.equal(hex(makeShare(b, generator)), SHARE_B);
  assert.equal(hex(secretPoint(a, bytes(SHARE_B))), SECRET);
  assert.equal(hex(secretPoint(b, bytes(SHARE_A))), SECRET);
  const key = intermediateKey(
    { sessionId: INPUTS.sessionId, point: bytes(SECRET) },
    { share: bytes(SHARE_A), associatedData: Buffer.from("ADa") },
    { share: bytes(SHARE_B), associatedData: Buffer.from("ADb") },
  );
  assert.equal(hex(key), KEY);
});

test("the draft's valid share is taken, its invalid ones and the identity are refused", () => {
  const scalar = scalarFrom(bytes("7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05"));
  const valid = bytes("2c3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c");
  assert.equal(hex(secretPoint(scalar, valid)), "7c13645fe790a468f62c39beb7388e541d8405d1ade69d1778c5fe3e7f6b600e");
  const invalid = bytes("2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c");
  assert.equal(secretPoint(scalar, invalid), undefined);
  assert.equal(secretPoint(scalar, new Uint8Array(32)), undefined);
});

test("encodings that are not canonical, negative or too large are refused", () => {
  const scalar = scalarFrom(bytes(SCALAR_A));
  // p, p + 2, a negative field element, and all ones: RFC 9496 §A.2.
  for (const bad of [
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ff".repeat(32),
  ]) {
    assert.equal(secretPoint(scalar, bytes(bad)), undefined, bad);
  }
});

test("random scalars stay below the order, whatever the bytes", () => {
  assert.equal(scalarFrom(new Uint8Array(32).fill(0xff)), 2n ** 252n - 1n);
});

test("each part goes in after its length in LEB128", () => {
  assert.equal(hex(withLength(new Uint8Array(0))), "00");
  assert.equal(hex(withLength(Buffer.from("1234"))), "0431323334");
  assert.equal(hex(withLength(new Uint8Array(127)).subarray(0, 2)), "7f00");
  assert.equal(hex(withLength(new Uint8Array(128)).subarray(0, 3)), "800100");
  // A long password leaves no room for padding, and is used whole.
  const long = { ...INPUTS, password: new Uint8Array(300).fill(1) };
  const oneMore = { ...INPUTS, password: new Uint8Array(301).fill(1) };
  assert.notEqual(hex(calculateGenerator(long).toBytes()), hex(calculateGenerator(oneMore).toBytes()));
  assert.equal(generatorString(long).length, 1 + 17 + 2 + 300 + 1 + 1 + 24 + 1 + 16);
});
