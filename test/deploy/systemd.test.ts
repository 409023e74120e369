import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { FLAGS } from '../../src/command-line/flags';
import { canLimitFamilies, limitFamilies } from '../support/address-families';
import { createFolder, writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { callHttp } from '../support/http-call';
import { testsOf } from './tool-tests';

const { findOnPath } = jest.requireActual<{
  readonly findOnPath: (binary: string, env: NodeJS.ProcessEnv) => string | undefined;
}>('../../scripts/find-binary.js');

const ROOT = path.join(__dirname, '../..');
const UNITS = path.join(ROOT, 'deploy/systemd');
const PAGE = readFileSync(path.join(ROOT, 'docs/systemd.md'), 'utf8');

const analyze = findOnPath('systemd-analyze', process.env);
const { held, note } = testsOf({
  path: analyze,
  isRequired: process.env.HOLDFAST_NEEDS_SYSTEMD !== undefined,
  missing: 'no systemd here, `npm run test:units` installs it',
});

/** A setting of a unit, as systemd reads it: continued lines joined, and `$$` for a dollar. */
function readSetting(unit: string, name: string): string {
  const [value] = readSettings(unit, name);
  if (value === undefined) throw new Error(`${unit} has no ${name}`);
  return value;
}

/** All values of a setting that may be given more than once. */
function readSettings(unit: string, name: string): readonly string[] {
  const text = readFileSync(path.join(UNITS, unit), 'utf8').replaceAll(/\\\n\s*/g, '');
  return [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) =>
    value.replaceAll('$$', '$'),
  );
}

/** A folder with `holdfast` as `npm install --global` makes it, for a PATH. */
async function installed(): Promise<string> {
  const bin = await createFolder();
  symlinkSync(path.join(ROOT, 'dist/main.js'), path.join(bin, 'holdfast'));
  return [bin, path.dirname(process.execPath), '/usr/bin', '/bin'].join(path.delimiter);
}

describe('the units, by systemd-analyze', () => {
  const run = (...args: readonly string[]): string => {
    if (analyze === undefined) throw new Error('systemd-analyze is missing: npm run test:units');
    return execFileSync(analyze, args, { encoding: 'utf8', stdio: 'pipe' });
  };

  held(`are valid, all settings known${note}`, async () => {
    const folder = path.join(await createFolder(), 'units');
    cpSync(UNITS, folder, { recursive: true });
    const units = readdirSync(folder).filter((name) => /\.(?:service|timer)$/.test(name));
    // The program has to be there; here it is this checkout's.
    for (const name of units) {
      const file = path.join(folder, name);
      const text = readFileSync(file, 'utf8');
      const program = `$1${path.join(ROOT, 'dist/main.js')}`;
      writeFileSync(file, text.replaceAll(/^(Exec\w+=)holdfast\b/gm, program));
    }
    expect(units).toHaveLength(3);
    // It writes only what is wrong.
    expect(run('verify', ...units.map((name) => path.join(folder, name)))).toBe('');
  });

  held(`leave the sidecar as little as the page says${note}`, () => {
    const report = run('security', '--offline=yes', path.join(UNITS, 'holdfast.service'));
    const [, level] = /exposure level for holdfast\.service: (\S+)/.exec(report) ?? [];
    const [, told] = /gives the unit \*\*([\d.]+)\*\*/.exec(PAGE) ?? [];
    // Another systemd may weigh the same settings a little differently.
    expect(Math.abs(Number(level) - Number(told))).toBeLessThan(0.5);
  });
});

/** The command that a unit of the sidecar starts, with a port and a folder of its own. */
async function unitAt(port: string) {
  const ports = ['--dapr-http-port', port, '--dapr-grpc-port', String(await findFreePort())];
  const components = await writeComponent({ type: 'lock.in-memory' });
  const [, script = ''] =
    /^\/bin\/sh -c '(.*)'$/s.exec(readSetting('holdfast.service', 'ExecStart')) ?? [];
  return `${script.replace('/etc/holdfast/components', components)} --enable-metrics=false ${ports.join(' ')}`;
}

/** The commands that decide whether the sidecar counts as started, with a port of its own. */
function postStepsAt(port: string): readonly [wait: string, check: string] {
  const [wait = '', check = ''] = readSettings('holdfast.service', 'ExecStartPost');
  return [`${wait} --dapr-http-port ${port}`, check.replace('3500', port)];
}

// It takes python3 and a kernel that lets a process filter its own calls.
const limited = canLimitFamilies() ? it : it.skip;

