// The memory that files are read into: one buffer per thread, used again and again. Jobs are synchronous, so that no
// two of them use it at once.

let buffer: Uint8Array = new Uint8Array(0);

/** At least `length` bytes, holding anything; valid until the next call. */
export function readBuffer(length: number): Uint8Array {
  if (buffer.length < length) buffer = new Uint8Array(length);
  return buffer;
}
