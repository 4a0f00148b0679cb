// What kinds of file systems cannot keep, as far as it concerns a synced folder. Pure.

/** One sentence each; empty for those that keep everything. */
const LIMITS: Readonly<Record<string, string>> = {
  vfat: "it tells names apart without regard to case, keeps no permissions, times to two seconds, no hard links, and no file of 4 GiB or more",
  msdos: "it keeps short names only, no permissions, and times to two seconds",
  exfat: "it tells names apart without regard to case, and keeps no permissions and no hard links",
  ntfs: "it may tell names apart without regard to case, and keeps no permissions as Linux has them",
  ntfs3: "it may tell names apart without regard to case, and keeps no permissions as Linux has them",
  fuseblk: "it may tell names apart without regard to case, and keeps no permissions as Linux has them",
  tmpfs: "it is in memory, and gone when the machine restarts",
  ramfs: "it is in memory, and gone when the machine restarts",
};

const NETWORKED = new Set(["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "coda", "fuse.sshfs", "fuse.rclone"]);

/** What to know about a folder there, or `undefined` if nothing. */
export function limitsOf(fileSystem: string): string | undefined {
  if (NETWORKED.has(fileSystem)) {
    return "it is on the network: changes made on other machines raise no events, so the folder is looked through every few seconds";
  }
  return LIMITS[fileSystem];
}

/** The kind of the file system that holds `path`, from the text of `/proc/self/mountinfo`. */
export function fileSystemIn(mountInfo: string, path: string): string | undefined {
  let best: { readonly point: string; readonly kind: string } | undefined;
  for (const line of mountInfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const point = unescapeMount(before.split(" ")[4] ?? "");
    const [kind] = after.split(" ");
    if (point === "" || kind === undefined || kind === "") continue;
    const holds = point === "/" || path === point || path.startsWith(`${point}/`);
    // Of two mounts on one point the later one is seen.
    if (holds && (best === undefined || point.length >= best.point.length)) best = { point, kind };
  }
  return best?.kind;
}

/** Spaces and the like are written as three octal digits. */
function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
