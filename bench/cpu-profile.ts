// What V8's CPU profiles say, summed up by the part of the program in which the time went.

import { readFileSync } from "node:fs";

/** As `node --cpu-prof` writes it (Chrome DevTools Protocol, Profiler.Profile); times in µs, on the clock of `process.hrtime`. */
interface CpuProfile {
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** From and to, in µs on the clock of `process.hrtime`. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

export const IDLE = "(idle)";

/** Time by part, in ms: folders of `src/`, packages, Node.js, and what the kernel is asked to do. */
export function timesByPart(file: string, span: Span): ReadonlyMap<string, number> {
  return sumByPart(JSON.parse(readFileSync(file, "utf8")) as CpuProfile, span);
}

export function sumByPart(profile: CpuProfile, { fromUs, toUs }: Span): ReadonlyMap<string, number> {
  const partOfNode = new Map(profile.nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
  const times = new Map<string, number>();
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const tookUs = profile.timeDeltas[index] ?? 0;
    atUs += tookUs;
    if (atUs < fromUs || atUs > toUs) continue;
    const part = partOfNode.get(id) ?? "";
    times.set(part, (times.get(part) ?? 0) + tookUs / 1000);
  }
  return times;
}

const FILE_CALLS = new Set(
  "access chmod close copyFile fchmod fstat fsync ftruncate futimes link lstat lutimes mkdir open read readdir readlink rename rmdir stat statfs symlink unlink utimes writeBuffer".split(
    " ",
  ),
);
const SOCKET_CALLS = new Set(["writev", "writeBuffer", "writeUtf8String", "readStart", "readStop", "shutdown"]);

function partOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  if (functionName === "(garbage collector)") return "collecting garbage";
  if (functionName === IDLE || functionName === "(program)" || functionName === "(root)") {
    return functionName === IDLE ? IDLE : "the engine itself";
  }
  const own = /\/dist\/src\/([^/]+)\//.exec(url)?.[1];
  if (own !== undefined) return `src/${own}`;
  const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (name !== undefined) return name;
  if (url.startsWith("wasm:")) return "WebAssembly";
  if (url !== "") return "Node.js";
  if (FILE_CALLS.has(functionName)) return "file system calls";
  if (SOCKET_CALLS.has(functionName)) return "socket calls";
  return functionName === "postMessage" ? "messages between threads" : "other native functions";
}
