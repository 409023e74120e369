import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ROOT = path.join(__dirname, '../..');
const PROGRAM = ['scripts/run-typescript.js', 'test/support/keep-heap-small.ts'];

interface Told {
  /** The most that the heap had in it, in bytes. */
  readonly most: number;
  /** The type of the collector, to contexts that are made afterwards. */
  readonly gc: string;
}

async function run(...args: readonly string[]): Promise<Told> {
  const { stdout } = await execute(process.execPath, [...PROGRAM, ...args], { cwd: ROOT });
  return JSON.parse(stdout) as Told;
}

describe('a heap for a sidecar', () => {
  let plain: Told;
  let small: Told;
  beforeAll(async () => {
    [plain, small] = await Promise.all([run(), run('--small')]);
  });

  it("holds less garbage than V8's own", () => {
    expect(small.most).toBeLessThan(0.75 * plain.most);
  });

  it('does not show the collector to anybody', () => {
    expect(small.gc).toBe('undefined');
  });
});
