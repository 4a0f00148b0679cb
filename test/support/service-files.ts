// Reads what dsync writes for systemd the way that systemd does (systemd.syntax(7), systemd.service(5)).

/** The words of `ExecStart`: quotes, escapes, `%%` and `$$`. Throws for anything that systemd would expand. */
export function unquoteUnit(line: string): readonly string[] {
  const words: string[] = [];
  for (const [, quoted = "", rest = ""] of line.matchAll(/"((?:[^"\\]|\\.)*)"(?: |$)|(.)/g)) {
    if (rest !== "") throw new Error(`${rest} is outside of quotes in ${line}`);
    words.push(unescapeWord(quoted));
  }
  return words;
}

function unescapeWord(quoted: string): string {
  const bytes: number[] = [];
  for (const [piece] of quoted.matchAll(/\\x[0-9a-f]{2}|\\.|%%|\$\$|[^]/gu)) {
    if (piece.startsWith("\\x")) bytes.push(Number.parseInt(piece.slice(2), 16));
    else if (piece === "%" || piece === "$" || piece === "\n") throw new Error(`A lone ${piece} in ${quoted}`);
    else bytes.push(...Buffer.from(piece.replace(/^[\\%$](?=.)/u, "")));
  }
  return Buffer.from(bytes).toString();
}
