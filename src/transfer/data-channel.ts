// One data channel: either side may ask and answer on it.

import { protocolError } from "../core/errors.ts";
import type { Channel } from "../pool/channel.ts";
import type { ContentServer } from "./content-server.ts";
import type { FetchClient } from "./fetch-client.ts";

/** Connects the channel to its asking and its answering side. */
export function serveDataChannel(channel: Channel, client: FetchClient, server: ContentServer): void {
  const answer = server.serve(channel);
  channel.onMessage((message) => {
    switch (message.type) {
      case "fetch":
      case "fetch-manifest":
        return answer(message);
      case "chunk":
        return client.receiveChunk(message);
      case "manifest":
        return client.receiveManifest(message);
      default:
        throw protocolError(`a ${message.type} message on a data channel`);
    }
  });
}
