import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { collectAfterGrowth } from '../../src/runtime/heap';

const execute = promisify(execFile);
const ROOT = path.join(__dirname, '../..');
const PROGRAM = ['scripts/run-typescript.js', 'test/support/keep-heap-small.ts'];

interface HeapUse {
  /** The most that the heap had in it, in bytes. */
  readonly most: number;
  /** The type of the collector, to contexts that are made afterwards. */
  readonly gc: string;
  /** The size of the space of young objects, in bytes. */
  readonly youngBytes: number;
}

async function run(...args: readonly string[]): Promise<HeapUse> {
  const { stdout } = await execute(process.execPath, [...PROGRAM, ...args], { cwd: ROOT });
  return JSON.parse(stdout) as HeapUse;
}

describe('a heap for a sidecar', () => {
  let plain: HeapUse;
  let small: HeapUse;
  beforeAll(async () => {
    [plain, small] = await Promise.all([run(), run('--small')]);
  });

  it("holds less garbage than V8's own", () => {
    expect(small.most).toBeLessThan(0.9 * plain.most);
  });

  it('keeps the space of young objects where calls leave little', () => {
    expect(small.youngBytes).toBeLessThanOrEqual(8 * 2 ** 20);
    expect(small.youngBytes).toBeLessThan(0.6 * plain.youngBytes);
  });

  it('does not show the collector to anybody', () => {
    expect(small.gc).toBe('undefined');
  });
});

describe('buffers', () => {
  const MB = 2 ** 20;
  /** How often is collected at each look, where so many bytes were there and so many are in use. */
  function collections(looks: readonly (readonly [there: number, inUse: number])[]): number[] {
    let [bytes, kept, count] = [0, 0, 0];
    const look = collectAfterGrowth(
      () => {
        count += 1;
        bytes = kept;
      },
      () => bytes,
    );
    return looks.map(([there, inUse]) => {
      [bytes, kept] = [there * MB, inUse * MB];
      look();
      return count;
    });
  }

  it.each([
    [
      'few',
      [
        [10, 0],
        [16, 0],
      ],
      [0, 0],
    ],
    [
      'garbage, each time',
      [
        [17, 0],
        [17, 0],
      ],
      [1, 2],
    ],
    [
      'what is in use, once',
      [
        [40, 40],
        [40, 40],
        [56, 40],
      ],
      [1, 1, 1],
    ],
    [
      'growth over what is in use',
      [
        [40, 40],
        [57, 40],
        [57, 57],
      ],
      [1, 2, 3],
    ],
    [
      'growth over the least since then',
      [
        [40, 40],
        [10, 10],
        [27, 10],
      ],
      [1, 1, 2],
    ],
  ] as const)('are collected: %s', (_name, looks, expected) => {
    expect(collections(looks)).toEqual(expected);
  });
});
