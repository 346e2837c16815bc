import { Argument, type Command, type Option } from 'commander';
import { print, type Terminal } from '../terminal.js';

const SHELLS = ['bash', 'zsh'] as const;

export function addCompletion(program: Command, terminal: Terminal): void {
  program
    .command('completion')
    .description('print a script that completes commands and flags: eval "$(hypetune completion bash)"')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      print(terminal, shell === 'zsh' ? zshScript(program) : bashScript(program));
    });
}

/** A completion for bash, made from the commands that the program has. */
export function bashScript(program: Command): string {
  const commands = program.commands.flatMap((command) => [
    { path: command.name(), command },
    ...command.commands.map((inner) => ({ path: `${command.name()} ${inner.name()}`, command: inner })),
  ]);
  const choices = new Map<string, string>();
  for (const { path, command } of commands)
    for (const { long, argChoices } of command.options)
      if (long && argChoices) choices.set(`"${path}"*" ${long}"`, argChoices.join(' '));
  return `_hypetune() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  local command="\${COMP_WORDS[1]}"
  [[ "$COMP_CWORD" -gt 2 && "\${COMP_WORDS[2]}" =~ ^[a-z] ]] && command="$command \${COMP_WORDS[2]}"
  case "$command $before" in
${[...choices].map(([place, values]) => `    ${place}) COMPREPLY=($(compgen -W "${values}" -- "$word")); return ;;`).join('\n')}
  esac
  if [[ "$COMP_CWORD" -eq 1 ]]; then words="${program.commands.map((command) => command.name()).join(' ')}"
  else case "$command" in
${commands
  .map(
    ({ path, command }) =>
      `    "${path}"${command.commands.length > 0 ? '' : '*'}) words="${wordsOf(command)}" ;;`,
  )
  .reverse()
  .join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _hypetune hypetune`;
}

function zshScript(program: Command): string {
  return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(program)}`;
}

function wordsOf({ commands, options }: Command): string {
  const flags = options.filter(({ hidden }: Option) => !hidden).flatMap(({ long }) => long ?? []);
  return [...commands.map((command) => command.name()), ...flags].join(' ');
}
