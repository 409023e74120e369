import { Argument, type Command } from 'commander';

import { EXIT } from './exit-codes';
import { addCommand, type CommandContext, type Plan } from './program';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

type Shell = (typeof SHELLS)[number];

/** A word that can follow others: a command, an option, or one of an argument's choices. */
interface Choice {
  readonly word: string;
  readonly meaning: string;
  /** True for an option that a value follows, for which the shell proposes files. */
  readonly hasValue: boolean;
}

/** The choices that can follow some words. */
interface Place {
  /** `run`, `locks list`; empty for the program itself. */
  readonly words: string;
  readonly choices: readonly Choice[];
}

/** Adds `holdfast completion`, which prints a shell's completion script made of the commands themselves. */
export function addCompletion(program: Command, context: CommandContext, plan: Plan): void {
  addCommand(program, 'completion', 'print the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      plan(async () => {
        context.stdout.write(SCRIPTS[shell](placesOf(program, '')));
        return EXIT.ok;
      });
    });
}

function placesOf(command: Command, words: string): readonly Place[] {
  const commands = command.commands.map((child) =>
    toChoice({ word: child.name(), meaning: child.description() }),
  );
  const allowed = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((word) => toChoice({ word, meaning: description || `argument of ${words}` })),
  );
  const options = command.options.map(({ long, description, required }) =>
    toChoice({ word: long ?? '', meaning: description, hasValue: required }),
  );
  const inside = command.commands.flatMap((child) =>
    placesOf(child, `${words} ${child.name()}`.trim()),
  );
  return [{ words, choices: [...commands, ...allowed, ...options] }, ...inside];
}

function toChoice(choice: Omit<Choice, 'hasValue'> & { readonly hasValue?: boolean }): Choice {
  return { hasValue: false, ...choice };
}

/** The options that a value follows, in any place. */
function valued(places: readonly Place[]): string {
  const options = places.flatMap(({ choices }) => choices.filter(({ hasValue }) => hasValue));
  return [...new Set(options.map(({ word }) => word))].join('|');
}

const SCRIPTS: Readonly<Record<Shell, (places: readonly Place[]) => string>> = {
  bash: (places) => `# holdfast completion bash >/etc/bash_completion.d/holdfast
_holdfast() {
  local current=\${COMP_WORDS[COMP_CWORD]} words="" word choices
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in --) return ;; -*) ;; *) words="\${words:+$words }$word" ;; esac
  done
  case \${COMP_WORDS[COMP_CWORD-1]} in ${valued(places)}) return ;; esac
  case $words in
${places
  .map(
    ({ words, choices }) =>
      `    ${toPattern(words)}) choices="${choices.map(({ word }) => word).join(' ')}" ;;`,
  )
  .reverse()
  .join('\n')}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
}
complete -o default -F _holdfast holdfast
`,
  zsh: (places) => `#compdef holdfast
# holdfast completion zsh >"\${fpath[1]}/_holdfast"
_holdfast() {
  local words_so_far="" word at=\${words[(i)--]}
  local -a choices
  if (( at < CURRENT )); then
    words=("\${(@)words[at + 1,-1]}")
    (( CURRENT -= at ))
    _normal
    return
  fi
  for word in \${words[2,CURRENT-1]}; do
    case $word in -*) ;; *) words_so_far="\${words_so_far:+$words_so_far }$word" ;; esac
  done
  case \${words[CURRENT-1]} in ${valued(places)}) _files; return ;; esac
  case $words_so_far in
${places
  .map(
    ({ words, choices }) => `    ${toPattern(words)}) choices=(${choices.map(toZsh).join(' ')}) ;;`,
  )
  .reverse()
  .join('\n')}
  esac
  _describe holdfast choices || _files
}
_holdfast "$@"
`,
  fish: (places) => `# holdfast completion fish >~/.config/fish/completions/holdfast.fish
function __holdfast_command_line
  set -l words (commandline -opc)
  set -l at (contains -i -- -- $words); or return
  string join ' ' -- (string escape -- $words | tail -n +(math $at + 1)) (commandline -ct)
end
complete -c holdfast -f
complete -c holdfast -n 'contains -- -- (commandline -opc)' -a '(complete -C (__holdfast_command_line))'
${places.flatMap(toFish).join('\n')}
`,
};

/** A place, and what is typed after it: a resource, a value of an option. */
function toPattern(words: string): string {
  return words === '' ? '*' : `"${words}"*`;
}

function toZsh({ word, meaning }: Place['choices'][number]): string {
  return `'${word}:${meaning.replaceAll("'", "'\\\\''").replaceAll(':', '\\:')}'`;
}

function toFish({ words, choices }: Place): readonly string[] {
  const seen = words.split(' ').filter((word) => word !== '');
  const here = seen.map((word) => `__fish_seen_subcommand_from ${word}`);
  // A command is proposed until there is one.
  const commands = choices.filter(({ word }) => !word.startsWith('--')).map(({ word }) => word);
  const none = `not __fish_seen_subcommand_from ${commands.join(' ')}`;
  return choices.map(({ word, meaning, hasValue }) => {
    const isOption = word.startsWith('--');
    const conditions = isOption ? here : [...here, none];
    const condition = seen.length === 0 ? '__fish_use_subcommand' : conditions.join('; and ');
    const what = isOption ? `-l ${word.slice(2)}${hasValue ? ' -r -F' : ''}` : `-a ${word}`;
    return `complete -c holdfast -n '${condition}' ${what} -d '${meaning.replaceAll("'", "\\'")}'`;
  });
}
