// What 2,000 strangers at the port cost while two peers sync: `node dist/bench/strangers.js [--runs N]`. Linux, no root.
//
// The strangers run in this process, on the same cores as the two instances: the slow-down includes their own work.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemRandom } from "../src/edge/random.ts";
import { PortFlood, STRANGERS, type Stranger } from "../test/support/port-flood.ts";
import { waitForEqualTrees } from "../test/support/trees.ts";
import { cpuMsOf, median, timed } from "./measure.ts";
import { Pair } from "./pair.ts";

const CONNECTIONS = 2_000;
const ADDRESSES = 50;
const MIB = 2 ** 20;
const LARGE_MIB = 128;
const SMALL_FILES = 1_000;
/** How often memory is looked at. */
const SAMPLE_MS = 20;

interface Scenario {
  readonly what: string;
  readonly kinds: readonly Stranger[];
  /** Whoever is turned away comes again after so long. */
  readonly againMs?: number;
}

const EVERYBODY = Object.keys(STRANGERS) as readonly Stranger[];

const SCENARIOS: readonly Scenario[] = [
  { what: "nobody", kinds: [] },
  ...EVERYBODY.map((kind): Scenario => ({ what: `2,000: ${kind}`, kinds: [kind] })),
  { what: "2,000, all kinds", kinds: EVERYBODY },
  { what: "2,000, all kinds, each again after 1 s", kinds: EVERYBODY, againMs: 1_000 },
];

interface Result {
  readonly syncMs: number;
  readonly cpuMs: number;
  readonly peakMb: number;
  readonly made: number;
  readonly lines: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { runs: { type: "string", default: "3" } } });
  const scratch = mkdtempSync(join(tmpdir(), "dsync-port-"));
  const results = new Map<Scenario, Result[]>(SCENARIOS.map((scenario) => [scenario, []]));
  try {
    // In turn, so that what else the machine does falls on all of them.
    for (let run = 0; run < Number(values.runs); run++) {
      for (const [scenario, list] of results) {
        console.log(`${scenario.what} …`);
        list.push(await measure(scenario, scratch));
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log("| strangers | connections | sync | CPU of the attacked | its peak memory | lines about it |");
  console.log("|---|---|---|---|---|---|");
  for (const [{ what }, list] of results) {
    const of = (pick: (result: Result) => number): string => median(list.map(pick)).toFixed(0);
    const times = `${of(({ syncMs }) => syncMs)} ms | ${of(({ cpuMs }) => cpuMs)} ms`;
    console.log(
      `| ${what} | ${of(({ made }) => made)} | ${times} | ${of(({ peakMb }) => peakMb)} MB | ${of(({ lines }) => lines)} |`,
    );
  }
}

/** One sync of a folder from the attacked instance to a new one. */
async function measure({ kinds, againMs }: Scenario, scratch: string): Promise<Result> {
  const pair = new Pair(scratch);
  const { folder } = pair.a;
  mkdirSync(join(folder, "small"));
  writeFileSync(join(folder, "large"), systemRandom.bytes(LARGE_MIB * MIB));
  for (let index = 0; index < SMALL_FILES; index++) {
    writeFileSync(join(folder, "small", `${index}`), systemRandom.bytes(4096));
  }
  await pair.startFirst();
  const { instance } = pair.a;
  let peakBytes = 0;
  const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, anonymousBytes(instance.pid))), SAMPLE_MS);
  const flood = new PortFlood({ port: instance.port, addresses: ADDRESSES, kinds, againMs });
  try {
    const cpuBefore = cpuMsOf(instance.pid);
    if (kinds.length > 0) flood.add(CONNECTIONS);
    const syncMs = await timed(async () => {
      pair.startSecond();
      await waitForEqualTrees([folder, pair.b.folder]);
    });
    const lines = instance.events.filter(({ event }) => event === "peer-refused").length;
    return { syncMs, cpuMs: cpuMsOf(instance.pid) - cpuBefore, peakMb: peakBytes / 1e6, made: flood.made, lines };
  } finally {
    clearInterval(sampler);
    flood.stop();
    await pair.remove();
  }
}

/** Memory that is the process's own: pages of mapped files, which the index has, do not count. */
function anonymousBytes(pid: number): number {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

await main();
