import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = path.join(__dirname, '../..');

describe('npm run example', () => {
  it('shows two workers that wait for each other, and a file that each wrote alone', async () => {
    const { stdout } = await run(process.execPath, ['examples/two-workers.js'], { cwd: ROOT });
    expect(stdout).toMatch(/worker-1: my_file_name is held.*; waiting/);
    expect(stdout).toMatch(/worker-2: my_file_name is held.*; waiting/);
    expect(stdout.match(/released it \(status 0\)/g)).toHaveLength(6);
    expect(stdout).toContain('18 lines in 6 turns:');
    expect(stdout).toContain('No turn was broken into by the other.');
  });
});
