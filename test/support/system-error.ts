// Errors as a system call throws them, for what stands in for the system in tests.

/** An error with Node's `code` (`"ENOSPC"`). */
export function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: simulated, '${what}'`), { code });
}
