import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";

import { incompressible, removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { CHUNK_SIZE_BYTES_MAX, MANIFEST_CHUNKS_MAX, MANIFEST_ITEM_BYTES } from "../core/limits.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf } from "../index/signature.ts";
import { loadBlake3 } from "./blake3.ts";
import { hashInParts, type RunPart } from "./hash-in-parts.ts";
import { hashFiles, type HashOutcome } from "./hash-job.ts";
import { hashPart, type HashPartRequest } from "./hash-part-job.ts";

const MIB = 1024 * 1024;
const blake3 = loadBlake3({ portable: false });
const root = temporaryDirectory();
after(() => removeDirectory(root));

function signatureAt(file: string): StatSignature {
  return signatureOf(nodeFileSystem.lstat(join(root, file)) ?? assert.fail()) ?? assert.fail();
}

function inOnePass(file: string): HashOutcome {
  return hashFiles(nodeFileSystem, blake3, { root, files: [file], inlineBytesMax: 0 }).outcomes[0] ?? assert.fail();
}

function manifestOf(outcome: HashOutcome): Uint8Array | undefined {
  assert.ok(outcome.kind === "hashed", outcome.kind);
  return outcome.manifest;
}

/** Does each part in a turn of its own; `before` may disturb it. */
function partsOn(fileSystem: FileSystem, before: (request: HashPartRequest) => void = () => {}): RunPart {
  const runner = createInProcessRunner({ context: { fs: fileSystem, blake3 } });
  return (request) => {
    before(request);
    return runner.run("hashPart", request);
  };
}

interface Options {
  readonly known?: Uint8Array | undefined;
  readonly partBytes?: number;
  readonly before?: (request: HashPartRequest) => void;
  readonly mayUseTwo?: () => boolean;
}

function inParts(file: string, { known, before, ...options }: Options = {}): Promise<HashOutcome> {
  const large = { root, file, signature: signatureAt(file), known };
  return hashInParts(partsOn(nodeFileSystem, before), large, { partBytes: MIB, ...options });
}

const contents: fc.Arbitrary<Buffer> = fc
  .record({
    kind: fc.constantFrom("random", "zeros", "periodic", "random after zeros"),
    bytes: fc.oneof(fc.integer({ min: 1, max: 9 * MIB }), fc.constantFrom(CHUNK_SIZE_BYTES_MAX, 4 * MIB, 8 * MIB)),
    period: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 100_000, max: 3 * MIB })),
    seed: fc.nat(1000),
  })
  .map(({ kind, bytes, period, seed }) => {
    switch (kind) {
      case "random":
        return incompressible(bytes, seed);
      case "zeros":
        return Buffer.alloc(bytes);
      case "periodic":
        return Buffer.alloc(bytes, incompressible(period, seed));
      default:
        return Buffer.concat([Buffer.alloc(Math.floor(bytes / 3)), incompressible(bytes, seed)]).subarray(0, bytes);
    }
  });

interface Edit {
  readonly kind: "overwrite" | "insert" | "remove";
  readonly at: number;
  readonly bytes: number;
}

const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("overwrite", "insert", "remove"),
    // Near the middle, where the runs meet, as often as elsewhere.
    at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.45, max: 0.55, noNaN: true })),
    bytes: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2 * MIB })),
  }),
  { maxLength: 3 },
);

function edited(content: Buffer, { kind, at, bytes }: Edit, seed: number): Buffer {
  const start = Math.floor(at * content.length);
  const put = kind === "remove" ? Buffer.alloc(0) : incompressible(bytes, seed);
  return Buffer.concat([content.subarray(0, start), put, content.subarray(kind === "insert" ? start : start + bytes)]);
}

test("a content hashed in parts is what it is in one pass, whatever is known of it", async () => {
  const partSizes = fc.constantFrom(MIB, MIB + 4321, 3 * MIB);
  await fc.assert(
    fc.asyncProperty(
      contents,
      edits,
      partSizes,
      fc.boolean(),
      fc.boolean(),
      async (original, list, partBytes, ...is) => {
        const [isKnown, isFast] = is;
        writeFiles(root, { file: original });
        const known = isKnown ? manifestOf(inOnePass("file")) : undefined;
        const now = list.reduce((bytes, edit, index) => edited(bytes, edit, index), original);
        if (now.length === 0) return;
        writeFiles(root, { file: now });
        assert.deepEqual(await inParts("file", { known, partBytes, mayUseTwo: () => isFast }), inOnePass("file"));
      },
    ),
    { numRuns: 150 },
  );
});

test("what is no manifest changes nothing", async () => {
  writeFiles(root, { file: incompressible(5 * MIB, 1) });
  assert.deepEqual(await inParts("file", { known: Buffer.from("no manifest") }), inOnePass("file"));
});

test("what was not changed is read once, and what is known is found again after an insertion", async () => {
  const original = incompressible(24 * MIB, 2);
  writeFiles(root, { file: original });
  const known = manifestOf(inOnePass("file")) ?? assert.fail();
  const now = edited(original, { kind: "insert", at: 0.1, bytes: 5 }, 3);
  writeFiles(root, { file: now });
  let hashes = 0;
  const counting = { ...blake3, hash: (bytes: Uint8Array) => (hashes++, blake3.hash(bytes)) };
  const runPart: RunPart = (request) => Promise.resolve(hashPart(nodeFileSystem, counting, request));
  const large = { root, file: "file", signature: signatureAt("file"), known };
  const outcome = await hashInParts(runPart, large, { partBytes: 4 * MIB });
  assert.deepEqual(outcome, inOnePass("file"));
  const count = (manifestOf(outcome)?.length ?? 0) / MANIFEST_ITEM_BYTES;
  assert.ok(count > 60 && hashes < count + 25, `${hashes} hashes for ${count} chunks`);
});

