import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';

import { EXIT } from '../../src/commands/exit-codes';
import { type CommandContext, createProgram } from '../../src/commands/program';
import { runCommand } from '../support/command-process';
import { createFolder, writeComponent } from '../support/component-files';
import { startRedisServer } from '../support/redis-server';

const ROOT = path.join(__dirname, '../..');

function read(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8');
}

/** The first cells of the tables of a page. */
function firstCells(page: string): readonly string[] {
  return [...read(page).matchAll(/^\| ([^|]+?) +\|/gm)].map(([, cell = '']) => cell);
}

describe('docs/command-line.md', () => {
  it('has every exit code, and no other', () => {
    const codes = firstCells('docs/command-line.md').filter((cell) => /^\d+$/.test(cell));
    expect(codes.map(Number)).toEqual(Object.values(EXIT).sort((a, b) => a - b));
  });

  it('has every command', () => {
    const { env, stdout, stderr } = process;
    // That of the process would be open from then on.
    const stdin = new PassThrough() as unknown as CommandContext['stdin'];
    const context = { env, stdin, stdout, stderr, say: () => undefined };
    const program = createProgram(context, () => undefined);
    const locks = program.commands.find((command) => command.name() === 'locks');
    const names = [...program.commands, ...(locks?.commands ?? [])].map((command) =>
      command.name(),
    );
    const cells = firstCells('docs/command-line.md').map(
      (cell) => /^\[?`([a-z-]+)/.exec(cell)?.[1],
    );
    expect(cells.filter((cell) => cell !== undefined).sort()).toEqual(names.sort());
  });
});

it("runs the job of README's line of a crontab, on nothing but Node and Redis", async () => {
  const [, line = ''] = /^0 2 \* \* \* holdfast (run .*)$/m.exec(read('README.md')) ?? [];
  const redis = await startRedisServer();
  try {
    const metadata = { redisHost: `127.0.0.1:${redis.port}` };
    const folder = await writeComponent({ type: 'lock.redis', metadata });
    const bin = path.join(await createFolder(), 'bin');
    mkdirSync(bin);
    const job = path.join(bin, 'backup.sh');
    writeFileSync(job, '#!/bin/sh\necho "under $HOLDFAST_RESOURCE"\n', { mode: 0o755 });
    const words = line.replace('/opt/locks', folder).replace('/usr/local/bin/backup.sh', job);
    const end = await runCommand(words.split(' '));
    expect(end).toEqual({ code: 0, stdout: 'under nightly\n', stderr: '' });
  } finally {
    await redis.stop();
  }
});

it("frees a lock by the runbook's line of redis-cli, of the named owner only", async () => {
  const [, script = ''] = /^redis-cli eval "([^"]+)" 1 /m.exec(read('docs/operations.md')) ?? [];
  const redis = await startRedisServer();
  try {
    await redis.inspect(async (client) => {
      const keys = ['lock||myapp||nightly'];
      await client.set(keys[0] ?? '', 'the-owner');
      expect(await client.eval(script, { keys, arguments: ['another'] })).toBe(0);
      expect(await client.eval(script, { keys, arguments: ['the-owner'] })).toBe(1);
    });
  } finally {
    await redis.stop();
  }
});
