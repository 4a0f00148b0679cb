// Completion scripts for shells, made from the tables of commands and flags. Pure.

import { assertNever } from "../core/assert.ts";
import { COMMANDS, type Shell } from "./commands.ts";
import { ALL_FLAGS, spelled, type Flag } from "./flags.ts";

/** The script for `shell`; its first line says how to load it. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return bashScript();
    case "zsh":
      return zshScript();
    case "fish":
      return fishScript();
    default:
      return assertNever(shell);
  }
}

/** What completes a flag's value. */
function valueOf({ value }: Flag): "nothing" | "directory" | "file" | "text" {
  if (value === undefined) return "nothing";
  if (value === "<dir>") return "directory";
  return value === "<file>" ? "file" : "text";
}

/** `-d` and `--path`. */
function spellings(flag: (typeof ALL_FLAGS)[number]): readonly string[] {
  return flag.letter === undefined ? [spelled(flag.name)] : [`-${flag.letter}`, spelled(flag.name)];
}

function bashScript(): string {
  const flagsWith = (kind: ReturnType<typeof valueOf>): string =>
    ALL_FLAGS.filter((flag) => valueOf(flag) === kind)
      .flatMap(spellings)
      .join("|");
  const actions = COMMANDS.filter(({ actions }) => actions !== undefined).map(
    ({ name, actions = [] }) => `    ${name}) COMPREPLY=($(compgen -W "${actions.join(" ")}" -- "$cur")); return ;;`,
  );
  return [
    '# Load it with: eval "$(dsync completion bash)"',
    "_dsync() {",
    // Names with spaces are one word.
    "  local IFS=$' \\t\\n' cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}",
    "  COMPREPLY=()",
    '  case "$prev" in',
    `    ${flagsWith("directory")}) IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")); return ;;`,
    `    ${flagsWith("file")}) IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
    `    ${flagsWith("text")}) return ;;`,
    ...actions,
    "  esac",
    '  case "$cur" in',
    `    -*) COMPREPLY=($(compgen -W "${ALL_FLAGS.flatMap(spellings).join(" ")}" -- "$cur")) ;;`,
    `    *) [ "$COMP_CWORD" -eq 1 ] && COMPREPLY=($(compgen -W "${COMMANDS.map(({ name }) => name).join(" ")}" -- "$cur")) ;;`,
    "  esac",
    "  return 0",
    "}",
    "complete -F _dsync dsync",
    "",
  ].join("\n");
}

function zshScript(): string {
  const commands = COMMANDS.map(({ name, help }) => `    ${quoted(`${name}:${help}`)}`);
  const actions = COMMANDS.filter(({ actions }) => actions !== undefined).map(
    ({ name, actions = [] }) => `      ${name}) [ "$CURRENT" -eq 2 ] && compadd -- ${actions.join(" ")} ;;`,
  );
  return [
    "#compdef dsync",
    '# Load it with: eval "$(dsync completion zsh)"',
    "_dsync() {",
    "  local context state state_descr line",
    "  typeset -A opt_args",
    "  local -a commands",
    "  commands=(",
    ...commands,
    "  )",
    "  _arguments -s \\",
    ...ALL_FLAGS.flatMap((flag) => spellings(flag).map((spelling) => `    ${quoted(zshSpec(flag, spelling))} \\`)),
    "    '1:command:->command' '*::argument:->argument'",
    '  case "$state" in',
    "    command) _describe command commands ;;",
    '    argument) case "$words[1]" in',
    ...actions,
    "    esac ;;",
    "  esac",
    "}",
    'if [ "$funcstack[1]" = "_dsync" ]; then _dsync "$@"; else compdef _dsync dsync; fi',
    "",
  ].join("\n");
}

function zshSpec(flag: (typeof ALL_FLAGS)[number], spelling: string): string {
  const others = flag.isRepeatable === true ? "*" : `(${spellings(flag).join(" ")})`;
  const value = {
    nothing: "",
    directory: ":directory:_files -/",
    file: ":file:_files",
    text: `:${flag.name}:`,
  }[valueOf(flag)];
  return `${others}${spelling}[${flag.help.replaceAll(/[[\]:]/g, String.raw`\$&`)}]${value}`;
}

function fishScript(): string {
  const flags = ALL_FLAGS.map((flag) => {
    const letter = flag.letter === undefined ? "" : ` -s ${flag.letter}`;
    const value = { nothing: "", directory: " -xa '(__fish_complete_directories)'", file: " -rF", text: " -x" }[
      valueOf(flag)
    ];
    return `complete -c dsync${letter} -l ${flag.name}${value} -d ${fishQuoted(flag.help)}`;
  });
  const commands = COMMANDS.map(
    ({ name, help }) => `complete -c dsync -n __fish_use_subcommand -a ${name} -d ${fishQuoted(help)}`,
  );
  const actions = COMMANDS.filter(({ actions }) => actions !== undefined).map(
    ({ name, actions = [] }) =>
      `complete -c dsync -n '__fish_seen_subcommand_from ${name}' -a ${fishQuoted(actions.join(" "))}`,
  );
  return [
    "# Load it with: dsync completion fish | source",
    "complete -c dsync -f",
    ...commands,
    ...actions,
    ...flags,
    "",
  ].join("\n");
}

/** One word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
