import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { FLAGS } from '../../src/command-line/flags';
import { eventually } from '../support/eventually';
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

/** Programs that a failed test has not ended. */
const started = new Set<ChildProcess>();

/** Starts a program that is pasted into a file of this folder. */
function startPasted(code: string, port: number) {
  const env = { ...withoutDapr(process.env), DAPR_HTTP_PORT: String(port) };
  const child = spawn(process.execPath, ['-'], { cwd: ROOT, env });
  started.add(child);
  const running = { child, output: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      running.output += part.toString();
    });
  }
  child.stdin.end(code);
  return running;
}

/** Runs it to its end. */
async function runPasted(code: string, port: number) {
  const running = startPasted(code, port);
  const exitCode = await new Promise<number | null>((resolve) => {
    running.child.once('close', resolve);
  });
  return { code: exitCode, output: running.output };
}

describe('README.md', () => {
  let sidecar: SidecarProcess;

  beforeEach(async () => {
    sidecar = await SidecarProcess.start({ args: ['--resources-path', 'components'] });
  });
  afterEach(async () => {
    for (const child of started) child.kill('SIGKILL');
    started.clear();
    await sidecar.stop();
  });

  const curlLines = () => readBlocks('sh').filter((block) => block.startsWith('curl '));

  it('takes and releases a lock by its lines of curl, with the answers that it shows', async () => {
    const [lock = '', unlock = '', ...others] = curlLines();
    expect(others).toEqual([]);
    await expect(sendCurl(lock, sidecar.httpPort)).resolves.toBe('{"success":true}');
    await expect(sendCurl(lock, sidecar.httpPort)).resolves.toBe('{"success":false}');
    await expect(sendCurl(unlock, sidecar.httpPort)).resolves.toBe('{"status":0}');
  });

  /** The program that takes a lock, and the one that holds one. */
  const jsPrograms = () => {
    const programs = readBlocks('js');
    expect(programs).toHaveLength(2);
    return programs;
  };

  it('has JavaScript that works as it is pasted, and says when somebody else has the lock', async () => {
    const [code = ''] = jsPrograms();
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

  it('has JavaScript that holds a lock until it ends', async () => {
    const [, code = ''] = jsPrograms();
    const url = `http://127.0.0.1:${sidecar.httpPort}/holdfast/v1/locks/lockstore/lock?resourceId=report`;
    const running = startPasted(code, sidecar.httpPort);
    await eventually(() => {
      expect(running.output).toMatch(/Here begins the work, with token \d+/);
    });
    await expect(fetch(url)).resolves.toMatchObject({ status: 200 });
    running.child.kill('SIGKILL');
    await eventually(async () => {
      await expect(fetch(url)).resolves.toMatchObject({ status: 404 });
    });
  });

  it('changes the ports by flags that there are', () => {
    const [line = ''] = readBlocks('sh').filter((block) => block.startsWith('npm start -- '));
    const flags = [...line.matchAll(/--([a-z-]+) \d+/g)].map(([, name]) => name);
    expect(flags).toEqual(['dapr-http-port', 'dapr-grpc-port', 'metrics-port']);
    for (const flag of flags) expect(Object.keys(FLAGS)).toContain(flag);
  });
});
