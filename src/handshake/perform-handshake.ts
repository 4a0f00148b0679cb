// Drives a handshake over a connection: moves bytes between it and the state machine, with a deadline.

import { ByteQueue } from "../core/byte-queue.ts";
import type { PeerId } from "../core/ids.ts";
import { HANDSHAKE_MS_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import type { Connection } from "../edge/network.ts";
import type { Random } from "../edge/random.ts";
import type { Aead } from "./aead.ts";
import { CPACE_BYTES } from "./cpace.ts";
import type { Curves } from "./curves.ts";
import type { HandshakeFailure } from "./handshake-failure.ts";
import { startHandshake, type ChannelSecrets, type HandshakeStep } from "./handshake.ts";
import { CHALLENGE_BYTES, EPHEMERAL_KEY_BYTES, type Role } from "./hello.ts";
import type { Identity } from "./identity.ts";

export interface PerformHandshakeOptions {
  readonly role: Role;
  readonly identity: Identity;
  readonly aead: Aead;
  readonly curves?: Curves;
  readonly version: number;
  readonly random: Random;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** See `passphraseBytes`; `undefined`: none is used. */
  readonly passphrase?: Uint8Array | undefined;
  readonly expectedPeerId?: PeerId | undefined;
}

export type HandshakeOutcome =
  /** The connection is paused; `leftover` arrived behind the handshake and belongs to the records. */
  | { readonly kind: "secured"; readonly secrets: ChannelSecrets; readonly leftover: Uint8Array }
  /** The connection has been ended. */
  | { readonly kind: "failed"; readonly reason: HandshakeFailure };

/** Never rejects. Takes over the connection's handlers until it is done. */
export function performHandshake(connection: Connection, options: PerformHandshakeOptions): Promise<HandshakeOutcome> {
  const { random, clock, signal, passphrase } = options;
  const received = new ByteQueue();
  const ephemeralSecret = random.bytes(EPHEMERAL_KEY_BYTES);
  const scalarSecret = random.bytes(CPACE_BYTES);
  let step = startHandshake({
    ...options,
    ephemeralSecret,
    challenge: random.bytes(CHALLENGE_BYTES),
    passphrase: passphrase && { passphrase, scalarSecret },
  });

  return new Promise((resolve) => {
    let isSettled = false;
    const deadline = clock.after(HANDSHAKE_MS_MAX, () => abandon("timeout"));
    const onAbort = () => abandon("aborted");

    function settle(outcome: HandshakeOutcome): void {
      if (isSettled) return;
      isSettled = true;
      deadline.clear();
      signal.removeEventListener("abort", onAbort);
      for (const secret of [ephemeralSecret, scalarSecret]) secret.fill(0);
      resolve(outcome);
    }

    function abandon(reason: HandshakeFailure): void {
      if (isSettled) return;
      settle({ kind: "failed", reason });
      connection.destroy();
    }

    function take(next: HandshakeStep): void {
      step = next;
      if (step.output.length > 0) connection.write([step.output]);
      if (step.kind === "done") {
        connection.pause();
        settle({ kind: "secured", secrets: step.secrets, leftover: received.take(received.length) });
      } else if (step.kind === "failed") {
        settle({ kind: "failed", reason: step.reason });
        if (step.output.length > 0) connection.end();
        else connection.destroy();
      }
    }

    connection.onEnd(() => settle({ kind: "failed", reason: "ended" }));
    connection.onData((bytes) => {
      if (isSettled) return;
      received.push(Uint8Array.from(bytes));
      while (step.kind === "reading" && received.length >= step.bytesNeeded) {
        take(step.receive(received.take(step.bytesNeeded)));
      }
    });

    signal.addEventListener("abort", onAbort);
    if (signal.aborted) return abandon("aborted");
    take(step);
    connection.resume();
  });
}
