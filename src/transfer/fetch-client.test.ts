import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeChannel } from "../../test/support/fake-channel.ts";
import { pathOf } from "../../test/support/replica-world.ts";
import { ManifestBuilder, partOf } from "../content/manifest.ts";
import { contentHash } from "../content/blake3.ts";
import {
  CHUNK_SIZE_BYTES_MAX,
  MANIFEST_CHUNKS_MAX,
  MANIFEST_PART_BYTES_MAX,
  MANIFEST_PART_CHUNKS_MAX,
} from "../core/limits.ts";
import { idBytes } from "../core/ids.ts";
import type { FetchManifestMessage } from "../pool/messages.ts";
import { FetchClient } from "./fetch-client.ts";

const contentId = contentHash(Buffer.from("large"));

/** The requests so far. */
function requestsOn(channel: FakeChannel): readonly FetchManifestMessage[] {
  return channel.sent.filter((message) => message.type === "fetch-manifest");
}

function manifestOf(chunks: number): Uint8Array {
  const builder = new ManifestBuilder();
  for (let index = 0; index < chunks; index++) {
    const hash = Buffer.from(idBytes(contentId));
    hash.writeUInt32BE(index);
    builder.add(hash, CHUNK_SIZE_BYTES_MAX);
  }
  return builder.encoded();
}

for (const chunks of [2, MANIFEST_PART_CHUNKS_MAX, 2 * MANIFEST_PART_CHUNKS_MAX + 3]) {
  test(`a manifest of ${chunks} chunks is asked for part by part`, async () => {
    const channel = new FakeChannel();
    const client = new FetchClient(channel);
    const asked = client.fetchManifest(pathOf("large"), contentId);
    const manifest = manifestOf(chunks);
    for (let answered = 0; answered < requestsOn(channel).length; answered++) {
      const request = requestsOn(channel)[answered];
      assert.ok(request);
      client.receiveManifest({ type: "manifest", id: request.id, manifest: partOf(manifest, request.from) });
    }
    assert.deepEqual(await asked, Buffer.from(manifest));
    assert.equal(requestsOn(channel).length, 1 + Math.floor(chunks / MANIFEST_PART_CHUNKS_MAX));
  });
}

test("a manifest whose later part is not to be had is not to be had", async () => {
  const channel = new FakeChannel();
  const client = new FetchClient(channel);
  const asked = client.fetchManifest(pathOf("large"), contentId);
  const part = partOf(manifestOf(MANIFEST_PART_CHUNKS_MAX), 0);
  client.receiveManifest({ type: "manifest", id: 1, manifest: part });
  client.receiveManifest({ type: "manifest", id: 1, manifest: undefined });
  assert.equal(await asked, undefined);
});

test("a manifest without end breaks the protocol", () => {
  const client = new FetchClient(new FakeChannel());
  void client.fetchManifest(pathOf("large"), contentId);
  const manifest = new Uint8Array(MANIFEST_PART_BYTES_MAX);
  const answer = (): void => client.receiveManifest({ type: "manifest", id: 1, manifest });
  for (let from = 0; from < MANIFEST_CHUNKS_MAX; from += MANIFEST_PART_CHUNKS_MAX) answer();
  assert.throws(answer, /more chunks than allowed/);
});
