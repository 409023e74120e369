import { execFileSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');
const PROGRAM = ['scripts/run-typescript.js', 'test/support/keep-heap-small.ts'];

interface Told {
  /** The most that the heap had in it, in bytes. */
  readonly most: number;
  /** The type of the collector, to contexts that are made afterwards. */
  readonly gc: string;
}

function run(...args: readonly string[]): Told {
  const options = { cwd: ROOT, encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(process.execPath, [...PROGRAM, ...args], options)) as Told;
}

describe('a heap for a sidecar', () => {
  let plain: Told;
  let small: Told;
  beforeAll(() => {
    plain = run();
    small = run('--small');
  });

  it("holds less garbage than V8's own", () => {
    expect(small.most).toBeLessThan(0.6 * plain.most);
  });

  it('does not show the collector to anybody', () => {
    expect(small.gc).toBe('undefined');
  });
});
