// A TCP relay that hands on every byte some milliseconds later, in both directions:
// `node delay-relay.js LISTEN_PORT HOST PORT DELAY_MS`. Listens on loopback until it is killed.

import { connect, createServer, type Socket } from "node:net";

/** In each direction, as much as a TCP window grows to by itself. */
const UNDERWAY_BYTES_MAX = 6 * 1024 * 1024;

const [listenPort, host = "", port, delayMs] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
  handOn(near, far);
  handOn(far, near);
});
server.listen(Number(listenPort), "127.0.0.1");

function handOn(from: Socket, to: Socket): void {
  let underwayBytes = 0;
  from.on("data", (bytes) => {
    underwayBytes += bytes.length;
    if (underwayBytes > UNDERWAY_BYTES_MAX) from.pause();
    setTimeout(() => {
      // Counts until the other side has taken it.
      to.write(bytes, () => {
        underwayBytes -= bytes.length;
        if (underwayBytes <= UNDERWAY_BYTES_MAX) from.resume();
      });
    }, Number(delayMs));
  });
  from.on("end", () => setTimeout(() => to.end(), Number(delayMs)));
  from.on("error", () => to.destroy());
  from.on("close", (hadError) => {
    if (hadError) to.destroy();
  });
}
