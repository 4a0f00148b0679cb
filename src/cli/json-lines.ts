// One line of JSON from a socket, bounded in bytes.

import type { Socket } from "node:net";

const NEWLINE = 0x0a;

/** Resolves with the text before the first newline, or with `undefined` if the socket ends, fails or sends too much before it. */
export function readLine(socket: Socket, bytesMax: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const finish = (line: string | undefined): void => {
      socket.off("data", onData);
      resolve(line);
    };
    const onData = (piece: Buffer): void => {
      const end = piece.indexOf(NEWLINE);
      const used = end === -1 ? piece : piece.subarray(0, end);
      length += used.length;
      if (length > bytesMax) return finish(undefined);
      pieces.push(used);
      return end === -1 ? undefined : finish(Buffer.concat(pieces).toString("utf8"));
    };
    socket.on("data", onData);
    socket.once("close", () => finish(undefined));
  });
}
