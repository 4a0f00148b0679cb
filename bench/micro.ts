// What the parts cost by themselves, on one thread: `node dist/bench/micro.js [part ...]`. The best of three. Prints a table
// in Markdown, and writes the numbers to bench/results/micro.json.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { loadBlake3 } from "../src/content/blake3.ts";
import { nextCut } from "../src/content/chunker.ts";
import { compressIfSmaller, decompress } from "../src/content/compression.ts";
import { CHUNK_SIZE_BYTES_AVERAGE } from "../src/core/limits.ts";
import { systemClock } from "../src/edge/clock.ts";
import { nodeFileSystem } from "../src/edge/node-file-system.ts";
import { systemRandom } from "../src/edge/random.ts";
import { selectAead } from "../src/handshake/select-aead.ts";
import { openLmdbStore } from "../src/index/lmdb-store.ts";
import { mergeEntries } from "../src/index/merge.ts";
import { fileEntry, path, settled } from "../src/index/store-contract.ts";
import { FrameReader } from "../src/pool/frame-reader.ts";
import { encodeMessage } from "../src/pool/message-codec.ts";
import type { Message } from "../src/pool/messages.ts";
import { RECORD_CONTENT_BYTES_MAX, RecordOpener, RecordSealer } from "../src/pool/record-layer.ts";
import { scanDirectories } from "../src/watch/scan-job.ts";
import { incompressible, rootIdentity } from "../test/support/trees.ts";
import { MIB, textLike, writeMany } from "./data.ts";
import { timed } from "./measure.ts";
import { writeResults } from "./results.ts";
import { headingOf, surroundingsOf } from "./surroundings.ts";

const REPETITIONS = 3;
const WHAT_WIDTH = 40;
const VALUE_WIDTH = 16;

const PARTS: Readonly<Record<string, () => void | Promise<void>>> = {
  cipher,
  frame,
  hash,
  chunker,
  lz4,
  merge,
  index,
  scan,
};

/** Records sealed on one side and opened on the other, as they arrive from a socket. */
async function cipher(): Promise<void> {
  const key = new Uint8Array(32);
  const content = incompressible(RECORD_CONTENT_BYTES_MAX, 1);
  for (const [name, records] of [["native", 1024] as const, ["portable", 64] as const]) {
    const aead = selectAead({ portable: name === "portable" });
    const sealed: Uint8Array[] = [];
    await rate(`cipher, seal, ${name}`, records * content.length, () => {
      const sealer = new RecordSealer({ aead, key });
      sealed.length = 0;
      for (let record = 0; record < records; record++) {
        const pieces = sealer.sealData([content]);
        // Enough to be opened below, without keeping them all.
        if (record < 64) sealed.push(...pieces);
      }
    });
    await rate(`cipher, open, ${name}`, 64 * content.length, () => {
      const opener = new RecordOpener({ aead, key });
      for (const piece of sealed) opener.push(piece);
      while (opener.next() !== undefined);
    });
  }
}

/** Messages to bytes and back: chunks, whose payload is what counts, and announcements. */
async function frame(): Promise<void> {
  const payload = incompressible(CHUNK_SIZE_BYTES_AVERAGE, 2);
  const chunk: Message = { type: "chunk", id: 1, index: 0, encoding: "raw", length: payload.length, payload };
  await rate("frame, chunk of 256 KiB", 1024 * payload.length, () => thereAndBack(chunk, 1024));
  const announced = { entry: fileEntry({ counter: 1 }), held: true, inline: undefined };
  const entries: Message = {
    type: "entries",
    entries: Array.from({ length: 100 }, (_, index) => ({ ...announced, path: path(`directory/file${index}`) })),
  };
  await operations("frame, announced entry", 20_000, () => thereAndBack(entries, 200));
}

/** In records, as the other side gets them. */
function thereAndBack(message: Message, count: number): void {
  const reader = new FrameReader();
  for (let sent = 0; sent < count; sent++) {
    for (const piece of encodeMessage(message))
      for (let at = 0; at < piece.length; at += RECORD_CONTENT_BYTES_MAX)
        reader.push([piece.subarray(at, at + RECORD_CONTENT_BYTES_MAX)]);
    if (reader.next() === undefined) throw new Error("A message did not come back.");
  }
}

async function hash(): Promise<void> {
  const content = incompressible(16 * MIB, 3);
  for (const [name, rounds] of [["fast", 32] as const, ["portable", 4] as const]) {
    const blake3 = loadBlake3({ portable: name === "portable" });
    for (const [what, bytes] of [
      ["chunks of 256 KiB", CHUNK_SIZE_BYTES_AVERAGE] as const,
      ["files of 4 KiB", 4096] as const,
    ])
      await rate(`hash, ${what}, ${name}`, rounds * content.length, () => {
        for (let round = 0; round < rounds; round++)
          for (let at = 0; at < content.length; at += bytes) blake3.hash(content.subarray(at, at + bytes));
      });
  }
}

async function chunker(): Promise<void> {
  const content = incompressible(256 * MIB, 4);
  await rate("chunker", content.length, () => {
    for (let at = 0; at < content.length;) at = nextCut(content, at, content.length, true) ?? content.length;
  });
}

