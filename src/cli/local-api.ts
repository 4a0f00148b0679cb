// The running instance's door for commands: a local socket that only the same user can open. One request and one answer
// per connection (local-messages.ts). The folder's lock says who may listen: a socket file without a listener is stale.

import { rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import { DsyncError, errnoOf, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import {
  LOCAL_ANSWER_BYTES_MAX,
  LOCAL_ANSWER_MS_MAX,
  LOCAL_CLIENTS_MAX,
  LOCAL_REQUEST_BYTES_MAX,
  TRASH_PAGE_ITEMS,
} from "../core/limits.ts";
import { parseJsonObject } from "../edge/read-json.ts";
import { readLine } from "./json-lines.ts";
import { LOCAL_VERSION, parseLocalRequest, type LocalRequest } from "./local-messages.ts";
import type { Shape } from "./shape.ts";
import { expectPrivate, prepareSocketDirectory } from "./socket-path.ts";

export interface LocalApiOptions extends LocalDoor {
  /** The answer, a value that survives JSON. What it throws is told to the command. */
  handle(request: LocalRequest): Promise<unknown>;
}

/** Answers commands until it is stopped. */
export class LocalApi {
  readonly #server: Server;
  readonly #options: LocalApiOptions;
  readonly #sockets = new Set<Socket>();

  private constructor(options: LocalApiOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = LOCAL_CLIENTS_MAX;
  }

  /** Call it while the folder is locked. Throws a DsyncError `environment`. */
  static async start(options: LocalApiOptions): Promise<LocalApi> {
    prepareSocketDirectory(options.socketPath, options.uid);
    const api = new LocalApi(options);
    // The lock is ours, so whoever left a socket there is gone.
    if (options.uid !== undefined) rmSync(options.socketPath, { force: true });
    await api.#listen();
    return api;
  }

  /** Answers nothing more; connections end at once. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #listen(): Promise<void> {
    const { socketPath } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error) => {
        const shown = escapeForTerminal(socketPath);
        reject(
          new DsyncError(
            "environment",
            `Cannot listen for commands on ${shown}: ${messageOf(error)}. Set XDG_RUNTIME_DIR to a directory of your own.`,
            {
              cause: error,
            },
          ),
        );
      });
      this.#server.listen(socketPath, resolve);
    });
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // A command that goes away is no trouble of the instance.
    socket.on("error", () => socket.destroy());
    socket.setTimeout(LOCAL_ANSWER_MS_MAX, () => socket.destroy());
    void this.#answer(socket);
  }

  async #answer(socket: Socket): Promise<void> {
    const line = await readLine(socket, LOCAL_REQUEST_BYTES_MAX);
    if (line === undefined) {
      socket.destroy();
      return;
    }
    const answer = await this.#answerTo(line);
    if (answer.ok && Array.isArray(answer.answer)) await writeList(socket, answer.answer);
    else socket.end(`${JSON.stringify(answer)}\n`);
  }

  async #answerTo(line: string): Promise<LocalAnswer> {
    try {
      const fields = parseJsonObject(line);
      if (fields?.["v"] !== LOCAL_VERSION)
        throw new Error("The running instance is another version of dsync. Restart it.");
      return { v: LOCAL_VERSION, ok: true, answer: await this.#options.handle(parseLocalRequest(fields)) };
    } catch (error) {
      return { v: LOCAL_VERSION, ok: false, message: messageOf(error) };
    }
  }
}

type LocalAnswer =
  | { readonly v: number; readonly ok: true; readonly answer: unknown }
  | { readonly v: number; readonly ok: false; readonly message: string };

/** A list may be long: it is written piece by piece, and syncing gets its turn in between. */
async function writeList(socket: Socket, items: readonly unknown[]): Promise<void> {
  const [head, tail] = JSON.stringify({ v: LOCAL_VERSION, ok: true, answer: [] }).split("[]");
  socket.write(`${head}[`);
  for (let start = 0; start < items.length; start += TRASH_PAGE_ITEMS) {
    const piece = JSON.stringify(items.slice(start, start + TRASH_PAGE_ITEMS)).slice(1, -1);
    socket.write(start === 0 ? piece : `,${piece}`);
    await setImmediate();
    if (socket.destroyed) return;
  }
  socket.end(`]${tail}\n`);
}

/** The door of a running instance. */
export interface LocalDoor {
  readonly socketPath: string;
  /** Numeric user ID; `undefined` on Windows. */
  readonly uid: number | undefined;
}

/** Asks the instance behind the door. Throws a DsyncError `environment` if it is not there, or has no good answer. */
export async function askInstance<T>(door: LocalDoor, request: LocalRequest, parse: Shape<T>): Promise<T> {
  const { socketPath, uid } = door;
  expectPrivate(dirname(socketPath), uid);
  const socket = await connect(socketPath);
  try {
    socket.setTimeout(LOCAL_ANSWER_MS_MAX, () => socket.destroy());
    socket.write(`${JSON.stringify({ v: LOCAL_VERSION, ...request })}\n`);
    const line = await readLine(socket, LOCAL_ANSWER_BYTES_MAX);
    return parseAnswer(line, parse);
  } finally {
    socket.destroy();
  }
}

function parseAnswer<T>(line: string | undefined, parse: Shape<T>): T {
  const fields = line === undefined ? undefined : parseJsonObject(line);
  if (fields === undefined) throw new DsyncError("environment", "The running instance did not answer. Is it stopping?");
  const message = fields["message"];
  if (fields["ok"] !== true) {
    const detail = typeof message === "string" ? escapeForTerminal(message) : "it did not say why.";
    throw new DsyncError("environment", `The running instance cannot answer: ${detail}`);
  }
  try {
    return parse(fields["answer"]);
  } catch (error) {
    throw new DsyncError("environment", "The running instance is another version of dsync. Restart it.", {
      cause: error,
    });
  }
}

function connect(socketPath: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    socket.once("connect", () => {
      socket.on("error", () => socket.destroy());
      resolve(socket);
    });
    socket.once("error", (error) => {
      const reason =
        errnoOf(error) === "ENOENT" || errnoOf(error) === "ECONNREFUSED" ? "nobody listens there" : messageOf(error);
      const shown = escapeForTerminal(socketPath);
      reject(
        new DsyncError("environment", `Cannot ask the running instance at ${shown}: ${reason}. Restart it.`, {
          cause: error,
        }),
      );
    });
  });
}
