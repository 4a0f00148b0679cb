import assert from "node:assert/strict";
import { test } from "node:test";
import { sumByPart } from "./cpu-profile.ts";

test("time goes to the part of the program that a sample was in, and only within the span", () => {
  const frames = [
    ["parse", "file:///somewhere/dsync/dist/src/pool/messages.js"],
    ["pack", "file:///somewhere/dsync/node_modules/msgpackr/pack.js"],
    ["lstat", ""],
    ["(garbage collector)", ""],
    ["(idle)", ""],
    ["scoped", "file:///somewhere/dsync/node_modules/@parcel/watcher/index.js"],
    ["onStreamRead", "node:internal/stream_base_commons"],
  ] as const;
  const nodes = frames.map(([functionName, url], id) => ({ id, callFrame: { functionName, url } }));
  const profile = {
    startTime: 1_000,
    nodes,
    samples: [0, 1, 2, 3, 4, 5, 6, 0],
    timeDeltas: [...frames, 0].map(() => 500),
  };
  const times = sumByPart(profile, { fromUs: 2_000, toUs: 4_900 });
  assert.deepEqual(Object.fromEntries(times), {
    "(idle)": 0.5,
    "@parcel/watcher": 0.5,
    "Node.js": 0.5,
    "collecting garbage": 0.5,
    "file system calls": 0.5,
    msgpackr: 0.5,
  });
});
