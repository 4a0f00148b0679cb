// Several pools on one network in memory, with one clock: real handshakes, simulated time.

import { replicaIdFromBytes, type PeerId } from "../../src/core/ids.ts";
import type { Random } from "../../src/edge/random.ts";
import { systemRandom } from "../../src/edge/random.ts";
import { selectCurves } from "../../src/handshake/curves.ts";
import { createIdentity, type Identity } from "../../src/handshake/identity.ts";
import { passphraseBytes } from "../../src/handshake/passphrase-exchange.ts";
import { selectAead } from "../../src/handshake/select-aead.ts";
import type { ChannelEnd } from "../../src/pool/channel.ts";
import { channelOpener, type OpenChannel } from "../../src/pool/open-channel.ts";
import type { PoolEvent } from "../../src/pool/pool-events.ts";
import { Pool, type PoolOptions } from "../../src/pool/pool.ts";
import type { Session } from "../../src/pool/session.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryNetwork } from "./memory-network.ts";

/** A pool, and what it has reported. */
export interface PoolHost {
  readonly host: string;
  readonly id: PeerId;
  readonly pool: Pool;
  /** Every session there ever was. */
  readonly sessions: Session[];
  readonly ends: ChannelEnd[];
  readonly events: PoolEvent[];
}

export type PoolHostOptions = Partial<PoolOptions> & {
  readonly host: string;
  readonly identity?: Identity;
  readonly passphrase?: string;
};

/** Jitter is always half of what it can be; keys are random. */
const random: Random = { bytes: (length) => systemRandom.bytes(length), fraction: () => 0.5 };
const aead = selectAead({ portable: false });
const curves = selectCurves({ portable: false });

export class PoolWorld {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork();
  readonly #hosts: PoolHost[] = [];

  /** Two identities, the one with the smaller peer ID first. */
  identities(): readonly [Identity, Identity] {
    const [a, b] = [createIdentity(random, curves), createIdentity(random, curves)];
    return a.peerId < b.peerId ? [a, b] : [b, a];
  }

  /** Opens channels as an instance of its own, for a test that plays a peer. */
  openChannel(identity = createIdentity(random, curves), passphrase?: string): OpenChannel {
    const secret = passphrase === undefined ? undefined : passphraseBytes(passphrase);
    return channelOpener({ identity, passphrase: secret, aead, curves, random, clock: this.clock });
  }

  /** A pool on `host` that listens on port 9000. */
  async start(options: PoolHostOptions): Promise<PoolHost> {
    const { host, identity = createIdentity(random, curves) } = options;
    const { clock } = this;
    const replicaId = replicaIdFromBytes(random.bytes(8));
    const sessions: Session[] = [];
    const ends: ChannelEnd[] = [];
    const events: PoolEvent[] = [];
    const pool = new Pool({
      network: this.network.host(host),
      clock,
      random,
      ownId: identity.peerId,
      openChannel: this.openChannel(identity, options.passphrase),
      listenPort: { port: 9000, isExplicit: true },
      share: "default",
      name: host,
      replicaId: () => replicaId,
      dataChannelsMax: 4,
      allowRemote: false,
      rateLimitBytesPerSecond: undefined,
      onSession: (session) => {
        sessions.push(session);
        void session.ended.then((end) => ends.push(end));
      },
      ...options,
    });
    pool.events.on((event) => events.push(event));
    await pool.start();
    const started = { host, id: identity.peerId, pool, sessions, ends, events };
    this.#hosts.push(started);
    return started;
  }

  /** Stops all pools. */
  async stop(): Promise<void> {
    const stopping = Promise.all(this.#hosts.map(({ pool }) => pool.stop()));
    await this.clock.run(2_000);
    await stopping;
  }
}

/** True if each has exactly one session with the other, and it is the same one. */
export function areJoined(a: PoolHost, b: PoolHost): boolean {
  const atA = a.pool.sessions.filter(({ peer }) => peer.id === b.id);
  const atB = b.pool.sessions.filter(({ peer }) => peer.id === a.id);
  const [first] = atA;
  const [second] = atB;
  if (first === undefined || second === undefined || atA.length > 1 || atB.length > 1) return false;
  return Buffer.compare(first.control.verification, second.control.verification) === 0;
}
