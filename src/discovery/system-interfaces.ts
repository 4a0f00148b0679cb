// The machine's own list of network interfaces.

import { networkInterfaces, platform } from "node:os";
import { parseInterfaces, type LocalInterface } from "./interfaces.ts";

/** May throw system errors where the list may not be read. */
export function systemInterfaces(): readonly LocalInterface[] {
  return parseInterfaces(networkInterfaces(), platform() === "win32" ? "numbers" : "names");
}
