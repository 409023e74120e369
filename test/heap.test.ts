import { execFileSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.join(__dirname, '..');

describe('a heap for a sidecar', () => {
  const run = ['--trace-gc', 'scripts/run-typescript.js', 'test/support/keep-heap-small.ts'];
  const output = execFileSync(process.execPath, run, { cwd: ROOT, encoding: 'utf8' });

  it('is collected as a whole once the start is over, from when on it grows by little', () => {
    expect(output.slice(output.indexOf('asked for'))).toContain('Mark-Compact');
  });

  it('does not show the collector to anybody', () => {
    expect(output).toContain('gc is undefined to everybody');
  });
});
