/**
 * Shell scripts that complete command names and options, made from the declarations. They
 * are complete in themselves: pressing Tab starts no dv. Everything else completes as files.
 */
import type { CommandFacts } from './command-facts.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const GLOBAL_WORDS = ['--json', '--quiet', '--color', '--no-color', '--help'];
const LEADING_WORDS = ['-C', '--version', ...GLOBAL_WORDS];

export function renderCompletion(shell: Shell, commands: readonly CommandFacts[]): string {
  if (shell === 'bash') return renderBash(commands);
  return shell === 'zsh' ? renderZsh(commands) : renderFish(commands);
}

/** What may follow each word or pair of words: sub-commands, then options. */
function wordsByCommand(commands: readonly CommandFacts[]): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const { name, options } of commands) {
    const flags = options.flatMap(({ short, long }) => [long ?? short ?? '']);
    words.set(name, [...flags, ...GLOBAL_WORDS]);
    const [family, sub] = name.split(' ');
    if (sub !== undefined) words.set(family, [...(words.get(family) ?? []), sub]);
  }
  return words;
}

function firstWords(commands: readonly CommandFacts[]): string[] {
  return [...new Set(commands.map(({ name }) => name.split(' ')[0]))];
}

function renderBash(commands: readonly CommandFacts[]): string {
  const names = firstWords(commands).join(' ');
  const cases = [...wordsByCommand(commands)].map(
    ([name, words]) => `    '${name}') words='${words.join(' ')}' ;;`,
  );
  return `# dv completion for bash: source <(dv completion bash)
_dv() {
  local word=\${COMP_WORDS[COMP_CWORD]} at=1 name= words=
  while [ "$at" -lt "$COMP_CWORD" ]; do
    case \${COMP_WORDS[at]} in
      -C) at=$((at + 2)) ;;
      -*) at=$((at + 1)) ;;
      *) break ;;
    esac
  done
  if [ "$at" -ge "$COMP_CWORD" ]; then
    words='${names} ${LEADING_WORDS.join(' ')}'
  else
    name=\${COMP_WORDS[at]}
    if [ "$((at + 1))" -lt "$COMP_CWORD" ]; then
      case "$name \${COMP_WORDS[at + 1]}" in
        ${pairPattern(commands)}) name="$name \${COMP_WORDS[at + 1]}" ;;
      esac
    fi
    case $name in
    help) words='${names}' ;;
${cases.filter((line) => !line.includes("'help'")).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [ "\${#COMPREPLY[@]}" -eq 0 ]; then COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _dv dv
`;
}

/** Shell pattern of the commands of two words; one that matches nothing where there are none. */
function pairPattern(commands: readonly CommandFacts[]): string {
  const pairs = commands.filter(({ name }) => name.includes(' ')).map(({ name }) => `'${name}'`);
  return pairs.length === 0 ? "''" : pairs.join(' | ');
}

function renderZsh(commands: readonly CommandFacts[]): string {
  return `# dv completion for zsh, by way of its support for bash: source <(dv completion zsh)
autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
${renderBash(commands).replace(/^.*\n/, '')}`;
}

function renderFish(commands: readonly CommandFacts[]): string {
  const lines = ['# dv completion for fish: dv completion fish | source'];
  const first = (extra: string) => `complete -c dv -n __fish_use_subcommand ${extra}`;
  const described = (text: string) => `-d '${text.replace(/['\\]/g, '\\$&')}'`;
  for (const { name, summary, options } of commands) {
    const [word, sub] = name.split(' ');
    let seen = `__fish_seen_subcommand_from ${word}`;
    if (sub === undefined) lines.push(first(`-f -a ${word} ${described(summary)}`));
    else {
      lines.push(`complete -c dv -n '${seen}' -f -a ${sub} ${described(summary)}`);
      seen += `; and __fish_seen_subcommand_from ${sub}`;
    }
    for (const option of options) {
      const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
      const long = option.long === undefined ? '' : ` -l ${option.long.slice(2)}`;
      const value = option.takesValue ? ' -r' : '';
      lines.push(
        `complete -c dv -n '${seen}'${short}${long}${value} ${described(option.description)}`,
      );
    }
  }
  lines.push(
    first("-s C -r -d 'run in that directory'"),
    "complete -c dv -l json -d 'write JSON for programs'",
    "complete -c dv -s q -l quiet -d 'write results and errors only'",
    "complete -c dv -l color -x -a 'always never auto' -d 'when to colour'",
    "complete -c dv -l no-color -d 'no colour'",
    "complete -c dv -s h -l help -d 'show help'",
  );
  return `${lines.join('\n')}\n`;
}
