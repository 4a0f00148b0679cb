// A process that does nothing but discovery: `node discovery-probe.js <port> <name> <peer ID> [interface]`.
// Prints what it finds as JSON lines; says goodbye on SIGTERM.

import { parsePeerId } from "../../src/core/ids.ts";
import { Discovery } from "../../src/discovery/discovery.ts";
import { openMdnsSocket } from "../../src/discovery/mdns-socket.ts";
import { shareHash } from "../../src/discovery/service-records.ts";
import { systemInterfaces } from "../../src/discovery/system-interfaces.ts";
import { systemClock } from "../../src/edge/clock.ts";
import { systemRandom } from "../../src/edge/random.ts";

const [port, name = "probe", id, only] = process.argv.slice(2);
const peerId = parsePeerId(id);
if (peerId === undefined) throw new Error(`Not a peer ID: ${id}`);

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const discovery = new Discovery({
  service: { peerId, name, shareHash: shareHash("default"), version: 1, port: Number(port) },
  clock: systemClock,
  random: systemRandom,
  interfaces: () => systemInterfaces().filter((each) => only === undefined || each.name === only),
  openSocket: openMdnsSocket,
});
discovery.events.on(print);
discovery.problems.on((problem) => print({ kind: "problem", ...problem }));
discovery.start();
process.once("SIGTERM", () => void discovery.stop().then(() => print({ kind: "stopped" })));
