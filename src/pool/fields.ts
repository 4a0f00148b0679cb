// The fields of a MessagePack array from the wire, taken off one after the other, each checked. Whatever is not as it should
// be throws a DsyncError `protocol` that says in which message and at which field.

import { protocolError } from "../core/errors.ts";
import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import { parsePath, type RelativePath } from "../core/path.ts";

export class Fields {
  readonly #type: string;
  readonly #items: readonly unknown[];
  #next = 0;

  constructor(type: string, body: unknown) {
    if (!Array.isArray(body)) throw protocolError(`a ${type} message that is no array`);
    this.#type = type;
    this.#items = body;
  }

  /** Returns `message`, after checking that no field is left over. */
  end<T>(message: T): T {
    if (this.#next !== this.#items.length) throw this.#wrong("number of fields");
    return message;
  }

  value(): unknown {
    if (this.#next >= this.#items.length) throw this.#wrong("number of fields");
    return this.#items[this.#next++];
  }

  text(bytesMax: number): string {
    const value = this.value();
    if (typeof value !== "string" || !value.isWellFormed() || Buffer.byteLength(value) > bytesMax) {
      throw this.#wrong("text");
    }
    return value;
  }

  boolean(): boolean {
    const value = this.value();
    if (typeof value !== "boolean") throw this.#wrong("boolean");
    return value;
  }

  integer(max: number): number {
    const value = this.value();
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) {
      throw this.#wrong("integer");
    }
    return value;
  }

  u32(): number {
    return this.integer(0xffff_ffff);
  }

  bytesOfLength(length: number): Uint8Array {
    const value = this.#bytes();
    if (value.length !== length) throw this.#wrong("length of bytes");
    return value;
  }

  bytesInUnitsOf(unit: number, countMax: number): Uint8Array {
    const value = this.#bytes();
    if (value.length % unit !== 0 || value.length > unit * countMax) throw this.#wrong("length of bytes");
    return value;
  }

  optionalBytes(lengthMax: number): Uint8Array | undefined {
    if (this.#items[this.#next] === null) {
      this.#next++;
      return undefined;
    }
    const value = this.#bytes();
    if (value.length > lengthMax) throw this.#wrong("length of bytes");
    return value;
  }

  list(lengthMax: number): readonly unknown[] {
    const value = this.value();
    if (!Array.isArray(value) || value.length > lengthMax) throw this.#wrong("list");
    return value;
  }

  path(): RelativePath {
    const path = parsePath(this.value());
    if (path === undefined) throw this.#wrong("path");
    return path;
  }

  hash(): ContentHash {
    return contentHashFromBytes(this.bytesOfLength(32));
  }

  #bytes(): Uint8Array {
    const value = this.value();
    if (!(value instanceof Uint8Array)) throw this.#wrong("bytes");
    return value;
  }

  #wrong(what: string): Error {
    return protocolError(`a ${this.#type} message with a wrong ${what} at field ${this.#next}`);
  }
}
