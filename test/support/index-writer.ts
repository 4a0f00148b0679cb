// A process that writes to an index until it is killed: `index-writer.js <directory> <seed>`. It says what it has
// handed out (`dot <counter>`, before the commit) and what is committed (`turns <count>`).

import { writeSync } from "node:fs";
import { systemClock } from "../../src/edge/clock.ts";
import { systemRandom } from "../../src/edge/random.ts";
import { openLmdbStore } from "../../src/index/lmdb-store.ts";
import { hash, nextTurn, path } from "../../src/index/store-contract.ts";
import { turnOf } from "./index-turns.ts";

const [, , directory = "", seed = "0"] = process.argv;
const store = await openLmdbStore({ directory, random: systemRandom, clock: systemClock, hash, bootId: "boot" });
say(`open ${store.previousStop}`);
let turn = Number(Buffer.from(store.getMeta("turns") ?? Buffer.from("0")).toString());
for (;;) {
  say(`dot ${store.nextDot(0).counter}`);
  for (const change of turnOf(Number(seed), turn)) {
    if (typeof change === "string") store.remove(path(change));
    else store.put(change);
  }
  turn++;
  store.putMeta("turns", Buffer.from(String(turn)));
  const reached = turn;
  const committed = store.committed().then(() => say(`turns ${reached}`));
  // Sometimes several turns pile up behind one commit.
  if (turn % 4 === 0) await committed;
  else await nextTurn();
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
