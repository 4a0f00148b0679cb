import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressKey, formatAddress, isLocalAddress } from "./address.ts";

test("loopback, link-local and private addresses are local, their neighbours are not", () => {
  const local = [
    ["127.0.0.1", "127.255.255.254", "10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1"],
    ["169.254.0.1", "::1", "0:0:0:0:0:0:0:1", "fe80::1", "fe80::1%eth0", "febf::1", "fc00::1", "fdff::1"],
    ["::ffff:10.0.0.1", "::ffff:0a00:0001", "0:0:0:0:0:ffff:127.0.0.1"],
  ].flat();
  const remote = [
    ["126.255.255.255", "128.0.0.1", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"],
    ["192.169.0.0", "169.253.255.255", "169.255.0.0", "100.64.0.1", "8.8.8.8", "0.0.0.0", "255.255.255.255"],
    ["::", "::2", "1::1", "fe7f::1", "fec0::1", "fbff::1", "fe00::1", "2001:db8::1", "::ffff:8.8.8.8", "::10.0.0.1"],
    ["", "localhost", "10.0.0", "10.0.0.1.", "10.0.0.256", "example.org", "fe80", "::1::", "10.0.0.1%eth0"],
  ].flat();
  assert.deepEqual(
    local.filter((host) => !isLocalAddress(host)),
    [],
  );
  assert.deepEqual(
    remote.filter((host) => isLocalAddress(host)),
    [],
  );
});

test("an address counts as one host however it is written", () => {
  assert.equal(addressKey("::ffff:192.0.2.1"), addressKey("192.0.2.1"));
  assert.equal(addressKey("2001:db8::1"), addressKey("2001:0db8:0:0:ffff:ffff:ffff:ffff"));
  assert.notEqual(addressKey("2001:db8::1"), addressKey("2001:db8:0:1::1"));
  assert.notEqual(addressKey("192.0.2.1"), addressKey("192.0.2.2"));
  assert.notEqual(addressKey("fe80::1"), addressKey("fe80::2"));
  assert.equal(addressKey("fe80::1%eth0"), addressKey("fe80:0::0001%eth1"));
});

test("any spelling of an IPv6 address gives the key of its first 64 bits", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
      fc.pre((groups[0] ?? 0) !== 0 && ((groups[0] ?? 0) & 0xffc0) !== 0xfe80);
      const host = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
      const expected = groups.slice(0, 4).map((group) => group.toString(16));
      assert.equal(addressKey(host), expected.join(":"));
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => typeof addressKey(text) === "string" && !isLocalAddress(`x${text}`)));
});

test("an IPv6 address is written in brackets", () => {
  assert.equal(formatAddress("fe80::1%eth0", 9000), "[fe80::1%eth0]:9000");
  assert.equal(formatAddress("10.0.0.1", 9000), "10.0.0.1:9000");
});
