import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { testsOf } from '../deploy/tool-tests';
import { runCommand } from '../support/command-process';

const { findOnPath } = jest.requireActual<{
  findOnPath: (binary: string, env: NodeJS.ProcessEnv) => string | undefined;
}>('../../scripts/find-binary.js');

/** How long a shell may take to start and to complete; a stated allowance for a busy machine, in milliseconds. */
const WITHIN_MS = 15_000;

/** An interactive zsh that finds the script where compinit looks, presses Tab, and writes its line to a file. */
const ZSH = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= ; fpath=(\${(q)1} \\$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell "say() { print -r -- \\$BUFFER >\${(q)2}; exit }; zle -N say; bindkey '^X' say; bindkey '^I' complete-word"
zpty -w -n shell "$3"$'\\t\\x18'
while zpty -r shell line; do :; done
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function shell(name: string, args: readonly string[]): string {
  return execFileSync(name, args, { encoding: 'utf8', timeout: WITHIN_MS, stdio: 'pipe' });
}

const shells = (name: string) =>
  testsOf({
    path: findOnPath(name, process.env),
    isRequired: process.env.HOLDFAST_NEEDS_SHELLS !== undefined,
    missing: `no ${name} here, \`npm run test:shells\` installs it`,
  });

describe('in fish', () => {
  const { held, note } = shells('fish');

  held.each([
    ['holdfast ', ['check', 'completion', 'locks', 'run']],
    ['holdfast lo', ['locks']],
    ['holdfast locks force', ['force-release']],
    ['holdfast locks list ', []],
    ['holdfast locks list --pre', ['--prefix']],
    ['holdfast run --resource x --gra', ['--grace']],
    ['holdfast run --resource locks --sto', ['--store']],
    ['holdfast run --resource x -- whoam', ['whoami']],
    ['holdfast run --resource x -- ls --', []],
    ['holdfast completion ', ['bash', 'fish', 'zsh']],
    ['holdfast check --components /etc/hostnam', ['/etc/hostname']],
  ])(`%j is completed to %j${note}`, async (line, words) => {
    const script = path.join(folder, 'holdfast.fish');
    writeFileSync(script, (await runCommand(['completion', 'fish'])).stdout);
    const ask = `source ${script}; complete -C '${line}'`;
    const found = shell('fish', ['--no-config', '-c', ask]).split('\n').filter(Boolean);
    expect(found.map((each) => each.split('\t')[0]).sort()).toEqual(words);
  });
});

describe('in zsh', () => {
  const { held, note } = shells('zsh');

  held.each([
    ['holdfast lo', 'holdfast locks '],
    ['holdfast locks force', 'holdfast locks force-release '],
    ['holdfast locks list --pre', 'holdfast locks list --prefix '],
    ['holdfast run --resource x --gra', 'holdfast run --resource x --grace '],
    ['holdfast run --resource locks --sto', 'holdfast run --resource locks --store '],
    ['holdfast run --resource x -- whoam', 'holdfast run --resource x -- whoami '],
    ['holdfast run --resource x -- ls --gra', 'holdfast run --resource x -- ls --gra'],
    ['holdfast completion zs', 'holdfast completion zsh '],
    ['holdfast check --components /etc/hostnam', 'holdfast check --components /etc/hostname '],
  ])(`%j becomes %j${note}`, async (line, completed) => {
    const [driver, typed] = ['driver.zsh', 'typed'].map((name) => path.join(folder, name));
    writeFileSync(driver!, ZSH);
    writeFileSync(path.join(folder, '_holdfast'), (await runCommand(['completion', 'zsh'])).stdout);
    shell('zsh', ['-f', driver!, folder, typed!, line]);
    expect(readFileSync(typed!, 'utf8')).toBe(`${completed}\n`);
  });
});
