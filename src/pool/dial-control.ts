// The dialling side: from a target to a session, or one more data channel of one.

import {
  DIAL_MS_MAX,
  DIAL_TARGETS_MAX,
  HANDSHAKE_TOKEN_MS,
  HANDSHAKE_TOKENS_MAX,
  LIMITED_ADDRESSES_MAX,
  SESSIONS_MAX,
} from "../core/limits.ts";
import { explainFailure, isPassphraseRefusal, type HandshakeFailure } from "../handshake/handshake-failure.ts";
import { addressKey, formatAddress } from "./address.ts";
import type { ChannelEnd } from "./channel.ts";
import { dialChannel } from "./dial-channel.ts";
import type { DialOutcome, DialRequest } from "./dialer.ts";
import type { HelloMessage } from "./messages.ts";
import type { PoolChannel } from "./pool-channel.ts";
import { checkShare, refusalOf, reportPassphrase, type PoolContext } from "./pool-context.ts";
import type { DialTarget } from "./route.ts";
import { KeyedBuckets } from "./token-bucket.ts";

/** Dials targets and makes sessions of what answers. */
export class ControlDialer {
  readonly #context: PoolContext;
  readonly #onFailed: (target: DialTarget, detail: string) => void;
  /** The last failure of each address, so that each is reported once. */
  readonly #failures = new Map<string, string>();
  /** Dials of each address that may end at another passphrase: each gives whoever answers one guess at ours. */
  readonly #guesses = new KeyedBuckets({
    capacity: HANDSHAKE_TOKENS_MAX,
    tokensPerMs: 1 / HANDSHAKE_TOKEN_MS,
    keysMax: LIMITED_ADDRESSES_MAX,
  });

  /** `onFailed`: called when an address cannot be dialled for another reason than the last time. */
  constructor(context: PoolContext, onFailed: (target: DialTarget, detail: string) => void) {
    this.#context = context;
    this.#onFailed = onFailed;
  }

  /** Never rejects. */
  async dial({ target, connectMsMax, signal }: DialRequest): Promise<DialOutcome> {
    const { host, port, peerId: expectedPeerId } = target;
    const { clock } = this.#context;
    const guesser = addressKey(host);
    if (!this.#guesses.take(guesser, clock.monotonic())) return { kind: "refused" };
    const outcome = await dialChannel({ ...this.#context, host, port, expectedPeerId, connectMsMax, signal });
    const isGuess = outcome.kind === "failed" && isGuessLeft(outcome.reason);
    if (!isGuess) this.#guesses.giveBack(guesser, clock.monotonic());
    if (outcome.kind === "unreachable") return this.#failed(target, outcome.detail);
    if (outcome.kind === "failed") return this.#handshakeFailed(target, outcome.reason);
    this.#failures.delete(addressOf(target));
    return this.#greet(target, outcome.channel);
  }

  async #greet(target: DialTarget, channel: PoolChannel): Promise<DialOutcome> {
    const { peers, signal } = this.#context;
    const { peerId } = channel;
    this.#context.track(channel);
    if (signal.aborted) {
      channel.close("goodbye");
      return { kind: "failed" };
    }
    if (peers.sessionCount >= SESSIONS_MAX && peers.session(peerId) === undefined) {
      channel.close("overload");
      return this.#failed(target, `there are ${SESSIONS_MAX} sessions already`);
    }
    if (!peers.commit(channel)) {
      channel.close("superfluous");
      return { kind: "answered", peerId };
    }
    channel.send(this.#context.ownHello("control"));
    const outcome = await channel.receiveHello();
    const isWanted = peers.release(channel);
    if (outcome.kind === "ended") return isWanted ? this.#rejected(target, channel, outcome.end) : answered(channel);
    if (!isWanted || signal.aborted) return answered(channel);
    if (!checkPurpose(channel, outcome.hello, "control")) return this.#failed(target, "answered with a wrong hello");
    if (!checkShare(this.#context, channel, outcome.hello)) return { kind: "refused" };
    this.#context.establish(channel, outcome.hello);
    return { kind: "answered", peerId };
  }

  #rejected(target: DialTarget, channel: PoolChannel, { code, detail }: ChannelEnd): DialOutcome {
    if (code === "superfluous") return answered(channel);
    if (code === "other-share" || code === "version") return { kind: "refused" };
    return this.#failed(target, detail === "" ? `closed as ${code}` : `closed as ${code}: ${detail}`);
  }

  #handshakeFailed(target: DialTarget, reason: HandshakeFailure): DialOutcome {
    if (reason === "self") return { kind: "self" };
    if (isPassphraseRefusal(reason)) {
      reportPassphrase(this.#context, reason, target);
      return { kind: "refused" };
    }
    const refusal = refusalOf(reason);
    if (refusal === "handshake") return this.#failed(target, explainFailure(reason));
    const { host, port } = target;
    const detail = explainFailure(reason);
    this.#context.reports.reportOnce(formatAddress(host, port), { reason: refusal, host, port, detail });
    return { kind: "refused" };
  }

  #failed(target: DialTarget, detail: string): DialOutcome {
    const key = addressOf(target);
    if (!this.#context.signal.aborted && this.#failures.get(key) !== detail) {
      if (this.#failures.size >= DIAL_TARGETS_MAX) this.#failures.clear();
      this.#failures.set(key, detail);
      this.#onFailed(target, detail);
    }
    return { kind: "failed" };
  }
}

/** Opens one data channel of a session that was dialled from here. Never rejects; `undefined`: it did not work. */
export async function dialData(context: PoolContext, control: PoolChannel): Promise<PoolChannel | undefined> {
  const { host, port } = control.remote;
  const expectedPeerId = control.peerId;
  const outcome = await dialChannel({ ...context, host, port, expectedPeerId, connectMsMax: DIAL_MS_MAX });
  if (outcome.kind !== "opened") return undefined;
  const { channel } = outcome;
  context.track(channel);
  channel.send(context.ownHello("data"));
  const greeting = await channel.receiveHello();
  return greeting.kind === "hello" && checkPurpose(channel, greeting.hello, "data") ? channel : undefined;
}

/** True if whoever answered may have tried out a passphrase: it said so, or left when it could have known. */
function isGuessLeft(reason: HandshakeFailure): boolean {
  return reason === "passphrase-other" || reason === "ended" || reason === "timeout";
}

/** True if the answer is to what was asked; otherwise the peer has broken the protocol. */
function checkPurpose(channel: PoolChannel, peerHello: HelloMessage, purpose: HelloMessage["purpose"]): boolean {
  if (peerHello.purpose === purpose) return true;
  channel.close("protocol-error", "a hello for another purpose");
  return false;
}

function answered({ peerId }: PoolChannel): DialOutcome {
  return { kind: "answered", peerId };
}

function addressOf({ host, port }: DialTarget): string {
  return formatAddress(host, port);
}
