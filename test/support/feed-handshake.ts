// Bytes into a handshake, however they were cut.

import type { HandshakeStep } from "../../src/handshake/handshake.ts";

/** Gives `step` all of `bytes`, or as much as it wants before it fails or is done. Returns what it sends meanwhile. */
export function feed(step: HandshakeStep, bytes: Uint8Array): { step: HandshakeStep; output: Uint8Array } {
  const outputs: Uint8Array[] = [];
  let rest = bytes;
  let current = step;
  while (current.kind === "reading" && rest.length >= current.bytesNeeded) {
    const needed = current.bytesNeeded;
    current = current.receive(rest.subarray(0, needed));
    outputs.push(current.output);
    rest = rest.subarray(needed);
  }
  return { step: current, output: Buffer.concat(outputs) };
}
