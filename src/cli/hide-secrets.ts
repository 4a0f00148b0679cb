// What the list of processes may show of a command line. Pure.

const SECRET_FLAGS = ["--passphrase", "--code"];
const HIDDEN = "***";

/** `argv` on one line without its passphrase or code, or `undefined` if there is none in it. */
export function titleWithoutSecrets(argv: readonly string[]): string | undefined {
  let isNextSecret = false;
  let isChanged = false;
  const shown = argv.map((word) => {
    const isValue = isNextSecret && !word.startsWith("-");
    isNextSecret = SECRET_FLAGS.includes(word);
    const flag = SECRET_FLAGS.find((name) => word.startsWith(`${name}=`));
    if (!isValue && flag === undefined) return word;
    isChanged = true;
    return isValue ? HIDDEN : `${flag}=${HIDDEN}`;
  });
  return isChanged ? ["dsync", ...shown].join(" ") : undefined;
}
