// BLAKE3 with SIMD, from an optional dependency that may be missing for a platform.
//
// Its Buffer results keep memory outside of V8's view until the event loop turns, 1.3 KB each: a gigabyte after a
// million hashes in one synchronous job. Results as text do not, and are also faster; so text it is.

import type * as nativeModule from "@napi-rs/blake-hash";
import { createRequire } from "node:module";
import { arch, platform } from "node:process";

import { portableBlake3 } from "./blake3-portable.ts";
import type { Blake3, Blake3Hasher } from "./blake3.ts";

const PACKAGE = "@napi-rs/blake-hash";

type NativeModule = typeof nativeModule;
type NativeHasher = InstanceType<NativeModule["Blake3Hasher"]>;

/** Up to here the call into the native module costs more than WebAssembly needs (measured: 1.6 µs against 0.4 µs). */
const PORTABLE_BYTES_MAX = 1024;

/** `undefined` if the package is not installed or does not load here. */
export function loadNativeBlake3(): Blake3 | undefined {
  const native = loadBinding();
  if (native === undefined) return undefined;
  return {
    hash(bytes) {
      if (bytes.length <= PORTABLE_BYTES_MAX) return portableBlake3.hash(bytes);
      return Buffer.from(native.blake3UrlSafeBase64(asBuffer(bytes)), "base64url");
    },
    create: () => wrap(new native.Blake3Hasher()),
    deriveKey(context, material) {
      const hasher = wrap(native.Blake3Hasher.newDeriveKey(context));
      hasher.update(material);
      return hasher.digest();
    },
  };
}

/**
 * On Linux the package asks for a process report, only to know which C library there is: a report waits for all threads
 * of the process, while each of them starts and wants one as well. What is installed tells the same.
 */
function loadBinding(): NativeModule | undefined {
  const main = createRequire(import.meta.url);
  try {
    const inPackage = createRequire(main.resolve(PACKAGE));
    const build = `${PACKAGE}-${platform}-${arch}`;
    const names = platform === "linux" ? [`${build}-gnu`, `${build}-musl`, PACKAGE] : [PACKAGE];
    for (const name of names) {
      const binding = tryRequire(inPackage, name);
      if (binding !== undefined) return binding;
    }
  } catch {
    // Not installed.
  }
  return undefined;
}

function tryRequire(require: NodeJS.Require, name: string): NativeModule | undefined {
  try {
    return require(name) as NativeModule;
  } catch {
    return undefined;
  }
}

function wrap(hasher: NativeHasher): Blake3Hasher {
  return {
    update: (bytes) => void hasher.update(asBuffer(bytes)),
    digest: () => Buffer.from(hasher.digest("hex"), "hex"),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
