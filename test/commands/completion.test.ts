import { execFileSync } from 'node:child_process';
import { PassThrough } from 'node:stream';

import type { Command } from 'commander';

import { type CommandContext, createProgram } from '../../src/commands/program';
import { runCommand } from '../support/command-process';

interface Launcher {
  readonly COMMANDS: readonly string[];
}

/** The commands, where the standard input of the process is not opened. */
function createTree(): Command {
  const { env, stdout, stderr } = process;
  const stdin = new PassThrough() as unknown as CommandContext['stdin'];
  return createProgram({ env, stdin, stdout, stderr, say: () => undefined }, () => undefined);
}

it('has the commands that the launcher knows', () => {
  const { COMMANDS } = jest.requireActual<Launcher>('../../scripts/launcher.js');
  const names = createTree().commands.map((command) => command.name());
  expect([...COMMANDS].sort()).toEqual([...names, 'help'].sort());
});

it('has a help of at most 80 columns for each command, where it is no terminal', () => {
  const helpsOf = (command: Command): readonly string[] => {
    const lines: string[] = [];
    command.configureOutput({ writeOut: (text) => lines.push(text), getOutHelpWidth: () => 80 });
    command.outputHelp();
    return [...lines, ...command.commands.flatMap(helpsOf)];
  };
  const lines = helpsOf(createTree()).join('').split('\n');
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

describe('in bash', () => {
  let script: string;

  beforeAll(async () => {
    script = (await runCommand(['completion', 'bash'])).stdout;
  });

  it.each([
    [
      ['holdfast', ''],
      ['run', 'locks', 'check', 'completion'],
    ],
    [['holdfast', 'lo'], ['locks']],
    [['holdfast', 'locks', 'force'], ['force-release']],
    [['holdfast', 'locks', 'list', '--pre'], ['--prefix']],
    [['holdfast', 'run', '--resource', 'x', '--gra'], ['--grace']],
    [['holdfast', 'completion', 'f'], ['fish']],
    // The shell itself proposes files for values, and what comes after `--`.
    [['holdfast', 'check', '--components', ''], []],
    [['holdfast', 'run', '--resource', 'x', '--', 'ls', '--'], []],
  ])('%j is completed to %j', (words, completions) => {
    const setUp = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`;
    const line = `${script}\n${setUp}; _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync('bash', ['-c', line], { encoding: 'utf8' });
    const found = output.split('\n').filter((word) => word !== '');
    expect(found).toEqual(expect.arrayContaining(completions));
    if (completions.length < 2) expect(found).toEqual(completions);
  });
});

it.each([
  ['zsh', /^#compdef holdfast\n/, /"locks force-release"\*\) choices=\('--store:name of the lock/],
  [
    'fish',
    /^# holdfast completion fish/,
    /complete -c holdfast -n '__fish_seen_subcommand_from locks; and not [^']*' -a force-release -d/,
  ],
])('prints the script of %s', async (shell, head, part) => {
  const { code, stdout } = await runCommand(['completion', shell]);
  expect(code).toBe(0);
  expect(stdout).toMatch(head);
  expect(stdout).toMatch(part);
});

it('refuses other shells', async () => {
  const end = await runCommand(['completion', 'tcsh']);
  expect(end.code).toBe(64);
  expect(end.stderr).toContain('Allowed choices are bash, zsh, fish');
});
