// What the `hash` job costs, here and on worker threads: `node dist/bench/hash-job.js [DIRECTORY]`.

import { randomFillSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadBlake3 } from "../src/content/blake3.ts";
import { hashFiles } from "../src/content/hash-job.ts";
import { nodeFileSystem } from "../src/edge/node-file-system.ts";
import { createWorkerRunner } from "../src/edge/worker-runner.ts";
import { MIB } from "./data.ts";

const SMALL_FILES = 10_000;

function report(what: string, ms: number, bytes: number, note = ""): void {
  const rate = `${Math.round(bytes / 1000 / ms)} MB/s`;
  console.log(`${what.padEnd(44)}${rate.padStart(12)}${`${ms.toFixed(0)} ms`.padStart(10)}  ${note}`);
}

/** Milliseconds. */
function bestOfThree(action: () => void): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const start = performance.now();
      action();
      return performance.now() - start;
    }),
  );
}

function rssMb(): string {
  return `RSS ${Math.round(process.memoryUsage().rss / 1e6)} MB`;
}

async function measureFiles(root: string): Promise<void> {
  const small = Array.from({ length: SMALL_FILES }, (_, index) => `small/${index % 100}/${index}`);
  for (let index = 0; index < 100; index++) mkdirSync(join(root, "small", String(index)), { recursive: true });
  for (const file of small) writeFileSync(join(root, file), randomFillSync(new Uint8Array(4096)));
  const block = new Uint8Array(64 * MIB);
  for (let round = 0; round < 16; round++) writeFileSync(join(root, "large"), randomFillSync(block), { flag: "a" });
  const { size } = statSync(join(root, "large"));
  const request = { root, inlineBytesMax: 0 };

  for (const portable of [false, true]) {
    const blake3 = loadBlake3({ portable });
    const name = portable ? "portable" : "fast";
    const large = bestOfThree(() => hashFiles(nodeFileSystem, blake3, { ...request, files: ["large"] }));
    report(`hash job, 1 GiB, ${name}, this thread`, large, size, rssMb());
    const many = bestOfThree(() => hashFiles(nodeFileSystem, blake3, { ...request, files: small }));
    report(
      `hash job, 10,000 x 4 KiB, ${name}, this thread`,
      many,
      SMALL_FILES * 4096,
      `${(many / 10).toFixed(1)} us a file`,
    );
  }

  const before = rssMb();
  const runner = createWorkerRunner({ workers: 2, portable: false });
  await Promise.all([1, 2].map(() => runner.run("hash", { ...request, files: [] }, { urgent: true })));
  console.log(`two workers: ${before} before, ${rssMb()} idle`);
  let peak = 0;
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
  const start = performance.now();
  await Promise.all([1, 2].map((n) => runner.run("hash", { ...request, files: ["large"] }, { urgent: n === 1 })));
  report(
    "hash job, 1 GiB twice, two workers",
    performance.now() - start,
    2 * size,
    `peak RSS ${Math.round(peak / 1e6)} MB`,
  );
  for (const inlineBytesMax of [0, 64 * 1024]) {
    const from = performance.now();
    await runner.run("hash", { root, files: small, inlineBytesMax });
    report(
      `hash job, 10,000 x 4 KiB${inlineBytesMax > 0 ? ", inline" : ""}, one worker`,
      performance.now() - from,
      SMALL_FILES * 4096,
    );
  }
  const trips = 2000;
  const from = performance.now();
  for (let trip = 0; trip < trips; trip++) await runner.run("hash", { ...request, files: [] }, { urgent: true });
  console.log(`empty job, there and back: ${(((performance.now() - from) / trips) * 1000).toFixed(0)} us`);
  clearInterval(sampler);
  await runner.close();
}

const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "dsync-bench-"));
try {
  await measureFiles(root);
} finally {
  rmSync(root, { recursive: true, force: true });
}