async function lz4(): Promise<void> {
  const [text, random] = [textLike(CHUNK_SIZE_BYTES_AVERAGE, 5), incompressible(CHUNK_SIZE_BYTES_AVERAGE, 6)];
  const rounds = 512;
  const often = (action: () => void) => () => {
    for (let round = 0; round < rounds; round++) action();
  };
  const bytes = rounds * text.length;
  await rate(
    "LZ4, text",
    bytes,
    often(() => compressIfSmaller(text)),
  );
  const compressed = compressIfSmaller(text) ?? text;
  await rate(
    "LZ4, text, back",
    bytes,
    often(() => decompress(compressed, text.length)),
  );
  await rate(
    "LZ4, random data (left as it is)",
    bytes,
    often(() => compressIfSmaller(random)),
  );
}

/** Two versions of which neither has seen the other; one that has seen the other. */
async function merge(): Promise<void> {
  const count = 200_000;
  const at = path("directory/file.txt");
  const known = fileEntry({ counter: 1 });
  const newer = fileEntry({ counter: 2 });
  const other = fileEntry({ counter: 3, replica: 2 });
  await operations("merge, what was seen", count, () => {
    for (let merged = 0; merged < count; merged++) mergeEntries(known, newer, at);
  });
  await operations("merge, conflict", count / 10, () => {
    for (let merged = 0; merged < count / 10; merged++) mergeEntries(known, other, at);
  });
}

/** The index on disk: records put in and committed, a thousand at a time, and read again. */
async function index(): Promise<void> {
  const count = 20_000;
  const records = Array.from({ length: count }, (_, index) =>
    settled(`directory${index % 100}/file${index}`, index + 1),
  );
  const blake3 = loadBlake3({ portable: false });
  const hash = (bytes: Uint8Array): Uint8Array => blake3.hash(bytes);
  await inScratch(async (root) => {
    let round = 0;
    await operations("index, put", count, async () => {
      const directory = join(root, `index${round++}`);
      const store = await openLmdbStore({ directory, random: systemRandom, clock: systemClock, hash, bootId: "boot" });
      for (const [index, record] of records.entries()) {
        store.put(record);
        if (index % 1_000 === 999) await store.committed();
        // What one turn of the event loop changes is committed together.
        else if (index % 100 === 99) await setImmediate();
      }
      await store.close();
    });
    const directory = join(root, "index0");
    const store = await openLmdbStore({ directory, random: systemRandom, clock: systemClock, hash, bootId: "boot" });
    await operations("index, get", count, () => {
      for (const record of records) store.get(record.path);
    });
    await store.close();
  });
}

/** 10,000 files in 100 directories, with a warm cache. */
async function scan(): Promise<void> {
  await inScratch(async (root) => {
    mkdirSync(join(root, ".dsync"));
    writeMany(root, { directories: 100, filesEach: 100, bytes: 64 });
    const identity = rootIdentity(root);
    const directories = Array.from({ length: 100 }, (_, directory) => `dir${directory}`);
    await operations("scan, entry", 10_000, () => {
      if (scanDirectories(nodeFileSystem, { identity, directories }).kind !== "scanned")
        throw new Error("The folder is another.");
    });
  });
}

async function inScratch(action: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "dsync-micro-"));
  try {
    await action(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function rate(what: string, bytes: number, action: () => void): Promise<void> {
  report({ what, value: bytes / 1000 / (await best(action)), unit: "MB/s" });
}

async function operations(what: string, count: number, action: () => void | Promise<void>): Promise<void> {
  report({ what, value: (count * 1000) / (await best(action)), unit: "/s" });
}

/** Milliseconds. */
async function best(action: () => void | Promise<void>): Promise<number> {
  let bestMs = Infinity;
  for (let repetition = 0; repetition < REPETITIONS; repetition++)
    bestMs = Math.min(bestMs, await timed(() => Promise.resolve(action())));
  return bestMs;
}

interface Measured {
  readonly what: string;
  readonly value: number;
  readonly unit: "MB/s" | "/s";
}

const results: Measured[] = [];

function report(measured: Measured): void {
  results.push(measured);
  console.log(lineOf(measured.what, `${Math.round(measured.value).toLocaleString("en")} ${measured.unit}`));
}

function lineOf(what: string, value: string): string {
  return `| ${what.padEnd(WHAT_WIDTH)} | ${value.padStart(VALUE_WIDTH)} |`;
}

const wanted = process.argv.slice(2);
for (const part of wanted)
  if (!(part in PARTS)) throw new Error(`There is no part ${part}: ${Object.keys(PARTS).join(", ")}`);
console.log(`${headingOf(surroundingsOf(tmpdir(), []))}\n`);
console.log(lineOf("part", ""));
console.log(lineOf("-".repeat(WHAT_WIDTH), `${"-".repeat(VALUE_WIDTH - 1)}:`));
for (const [part, run] of Object.entries(PARTS)) if (wanted.length === 0 || wanted.includes(part)) await run();
writeResults("micro.json", { machine: surroundingsOf(tmpdir(), []), results });
