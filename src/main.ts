// argv → run. The only file that touches `process`: everything else gets what it needs as an argument.

import { homedir, hostname, tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { SHELLS } from "./cli/commands.ts";
import { readCommandLine } from "./cli/front.ts";
import { titleWithoutSecrets } from "./cli/hide-secrets.ts";
import type { Output, Screen } from "./cli/reporter.ts";
import type { Platform } from "./cli/platform.ts";
import { setEngineFlags } from "./edge/engine-flags.ts";
import { packageFile } from "./edge/package-file.ts";
import { errorText, exitCodeOf, type ExitCode } from "./cli/exit-code.ts";

setEngineFlags();

/** For the last words of an instance to be read. */
const LAST_WORDS_MS_MAX = 500;

async function main(): Promise<ExitCode> {
  const argv = process.argv.slice(2);
  const title = titleWithoutSecrets(argv);
  if (title !== undefined) process.title = title;
  const isVerbose = argv.includes("--verbose") || argv.includes("-v");
  try {
    const line = await readCommandLine(argv);
    switch (line.command) {
      case "version":
        process.stdout.write(`dsync ${await readVersion()}\n`);
        return 0;
      case "help":
        process.stdout.write(line.text);
        return 0;
      case "completion": {
        const { completionScript } = await import("./cli/completion.ts");
        const usual = SHELLS.find((shell) => process.env["SHELL"]?.endsWith(`/${shell}`) === true);
        process.stdout.write(completionScript(line.shell ?? usual ?? "bash"));
        return 0;
      }
      case "run": {
        const around = surroundings();
        // Threads take 0.1 s to start: they may do so while this one reads the rest of the program.
        const { startWorkers } = await import("./cli/start-workers.ts");
        const jobs = startWorkers(around.portable);
        const { runInstance } = await import("./cli/run.ts");
        await runInstance(line.flags, { ...around, jobs, onStop: onStopSignal });
        // Nobody may have read what it said for days.
        setTimeout(() => process.exit(0), LAST_WORDS_MS_MAX);
        return 0;
      }
      case "doctor": {
        const { runDoctor } = await import("./cli/run-doctor.ts");
        return await runDoctor(line, { ...surroundings(), nodeVersion: process.versions.node });
      }
      case "service": {
        const { runService } = await import("./cli/run-service.ts");
        await runService(line, { ...surroundings(), program: [process.execPath, fileURLToPath(import.meta.url)] });
        return 0;
      }
      default: {
        const { runFolderCommand } = await import("./cli/run-folder-command.ts");
        return await runFolderCommand(line, surroundings());
      }
    }
  } catch (error) {
    process.stderr.write(errorText(error, isVerbose));
    return exitCodeOf(error);
  }
}

/** The first SIGINT or SIGTERM asks to stop; the second ends the process at once. */
function onStopSignal(stop: () => void): void {
  let isAsked = false;
  const ask = (): void => {
    if (isAsked) process.exit(130);
    isAsked = true;
    stop();
  };
  process.on("SIGINT", ask);
  process.on("SIGTERM", ask);
}

function surroundings(): { platform: Platform; stdout: Output; stderr: Output; portable: boolean } {
  const platform: Platform = {
    environment: process.env,
    system: process.platform,
    home: homedir(),
    cwd: process.cwd(),
    hostName: hostname(),
    temporary: tmpdir(),
    uid: process.getuid?.(),
  };
  const portable = process.env["DSYNC_PORTABLE"] === "1";
  const stdout = outputTo(process.stdout, writeInBatches(process.stdout));
  return { platform, stdout, stderr: outputTo(process.stderr), portable };
}

/** One call of the system for all that is written in one turn: each waits until a pipe has taken what it brings. */
function writeInBatches(stream: NodeJS.WriteStream): Output["write"] {
  return (text) => {
    if (!stream.isTTY && stream.writableCorked === 0) {
      stream.cork();
      setImmediate(() => stream.uncork());
    }
    stream.write(text);
  };
}

function outputTo(stream: NodeJS.WriteStream, write: Output["write"] = (text) => stream.write(text)): Output {
  // Whoever read our output is gone: nothing left to tell, and no reason to crash.
  stream.on("error", () => {});
  return {
    write,
    get waitingBytes() {
      return stream.writableLength;
    },
    onceRead: (action) => void stream.once("drain", action),
    isTerminal: stream.isTTY,
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    ...(stream.isTTY ? { screen: screenOf(stream) } : {}),
  };
}

function screenOf(stream: NodeJS.WriteStream): Screen {
  return {
    get rows() {
      return stream.rows;
    },
    onResize: (action) => {
      stream.on("resize", action);
      return () => stream.off("resize", action);
    },
    onEnd: (action) => {
      process.on("exit", action);
      // Runs before the stack is printed, which would vanish with the view otherwise.
      process.on("uncaughtExceptionMonitor", action);
      return () => {
        process.off("exit", action);
        process.off("uncaughtExceptionMonitor", action);
      };
    },
  };
}

/** Resolves when all that was written there has been read, or nobody reads it any more. */
function untilRead(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.write("", () => resolve());
  });
}

async function readVersion(): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(packageFile("package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

void main().then(async (code) => {
  await Promise.all([process.stdout, process.stderr].map(untilRead));
  // Timers and sockets that are still open must not keep a stopped instance alive.
  process.exit(code);
});
