// `dsync doctor`: what usually goes wrong, looked at one by one, each with a fix.

import { loadNativeBlake3 } from "../content/blake3-native.ts";
import { shareHash } from "../discovery/service-records.ts";
import { folderHolder } from "../edge/folder-lock.ts";
import { resolveRealFolder } from "../edge/real-folder.ts";
import { nativeAead } from "../handshake/aead-native.ts";
import { selectAead } from "../handshake/select-aead.ts";
import { PROTOCOL_VERSION } from "../pool/messages.ts";
import type { DoctorCommand } from "./command-line.ts";
import { checkAll } from "./doctor-checks.ts";
import { doctorText } from "./doctor-text.ts";
import type { ExitCode } from "./exit-code.ts";
import { gatherFacts } from "./gather-facts.ts";
import { instanceAccess } from "./instance-access.ts";
import { loadFolder } from "./load-options.ts";
import type { CommandSurroundings } from "./run-folder-command.ts";
import { systemProbes } from "./system-probes.ts";
import { DEFAULT_PORT } from "./values.ts";

export interface DoctorSurroundings extends CommandSurroundings {
  /** `20.19.0`. */
  readonly nodeVersion: string;
}

/** 1 if there is a problem. Throws a DsyncError. */
export async function runDoctor(command: DoctorCommand, around: DoctorSurroundings): Promise<ExitCode> {
  const { platform, portable, stdout, nodeVersion } = around;
  const { folder, share: usualShare, port: usualPort } = loadFolder(command, platform);
  const real = resolveRealFolder(folder);
  const port = command.port ?? usualPort;
  const holder = real.exists ? folderHolder(real.path) : undefined;
  const socketPath = holder?.socketPath ?? undefined;
  const status =
    socketPath === undefined
      ? undefined
      : await instanceAccess({ socketPath, uid: platform.uid }).status().catch(noAnswer);
  const facts = await gatherFacts(
    {
      system: platform.system,
      nodeVersion,
      fastPaths: {
        cipher: selectAead({ portable }) === nativeAead,
        blake3: !portable && loadNativeBlake3() !== undefined,
      },
      folder: real,
      port: { value: port ?? DEFAULT_PORT, explicit: port !== undefined },
      ownShareHash: shareHash(
        status instanceof Error ? "" : (status?.share ?? command.share ?? usualShare ?? "default"),
      ),
      ownVersion: PROTOCOL_VERSION,
    },
    {
      ...systemProbes(),
      status: async () => {
        if (status instanceof Error) throw status;
        if (status === undefined && holder !== undefined)
          throw new Error("The instance on this folder answers no commands.");
        return status;
      },
    },
  );
  const findings = checkAll(facts);
  stdout.write(command.json ? `${JSON.stringify(findings)}\n` : doctorText(findings));
  return findings.some(({ verdict }) => verdict === "problem") ? 1 : 0;
}

function noAnswer(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
