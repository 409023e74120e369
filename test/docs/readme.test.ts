import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { FLAGS } from '../../src/command-line/flags';
import { withoutDapr } from '../support/plain-environment';
import { SidecarProcess } from '../support/sidecar-process';

const ROOT = path.join(__dirname, '../..');
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

/** The blocks of code in one language, as somebody would copy them. */
function readBlocks(language: string): readonly string[] {
  const blocks = README.matchAll(new RegExp('^```' + language + '\\n([^]*?)^```', 'gm'));
  return [...blocks].map(([, code = '']) => code);
}

/** Sends what a line of curl would, to a sidecar on another port. */
async function sendCurl(line: string, port: number): Promise<string> {
  const [, route = ''] = /http:\/\/localhost:3500(\S+)/.exec(line) ?? [];
  const [, body = ''] = /-d '([^']+)'/.exec(line) ?? [];
  const response = await fetch(`http://127.0.0.1:${port}${route}`, { method: 'POST', body });
  return response.text();
}

/** Runs a program that is pasted into a file of this folder. */
function runPasted(code: string, port: number): Promise<{ code: number | null; output: string }> {
  const env = { ...withoutDapr(process.env), DAPR_HTTP_PORT: String(port) };
  const child = spawn(process.execPath, ['-'], { cwd: ROOT, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      output += part.toString();
    });
  }
  child.stdin.end(code);
  return new Promise((resolve) => {
    child.once('close', (exitCode) => {
      resolve({ code: exitCode, output });
    });
  });
}

describe('README.md', () => {
  let sidecar: SidecarProcess;

  beforeEach(async () => {
    sidecar = await SidecarProcess.start({ args: ['--resources-path', 'components'] });
  });
  afterEach(() => sidecar.stop());

  const curlLines = () => readBlocks('sh').filter((block) => block.startsWith('curl '));

  it('takes and releases a lock by its lines of curl, with the answers that it shows', async () => {
    const [lock = '', unlock = '', ...others] = curlLines();
    expect(others).toEqual([]);
    await expect(sendCurl(lock, sidecar.httpPort)).resolves.toBe('{"success":true}');
    await expect(sendCurl(lock, sidecar.httpPort)).resolves.toBe('{"success":false}');
    await expect(sendCurl(unlock, sidecar.httpPort)).resolves.toBe('{"status":0}');
  });

  it('has JavaScript that works as it is pasted, and says when somebody else has the lock', async () => {
    const [code = '', ...others] = readBlocks('js');
    expect(others).toEqual([]);
    const free = await runPasted(code, sidecar.httpPort);
    expect(free.output).toContain('Here goes the work that only one may do.');
    expect(free.output).not.toContain('The lease was over');
    expect(free.code).toBe(0);

    const [lock = ''] = curlLines();
    await expect(sendCurl(lock, sidecar.httpPort)).resolves.toBe('{"success":true}');
    const held = await runPasted(code, sidecar.httpPort);
    expect(held.output).toContain('Somebody else has the lock.');
    expect(held.output).not.toContain('Here goes the work');
    expect(held.code).toBe(0);
  });

  it('changes the ports by flags that there are', () => {
    const [line = ''] = readBlocks('sh').filter((block) => block.startsWith('npm start -- '));
    const flags = [...line.matchAll(/--([a-z-]+) \d+/g)].map(([, name]) => name);
    expect(flags).toEqual(['dapr-http-port', 'dapr-grpc-port', 'metrics-port']);
    for (const flag of flags) expect(Object.keys(FLAGS)).toContain(flag);
  });
});
