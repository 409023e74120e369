import { execFileSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createFolder } from '../support/component-files';

const SCRIPT = path.join(__dirname, '../../scripts/daprd');

describe('the command of the image', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await createFolder();
    const node = path.join(folder, 'node');
    await writeFile(node, '#!/bin/sh\nshift\nprintf "%s\\n" "$@"\n');
    await chmod(node, 0o755);
  });

  /** The arguments that the sidecar gets. */
  const argumentsFor = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const PATH = `${folder}:${process.env.PATH!}`;
    const options = { env: { PATH, ...env }, encoding: 'utf8' } as const;
    return execFileSync(SCRIPT, args, options).trim().split('\n').join(' ');
  };
  const NAMED = { HOLDFAST_RESOURCES_PATH: '/mine' };

  it.each([
    [['--app-id', 'a'], {}, '--resources-path /components --app-id a'],
    [['--app-id', 'a'], NAMED, '--resources-path /mine --app-id a'],
    [['--resources-path', '/x'], NAMED, '--resources-path /x'],
    [['--components-path=/x'], {}, '--components-path=/x'],
    [['--mode', 'kubernetes'], {}, '--mode kubernetes'],
    [['--mode=kubernetes'], {}, '--mode=kubernetes'],
    [['-mode', 'kubernetes'], NAMED, '--resources-path /mine -mode kubernetes'],
    [['--mode', 'standalone'], {}, '--resources-path /components --mode standalone'],
  ])('hands %j with %j on as %s', (args, env, expected) => {
    expect(argumentsFor(args, env)).toBe(expected);
  });
});
