// Prints the test vectors of the handshake, ready for docs/protocol.md. After a build:
//   node scripts/protocol-vectors.mjs

import { computeOpenVector, computePassphraseVector, formatVector } from "../dist/test/support/protocol-vectors.js";

console.log(formatVector("vector", computeOpenVector(false)));
console.log();
console.log(formatVector("passphrase-vector", computePassphraseVector(false)));
