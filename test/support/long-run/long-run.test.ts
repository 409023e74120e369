import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';

import { LONG_SCRIPTS } from './load-scripts';
import { LINE_EVERY_MS, ProgressLine, toProgressText } from './progress-line';

const ROOT = path.join(__dirname, '../../..');

function runProgram(program: string, ...args: readonly string[]) {
  const argv = ['scripts/run-typescript.js', program, ...args];
  return spawnSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' });
}

describe('the long scripts', () => {
  const npm = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const help = runProgram('test/support/long-run/load-scripts.ts', '--help');

  it.each(Object.entries(LONG_SCRIPTS))('%s says how it is used', (name, program) => {
    const [, text = ''] = help.stdout.split(`Usage: npm run ${name} -- [options]\n`);
    const own = text.slice(0, text.indexOf('\nUsage:') >>> 0);
    expect(own).toMatch(/--quiet .*\n/);
    expect(own.replaceAll(/\s+/g, ' ')).toContain(`(default: "reports/${name.replace(':', '-')}")`);
    expect(own).toContain(`Example:\n  npm run ${name} -- `);
    expect(npm.scripts[name]).toMatch(new RegExp(` ${program}$`));
  });

  it('are all here that npm runs by a program of test/ or bench/', () => {
    const programs = Object.values(npm.scripts).flatMap(
      (line) => /(?:test|bench)\/\S+\.ts$/.exec(line) ?? [],
    );
    const others = [
      'bench/charts/main.ts',
      'test/docs/write-snippets.ts',
      'test/upstream/serve.ts',
    ];
    expect(programs.filter((each) => !others.includes(each)).sort()).toEqual(
      Object.values(LONG_SCRIPTS).sort(),
    );
  });

  it.each([
    [['--opz', '3'], "error: unknown option '--opz'\n(Did you mean --ops?)\n"],
    [
      ['--ops', 'many'],
      "error: option '--ops <number>' argument 'many' is invalid. A whole number of at least 1 is allowed.\n",
    ],
    [['more'], 'error: too many arguments. Expected 0 arguments but got 1.\n'],
  ])('refuse %j in a sentence', (args, sentence) => {
    const { status, stdout, stderr } = runProgram('test/faults/main.ts', ...args);
    expect({ status, stdout, stderr }).toEqual({ status: 64, stdout: '', stderr: sentence });
  });
});

describe('progress', () => {
  function open(stream: { isTTY?: boolean; isQuiet?: boolean } = {}) {
    const { isQuiet = false, ...more } = stream;
    const written = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns: 100, ...more });
    const line = new ProgressLine({ stream: written, env: {}, isQuiet });
    return { line, read: () => (written.read() ?? '') as string };
  }

  afterEach(() => jest.useRealTimers());

  it('is a plain line every 30 s where there is no terminal', () => {
    jest.useFakeTimers();
    const { line, read } = open();
    line.begin({ total: 1000, unit: 'operations' });
    line.advance(300, 'Redis is paused');
    jest.advanceTimersByTime(LINE_EVERY_MS - 1);
    expect(read()).toBe('');
    jest.advanceTimersByTime(1);
    expect(read()).toBe('300 of 1,000 operations, 10 a second, 1 min 10 s left: Redis is paused\n');
    line.end();
    jest.advanceTimersByTime(2 * LINE_EVERY_MS);
    expect(read()).toBe('');
  });

  it('is one line that is drawn again on a terminal, and gone in the end', () => {
    jest.useFakeTimers();
    const { line, read } = open({ isTTY: true });
    line.begin({ total: 4, unit: 'rounds' });
    line.advance(1);
    jest.advanceTimersByTime(2000);
    const drawn = read();
    expect(drawn).toContain('[======------------------] 1 of 4 rounds, 2 s each, 6 s left');
    expect(drawn).not.toContain('\n');
    line.aside(() => undefined);
    expect(read()).toBe('\u001b[1G\u001b[2K');
    line.end();
    expect(read().endsWith('\u001b[0J')).toBe(true);
  });

  it.each([{ isTTY: true }, { isTTY: false }])('is nothing if it shall be quiet: %j', (stream) => {
    jest.useFakeTimers();
    const { line, read } = open({ ...stream, isQuiet: true });
    line.begin({ total: 4, unit: 'rounds' });
    line.advance(1);
    jest.advanceTimersByTime(2 * LINE_EVERY_MS);
    line.end();
    expect(read()).toBe('');
  });

  const state = { done: 0, total: 10, unit: 'parts', note: '', elapsedMs: 0, longestMs: Infinity };
  it.each([
    [state, '0 of 10 parts'],
    [{ ...state, elapsedMs: 5000 }, '0 of 10 parts'],
    [{ ...state, done: 10, elapsedMs: 5000 }, '10 of 10 parts, 2 a second, 0 s left'],
    [{ ...state, done: 1, elapsedMs: 3_600_000 }, '1 of 10 parts, 1 h 0 min each, 9 h 0 min left'],
    [{ ...state, elapsedMs: 20_000, longestMs: 120_000 }, '0 of 10 parts, 1 min 40 s left'],
    [
      { ...state, done: 1, elapsedMs: 60_000, longestMs: 90_000 },
      '1 of 10 parts, 1 min 0 s each, 30 s left',
    ],
  ])('says of %j: %s', (of, text) => {
    expect(toProgressText(of)).toBe(text);
  });
});