test("no part is longer than it was asked to be, and there are never more than two at once", async () => {
  writeFiles(root, { file: incompressible(20 * MIB, 4) });
  const runPart = partsOn(nodeFileSystem);
  let [running, most] = [0, 0];
  const counted: RunPart = async (request) => {
    assert.ok(request.to - request.from <= 2 * MIB || request.from > 10 * MIB - CHUNK_SIZE_BYTES_MAX);
    most = Math.max(most, ++running);
    const result = await runPart(request);
    running--;
    return result;
  };
  await hashInParts(
    counted,
    { root, file: "file", signature: signatureAt("file"), known: undefined },
    { partBytes: 2 * MIB },
  );
  assert.deepEqual([most, running], [2, 0]);
});

test("there is one part at a time where the first one was slow", async () => {
  writeFiles(root, { file: incompressible(12 * MIB, 9) });
  const runPart = partsOn(nodeFileSystem);
  let [running, most] = [0, 0];
  const counted: RunPart = async (request) => {
    most = Math.max(most, ++running);
    const result = await runPart(request);
    running--;
    return result;
  };
  const large = { root, file: "file", signature: signatureAt("file"), known: undefined };
  const outcome = await hashInParts(counted, large, { partBytes: 2 * MIB, mayUseTwo: () => false });
  assert.deepEqual([most, outcome], [1, inOnePass("file")]);
});

const DISTURBANCES: Readonly<Record<string, (path: string) => void>> = {
  "is appended to": (path) => fs.appendFileSync(path, "more"),
  "is truncated": (path) => fs.truncateSync(path, 10),
  "is written in place": (path) => {
    const descriptor = fs.openSync(path, "r+");
    fs.writeSync(descriptor, "changed", 3);
    fs.futimesSync(descriptor, 1, 1);
    fs.closeSync(descriptor);
  },
  "is replaced by another one": (path) => {
    fs.copyFileSync(path, `${path}.new`);
    fs.renameSync(`${path}.new`, path);
  },
  "is deleted": (path) => fs.rmSync(path),
  "becomes a directory": (path) => {
    fs.rmSync(path);
    fs.mkdirSync(path);
  },
  "is below a symlink": (path) => {
    fs.renameSync(join(path, ".."), join(path, "../../moved"));
    fs.symlinkSync("moved", join(path, ".."));
  },
};

for (const [what, action] of Object.entries(DISTURBANCES)) {
  for (const part of [1, 4, 12]) {
    test(`a file that ${what} before part ${part} is unsettled, and left at once`, async () => {
      for (const left of ["busy", "moved"]) fs.rmSync(join(root, left), { recursive: true, force: true });
      writeFiles(root, { "busy/file": incompressible(12 * MIB, 5) });
      let parts = 0;
      const before = (): void => {
        if (++parts === part) action(join(root, "busy/file"));
      };
      assert.deepEqual(await inParts("busy/file", { before }), { kind: "unsettled" });
      // Another one may be under way.
      assert.ok(parts <= part + 1, `${parts} parts`);
    });
  }
}

test("a file that is no longer as it was looked at is unsettled", async () => {
  writeFiles(root, { file: incompressible(3 * MIB, 6) });
  const signature = { ...signatureAt("file"), ctimeNs: 1n };
  const large = { root, file: "file", signature, known: undefined };
  assert.deepEqual(await hashInParts(partsOn(nodeFileSystem), large), { kind: "unsettled" });
});

test("a file that cannot be read is a problem", async () => {
  writeFiles(root, { file: incompressible(6 * MIB, 7) });
  let reads = 0;
  const failing: FileSystem = {
    ...nodeFileSystem,
    read(descriptor, target, position) {
      if (++reads === 4) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      return nodeFileSystem.read(descriptor, target, position);
    },
  };
  const large = { root, file: "file", signature: signatureAt("file"), known: undefined };
  const outcome = await hashInParts(partsOn(failing), large, { partBytes: MIB });
  assert.equal(outcome.kind === "problem" && outcome.problem.code, "EIO");
});

test("when a job is lost, that is told once, and nothing new is begun", async () => {
  writeFiles(root, { file: incompressible(16 * MIB, 8) });
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", note);
  try {
    const runPart = partsOn(nodeFileSystem);
    let parts = 0;
    const losing: RunPart = (request) => (++parts < 5 ? runPart(request) : Promise.reject(new Error("stopping")));
    const large = { root, file: "file", signature: signatureAt("file"), known: undefined };
    await assert.rejects(hashInParts(losing, large, { partBytes: MIB }), /stopping/);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(parts <= 6, `${parts} parts`);
    assert.deepEqual(unhandled, []);
  } finally {
    process.off("unhandledRejection", note);
  }
});

test("a file of more chunks than anybody can keep is a problem", async () => {
  const bytes = (MANIFEST_CHUNKS_MAX + 2) * CHUNK_SIZE_BYTES_MAX;
  const signature = { ...signatureAt("file"), size: bytes };
  const item = Buffer.alloc(MANIFEST_ITEM_BYTES);
  item.writeUInt32BE(CHUNK_SIZE_BYTES_MAX, MANIFEST_ITEM_BYTES - 4);
  const runPart: RunPart = ({ from, to }) =>
    Promise.resolve({ kind: "hashed", chunks: Buffer.alloc(((to - from) / CHUNK_SIZE_BYTES_MAX) * item.length, item) });
  const large = { root, file: "file", signature, known: undefined };
  const outcome = await hashInParts(runPart, large, { partBytes: 2 ** 16 * CHUNK_SIZE_BYTES_MAX });
  assert.equal(outcome.kind === "problem" && outcome.problem.code, "EFBIG");
});
