import assert from "node:assert/strict";
import { test } from "node:test";
import { REFUSAL_REPORT_MS, REFUSED_PEERS_NAMED_MAX } from "../core/limits.ts";
import { RefusalReports, type RefusedEvent } from "./pool-events.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";

function setUp() {
  const clock = new FakeClock();
  const events: RefusedEvent[] = [];
  return { clock, events, reports: new RefusalReports(clock, (event) => events.push(event)) };
}

const from = { host: "10.0.0.1", port: 1, detail: "" } as const;

test("a flood of one kind is reported once a minute, with its number", () => {
  const { clock, events, reports } = setUp();
  for (let count = 0; count < 1_000; count++) reports.report({ reason: "handshake", ...from });
  reports.report({ reason: "remote-address", ...from });
  clock.advance(REFUSAL_REPORT_MS);
  reports.report({ reason: "handshake", ...from });
  assert.deepEqual(
    events.map(({ reason, count }) => [reason, count]),
    [
      ["handshake", 1],
      ["remote-address", 1],
      ["handshake", 1_000],
    ],
  );
});

test("a peer that comes back again and again is reported once", () => {
  const { clock, events, reports } = setUp();
  for (let count = 0; count < 100; count++) {
    reports.reportOnce("anna", { reason: "other-share", ...from });
    clock.advance(60_000);
  }
  reports.reportOnce("ben", { reason: "other-share", ...from });
  reports.reportOnce("anna", { reason: "version", ...from });
  assert.equal(events.length, 3);
});

test("a peer that is another one each time is reported a few times a minute", () => {
  const { clock, events, reports } = setUp();
  for (let count = 0; count < 1_000; count++) reports.reportOnce(`peer ${count}`, { reason: "other-share", ...from });
  assert.equal(events.length, REFUSED_PEERS_NAMED_MAX + 1);
  clock.advance(REFUSAL_REPORT_MS);
  reports.reportOnce("anna", { reason: "other-share", ...from });
  assert.equal(events.length, REFUSED_PEERS_NAMED_MAX + 2);
});

test("what stays wrong is said once a minute for each peer, and a crowd of them a few times in all", () => {
  const { clock, events, reports } = setUp();
  for (let count = 0; count < 100; count++) reports.reportEachMinute("anna", { reason: "passphrase", ...from });
  assert.equal(events.length, 1);
  reports.reportEachMinute("ben", { reason: "passphrase", ...from });
  clock.advance(REFUSAL_REPORT_MS);
  reports.reportEachMinute("anna", { reason: "passphrase", ...from });
  assert.equal(events.length, 3);
  clock.advance(REFUSAL_REPORT_MS);
  for (let count = 0; count < 1_000; count++) {
    reports.reportEachMinute(`peer ${count}`, { reason: "passphrase", ...from });
  }
  assert.equal(events.length, 3 + REFUSED_PEERS_NAMED_MAX + 1);
});