describe('the unit of the sidecar', () => {
  limited.each([
    ['those of the unit', readSetting('holdfast.service', 'RestrictAddressFamilies').split(' ')],
    ['network and unix sockets', ['AF_INET', 'AF_INET6', 'AF_UNIX']],
  ])('starts it where it can open only sockets of %s', async (_which, families) => {
    const port = String(await findFreePort());
    const credentials = await createFolder();
    writeFileSync(path.join(credentials, 'api-token'), 'a-token\n');
    const env = { PATH: await installed(), CREDENTIALS_DIRECTORY: credentials };
    const [python, ...words] = limitFamilies(families);
    const sidecar = spawn(python, [...words, '/bin/sh', '-c', await unitAt(port)], {
      env: { ...env, PATH: `${env.PATH}:${process.env.PATH}` },
      stdio: 'ignore',
    });
    try {
      await eventually(async () => {
        const health = callHttp(Number(port), { method: 'GET', path: '/v1.0/healthz/outbound' });
        await expect(health).resolves.toMatchObject({ status: 204 });
      });
    } finally {
      sidecar.kill('SIGTERM');
    }
  });

  limited('lets it find the address of the machine', () => {
    const families = readSetting('holdfast.service', 'RestrictAddressFamilies').split(' ');
    const [python, ...words] = limitFamilies(families);
    const node = [process.execPath, '-p', 'Object.keys(os.networkInterfaces()).length > 0'];
    expect(execFileSync(python, [...words, ...node], { encoding: 'utf8' })).toBe('true\n');
  });

  it('starts it with its token, and is started once it is ready', async () => {
    const credentials = await createFolder();
    writeFileSync(path.join(credentials, 'api-token'), 'a-token\n');
    const port = String(await findFreePort());
    const env = { PATH: await installed(), CREDENTIALS_DIRECTORY: credentials };
    const sidecar = spawn('/bin/sh', ['-c', await unitAt(port)], { env, stdio: 'ignore' });
    const ended = new Promise((resolve) => sidecar.once('exit', resolve));
    try {
      const [wait, check] = postStepsAt(port);
      execFileSync('/bin/sh', ['-c', wait], { env });
      execFileSync('/bin/sh', ['-c', check], { env });
      const lock = {
        path: '/v1.0-alpha1/lock/lockstore',
        body: '{"resourceId":"r","lockOwner":"o","expiryInSeconds":5}',
      };
      const headers = { 'dapr-api-token': 'a-token' };
      await expect(callHttp(Number(port), lock)).resolves.toMatchObject({ status: 401 });
      await expect(callHttp(Number(port), { ...lock, headers })).resolves.toMatchObject({
        status: 200,
      });
    } finally {
      sidecar.kill('SIGTERM');
    }
    await expect(ended).resolves.toBe(0);
  });

  it.each([
    [204, 0],
    [500, 1],
  ])('is started, or not, where the sidecar answers %d after a minute', async (status, code) => {
    const server = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const [, check] = postStepsAt(String(port));
    const step = spawn('/bin/sh', ['-c', check], { env: { PATH: await installed() } });
    const ended = await new Promise((resolve) => step.once('exit', resolve));
    server.close();
    expect(ended).toBe(code);
  });

  it('is not started where no sidecar answers', async () => {
    const [, check] = postStepsAt(String(await findFreePort()));
    const env = { PATH: await installed() };
    const run = () => execFileSync('/bin/sh', ['-c', check], { env, stdio: 'ignore' });
    expect(check).not.toBe('');
    expect(run).toThrow('Command failed');
  });

  it.each(['', '\n'])('does not start without a token: the file is %j', async (token) => {
    const credentials = await createFolder();
    writeFileSync(path.join(credentials, 'api-token'), token);
    const env = { PATH: await installed(), CREDENTIALS_DIRECTORY: credentials };
    const line = await unitAt(String(await findFreePort()));
    const sidecar = spawn('/bin/sh', ['-c', line], { env, timeout: 3000 });
    let said = '';
    sidecar.stderr.on('data', (part: Buffer) => (said += part.toString()));
    await expect(new Promise((resolve) => sidecar.once('close', resolve))).resolves.toBe(1);
    expect(said).toBe('/etc/holdfast/api-token is empty\n');
  });

  it('waits longer for its end than the sidecar takes', () => {
    const stop = Number(readSetting('holdfast.service', 'TimeoutStopSec'));
    expect(stop).toBeGreaterThan(Number(FLAGS['dapr-graceful-shutdown-seconds'].default));
  });
});

describe('the unit of the job', () => {
  it('runs it under the lock, and is no failure where another has the lock', async () => {
    const folder = await createFolder();
    const components = await writeComponent({ type: 'lock.in-memory' });
    const job = path.join(folder, 'backup.sh');
    mkdirSync(path.dirname(job), { recursive: true });
    writeFileSync(job, '#!/bin/sh\necho "under $HOLDFAST_RESOURCE"\n', { mode: 0o755 });
    const [program = '', ...words] = readSetting('holdfast-nightly.service', 'ExecStart')
      .replace('/etc/holdfast/job-components', components)
      .replace('/usr/local/bin/backup.sh', job)
      .split(' ');
    const env = { PATH: await installed() };
    await eventually(() => {
      expect(execFileSync(program, words, { env, encoding: 'utf8' })).toBe('under nightly\n');
    });
    expect(readSetting('holdfast-nightly.service', 'SuccessExitStatus')).toBe('75');
  });
});
