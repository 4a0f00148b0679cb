// Either side of the Node copier: `node node-copy-process.js send PORT FOLDER` serves a folder on loopback, to one after
// the other; `… receive PORT FOLDER` fills an empty folder with it, and ends.
//
// An entry is the length of its head (4 bytes, little endian), its head in JSON, and a file's content. Nothing else: no
// index, no hashes, no encryption, no temporary names. What is wrong ends the process.

import fs from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";

const HEAD_LENGTH_BYTES = 4;
const BLOCK_BYTES = 1024 * 1024;

/** One entry. */
interface Head {
  /** Relative to the folder. */
  readonly path: string;
  readonly kind: "directory" | "file" | "link";
  readonly mode: number;
  /** Seconds. */
  readonly modified: number;
  /** Of the content that follows. */
  readonly bytes: number;
  /** A link's. */
  readonly target?: string;
}

/** Fills one block while the other is on its way. */
class Outgoing {
  readonly #socket: Socket;
  #filling = Buffer.allocUnsafe(BLOCK_BYTES);
  #leaving = Buffer.allocUnsafe(BLOCK_BYTES);
  #filledBytes = 0;
  #left = Promise.resolve();

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async add(head: Head): Promise<void> {
    const text = Buffer.from(JSON.stringify(head));
    if (this.#filledBytes + HEAD_LENGTH_BYTES + text.length > BLOCK_BYTES) await this.flush();
    this.#filledBytes = this.#filling.writeUInt32LE(text.length, this.#filledBytes);
    this.#filledBytes += text.copy(this.#filling, this.#filledBytes);
  }

  async addContent(file: string, bytes: number): Promise<void> {
    const descriptor = fs.openSync(file, "r");
    for (let left = bytes; left > 0;) {
      if (this.#filledBytes === BLOCK_BYTES) await this.flush();
      const room = Math.min(left, BLOCK_BYTES - this.#filledBytes);
      const read = fs.readSync(descriptor, this.#filling, this.#filledBytes, room, null);
      if (read === 0) throw new Error(`${file} has become shorter.`);
      this.#filledBytes += read;
      left -= read;
    }
    fs.closeSync(descriptor);
  }

  async flush(): Promise<void> {
    await this.#left;
    const full = this.#filling.subarray(0, this.#filledBytes);
    this.#left = new Promise((resolve) => this.#socket.write(full, () => resolve()));
    [this.#filling, this.#leaving] = [this.#leaving, this.#filling];
    this.#filledBytes = 0;
  }
}

function send(port: number, folder: string): void {
  createServer((socket) => void sendAll(socket, folder)).listen(port, "127.0.0.1");
}

async function sendAll(socket: Socket, folder: string): Promise<void> {
  const outgoing = new Outgoing(socket);
  for (const head of headsBelow(folder, "")) {
    await outgoing.add(head);
    if (head.kind === "file") await outgoing.addContent(join(folder, head.path), head.bytes);
  }
  await outgoing.flush();
  socket.end();
}

/** A directory comes before what is in it. */
function* headsBelow(folder: string, directory: string): Generator<Head> {
  for (const name of fs.readdirSync(join(folder, directory))) {
    const path = join(directory, name);
    const stat = fs.lstatSync(join(folder, path));
    const { mode, size } = stat;
    const common = { path, mode, modified: stat.mtimeMs / 1000, bytes: 0 };
    if (stat.isDirectory()) {
      yield { ...common, kind: "directory" };
      yield* headsBelow(folder, path);
    } else if (stat.isSymbolicLink()) yield { ...common, kind: "link", target: fs.readlinkSync(join(folder, path)) };
    else yield { ...common, kind: "file", bytes: size };
  }
}

/** A file of which not everything has arrived. */
interface Unfinished {
  readonly descriptor: number;
  readonly modified: number;
  leftBytes: number;
}

/** Writes what arrives, as soon as it arrives. */
class Incoming {
  readonly #folder: string;
  /** The start of a head whose rest has not arrived. */
  #rest = Buffer.alloc(0);
  #file: Unfinished | undefined;
  readonly #directories: Head[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  push(arrived: Buffer): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, arrived]) : arrived;
    for (;;) {
      if (this.#file !== undefined) bytes = this.#write(this.#file, bytes);
      if (this.#file !== undefined || bytes.length < HEAD_LENGTH_BYTES) break;
      const end = HEAD_LENGTH_BYTES + bytes.readUInt32LE(0);
      if (bytes.length < end) break;
      this.#begin(JSON.parse(bytes.toString("utf8", HEAD_LENGTH_BYTES, end)) as Head);
      bytes = bytes.subarray(end);
    }
    // Copied: the memory that it arrived in is used again.
    this.#rest = Buffer.from(bytes);
  }

  /** What is in a directory changes its time. */
  end(): void {
    if (this.#file !== undefined || this.#rest.length > 0) throw new Error("The other side ended too early.");
    for (const { path, mode, modified } of this.#directories) {
      fs.chmodSync(join(this.#folder, path), mode);
      fs.utimesSync(join(this.#folder, path), modified, modified);
    }
  }

  #begin(head: Head): void {
    const path = join(this.#folder, head.path);
    switch (head.kind) {
      case "directory":
        fs.mkdirSync(path);
        this.#directories.push(head);
        break;
      case "link":
        fs.symlinkSync(head.target ?? "", path);
        fs.lutimesSync(path, head.modified, head.modified);
        break;
      case "file":
        this.#file = { descriptor: fs.openSync(path, "wx", head.mode), modified: head.modified, leftBytes: head.bytes };
        break;
    }
  }

  /** Gives what belongs to the next entry. */
  #write(file: Unfinished, bytes: Buffer): Buffer {
    const own = Math.min(file.leftBytes, bytes.length);
    for (let at = 0; at < own;) at += fs.writeSync(file.descriptor, bytes, at, own - at);
    file.leftBytes -= own;
    if (file.leftBytes === 0) {
      fs.futimesSync(file.descriptor, file.modified, file.modified);
      fs.closeSync(file.descriptor);
      this.#file = undefined;
    }
    return bytes.subarray(own);
  }
}

function receive(port: number, folder: string): void {
  process.umask(0);
  const incoming = new Incoming(folder);
  const socket = connect({
    port,
    host: "127.0.0.1",
    onread: {
      buffer: Buffer.allocUnsafe(BLOCK_BYTES),
      callback: (bytes, buffer) => {
        incoming.push(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
        return true;
      },
    },
  });
  socket.on("end", () => incoming.end());
}

const [role, port, folder = ""] = process.argv.slice(2);
if (role === "send") send(Number(port), folder);
else receive(Number(port), folder);
