// Listens, dials, and keeps exactly one session with every peer of the share that it meets.
//
// Invariants:
//   P1  Of each peer there is at most one session; a new one is announced after the old one's end has been.
//   P2  The dialer says hello first; the acceptor answers only if it takes the channel (see tie-break.ts).
//   P3  Whoever has not shown an identity and said hello in time holds a permit of the gate, and is dropped.

import { setMaxListeners } from "node:events";
import { Emitter } from "../core/emitter.ts";
import type { PeerId, ReplicaId } from "../core/ids.ts";
import { CLOSE_MS_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import type { Listener, Network } from "../edge/network.ts";
import type { Random } from "../edge/random.ts";
import { acceptChannel } from "./accept-channel.ts";
import { isLocalAddress } from "./address.ts";
import { ControlDialer, dialData } from "./dial-control.ts";
import { Dialer } from "./dialer.ts";
import { InboundGate } from "./inbound-gate.ts";
import { listen, type ListenPort } from "./listen.ts";
import type { HelloMessage } from "./messages.ts";
import type { OpenChannel } from "./open-channel.ts";
import { PeerSession } from "./peer-session.ts";
import { PeerTable } from "./peer-table.ts";
import type { PoolChannel } from "./pool-channel.ts";
import type { PoolContext } from "./pool-context.ts";
import { RefusalReports, type PoolEvent } from "./pool-events.ts";
import { RateLimiter } from "./rate-limit.ts";
import type { DialTarget } from "./route.ts";
import type { Session } from "./session.ts";

export interface PoolOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly ownId: PeerId;
  readonly openChannel: OpenChannel;
  readonly listenPort: ListenPort;
  readonly share: string;
  /** Friendly name of this instance. */
  readonly name: string;
  readonly replicaId: () => ReplicaId;
  /** Data channels that this side is willing to hold to one peer. */
  readonly dataChannelsMax: number;
  readonly allowRemote: boolean;
  /** Up and down each; `undefined`: no limit. */
  readonly rateLimitBytesPerSecond: number | undefined;
  /** Called for each session; set its channels' handlers before returning. */
  readonly onSession: (session: Session) => void;
}

export class Pool {
  /** What happens, for the log and the status. */
  readonly events = new Emitter<PoolEvent>();
  readonly #options: PoolOptions;
  readonly #context: PoolContext;
  readonly #peers: PeerTable;
  readonly #dialer: Dialer;
  readonly #gate: InboundGate;
  readonly #reports: RefusalReports;
  readonly #limiter: RateLimiter | undefined;
  readonly #stopping = new AbortController();
  /** All that are open, with or without a hello. */
  readonly #channels = new Set<PoolChannel>();
  #listener: Listener | undefined;

  constructor(options: PoolOptions) {
    const { clock, ownId, rateLimitBytesPerSecond: bytesPerSecond } = options;
    this.#options = options;
    // Every handshake and dial that is under way listens to it; the gate and the dialer bound their number.
    setMaxListeners(0, this.#stopping.signal);
    this.#peers = new PeerTable(ownId);
    this.#reports = new RefusalReports(clock, (event) => this.events.emit(event));
    this.#gate = new InboundGate(options);
    this.#limiter = bytesPerSecond === undefined ? undefined : new RateLimiter({ bytesPerSecond, clock });
    this.#context = this.#createContext();
    const controls = new ControlDialer(this.#context, ({ host, port }, detail) =>
      this.events.emit({ type: "dial-failed", host, port, detail }),
    );
    this.#dialer = new Dialer({
      ...options,
      isConnected: (peerId) => this.#peers.session(peerId) !== undefined,
      dial: (request) => controls.dial(request),
    });
  }

  /** The sessions that stand now. */
  get sessions(): readonly Session[] {
    return this.#peers.sessions;
  }

  /** The port that is listened on; `undefined` before `start` and after `stop`. */
  get port(): number | undefined {
    return this.#listener?.port;
  }

  /** Begins to listen. Throws a DsyncError `environment` if that is not possible. */
  async start(): Promise<void> {
    const { network, listenPort } = this.#options;
    const listener = await listen(network, listenPort, (connection) => {
      if (this.#stopping.signal.aborted) connection.destroy();
      else void acceptChannel(this.#context, this.#gate, connection);
    });
    if (this.#stopping.signal.aborted) await listener.close();
    else this.#listener = listener;
  }

  /** Keeps a session with whoever answers there. Adding it again means that it has been heard of again. */
  addTarget(target: DialTarget): void {
    const { host, port, source } = target;
    if (source === "discovery" && !this.#options.allowRemote && !isLocalAddress(host)) {
      const detail = "Discovery gave an address that is not local.";
      return this.#reports.report({ reason: "remote-address", host, port, detail });
    }
    this.#dialer.add(target);
  }

  /** Stops dialling there. A session that stands is kept. */
  removeTarget(target: DialTarget): void {
    this.#dialer.remove(target);
  }

  /** Stops listening and dialling and says goodbye on every channel. Takes at most CLOSE_MS_MAX. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#dialer.stop();
    const closing: Promise<unknown>[] = [];
    if (this.#listener !== undefined) closing.push(this.#listener.close());
    this.#listener = undefined;
    for (const session of this.#peers.sessions) session.close("goodbye");
    for (const channel of this.#channels) {
      channel.close("goodbye");
      closing.push(channel.ended);
    }
    await this.#atMost(CLOSE_MS_MAX, Promise.all(closing));
  }

  #createContext(): PoolContext {
    const { name, share, replicaId, dataChannelsMax } = this.#options;
    return {
      ...this.#options,
      peers: this.#peers,
      reports: this.#reports,
      signal: this.#stopping.signal,
      ownHello: (purpose) => ({ type: "hello", purpose, share, name, replicaId: replicaId(), dataChannelsMax }),
      track: (channel) => this.#track(channel),
      establish: (control, peerHello) => this.#establish(control, peerHello),
    };
  }

  #track(channel: PoolChannel): void {
    this.#channels.add(channel);
    void channel.ended.then(() => this.#channels.delete(channel));
  }

  #establish(control: PoolChannel, peerHello: HelloMessage): void {
    const { clock, random } = this.#options;
    const session = new PeerSession({
      clock,
      random,
      control,
      peerHello,
      ownHello: this.#context.ownHello("control"),
      dialData: () => dialData(this.#context, control),
      decorateData: (channel) => this.#limiter?.limit(channel) ?? channel,
    });
    const before = this.#peers.put(session);
    // P1: whoever waits for the old one's end hears of it first.
    if (before === undefined) this.#announce(session);
    else void before.ended.then(() => this.#announce(session));
  }

  #announce(session: PeerSession): void {
    const { peer } = session;
    if (session.hasEnded) return this.#forget(session);
    this.events.emit({ type: "session-opened", peer, verification: session.control.verification });
    this.#options.onSession(session);
    void session.ended.then((end) => {
      this.events.emit({ type: "session-ended", peer, end });
      this.#forget(session);
    });
  }

  #forget(session: PeerSession): void {
    // A session that was replaced needs no new dial.
    if (this.#peers.remove(session)) this.#dialer.sessionEnded(session.peer.id, session.ageMs);
  }

  async #atMost(ms: number, work: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = this.#options.clock.after(ms, resolve);
      work.then(() => resolve(), reject).finally(() => timer.clear());
    });
  }
}
