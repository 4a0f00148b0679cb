// Files that are shipped beside the program, wherever in the package its code lies by the time it runs.

import { existsSync } from "node:fs";

/** The file `name` at the top of this package. */
export function packageFile(name: string): URL {
  let directory = new URL(".", import.meta.url);
  while (!existsSync(new URL("package.json", directory))) {
    const above = new URL("..", directory);
    if (above.href === directory.href) break;
    directory = above;
  }
  return new URL(name, directory);
}
