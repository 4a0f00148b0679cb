// The line that makes Windows' task scheduler start dsync at login. Pure.

/** For cmd.exe: the program's words in quotes within the quotes of `/TR`. */
export function schedulerLine(name: string, command: readonly string[]): string {
  const inner = command.map((word) => (/^[\w:\\/.=-]+$/.test(word) ? word : String.raw`\"${word}\"`)).join(" ");
  return `schtasks /Create /F /SC ONLOGON /TN "${name}" /TR "${inner}"`;
}
