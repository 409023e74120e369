import { Argument, type Command } from 'commander';

import { EXIT } from './exit-codes';
import { addCommand, type CommandContext, type Plan } from './program';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

type Shell = (typeof SHELLS)[number];

/** The commands and options that can follow some words, with their meanings. */
interface Place {
  /** `run`, `locks list`; empty for the program itself. */
  readonly words: string;
  readonly choices: readonly { readonly word: string; readonly meaning: string }[];
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
  const commands = command.commands.map((child) => ({
    word: child.name(),
    meaning: child.description(),
  }));
  const options = command.options.map(({ long, description }) => ({
    word: long ?? '',
    meaning: description,
  }));
  const inside = command.commands.flatMap((child) =>
    placesOf(child, `${words} ${child.name()}`.trim()),
  );
  return [{ words, choices: [...commands, ...options] }, ...inside];
}

const SCRIPTS: Readonly<Record<Shell, (places: readonly Place[]) => string>> = {
  bash: (places) => `# holdfast completion bash >/etc/bash_completion.d/holdfast
_holdfast() {
  local current=\${COMP_WORDS[COMP_CWORD]} words="" word choices
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in --) return ;; -*) ;; *) words="\${words:+$words }$word" ;; esac
  done
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
  local words_so_far="" word
  local -a choices
  for word in \${words[2,CURRENT-1]}; do
    case $word in --) _normal; return ;; -*) ;; *) words_so_far="\${words_so_far:+$words_so_far }$word" ;; esac
  done
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
complete -c holdfast -f
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
  const condition =
    seen.length === 0
      ? '__fish_use_subcommand'
      : seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
  return choices.map(({ word, meaning }) => {
    const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
    return `complete -c holdfast -n '${condition}' ${what} -d '${meaning.replaceAll("'", "\\'")}'`;
  });
}
