import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';

import { createFolder, writeComponent } from '../support/component-files';
import { lockOverHttp } from '../support/http-call';
import { withoutDapr } from '../support/plain-environment';
import { SidecarProcess } from '../support/sidecar-process';

const ROOT = path.join(__dirname, '../..');

/** A program as a user of the package writes it: the same text as ES module and as CommonJS. */
const PROGRAM = `import { connect, HoldfastError, LockNotAcquiredError, type Lock } from 'holdfast/client';

async function main(): Promise<void> {
  const locks = connect({ store: 'lockstore' });
  {
    await using lock: Lock = await locks.hold('nightly', { ttlMs: 5000, waitMs: 0 });
    const signal: AbortSignal = lock.signal;
    const token: number = lock.token;
    console.log(token > 0, signal.aborted, lock.validForMs <= 5000);
    const refusal: unknown = await locks.hold('nightly').catch((error: unknown) => error);
    if (!(refusal instanceof LockNotAcquiredError)) throw refusal;
    console.log(refusal instanceof HoldfastError, refusal.holder?.lockOwner === lock.owner);
  }
  console.log(await locks.withLock('nightly', { signal: AbortSignal.timeout(5000) }, () => 'done'));
  for await (const { resourceId } of locks.list()) console.log(resourceId);
  await locks.close();
}

void main();
`;

/** The sizes that npm reports for a package that it has packed, in bytes. */
interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
}

/** At most that many bytes are fetched, and take up room. */
const AT_MOST = { size: 2 * 2 ** 20, unpackedSize: 8 * 2 ** 20 };

/** The package as npm packs it, installed in a folder of its own. */
let packed: Packed;
let modules: string;
let components: string;
let sidecar: SidecarProcess;

beforeAll(async () => {
  const folder = await createFolder();
  modules = path.join(folder, 'node_modules');
  // The scripts would build; what is packed is what the other tests run.
  const options = ['--ignore-scripts', '--json', '--pack-destination', folder];
  [packed] = JSON.parse(run('npm', ['pack', ...options], ROOT)) as [Packed];
  // What it depends on has just been fetched for this checkout.
  run(
    'npm',
    ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${packed.filename}`],
    folder,
  );
  components = await writeComponent({ type: 'lock.in-memory' });
  const main = path.join(modules, '.bin/holdfast');
  sidecar = await SidecarProcess.start({ main, args: ['--resources-path', components] });
}, 60_000);

afterAll(async () => {
  rmSync(path.dirname(modules), { recursive: true, force: true });
  await sidecar.stop();
});

function run(command: string, args: readonly string[], cwd: string, env = {}): string {
  const environment = { ...withoutDapr(process.env), ...env };
  try {
    return execFileSync(command, args, { cwd, env: environment, encoding: 'utf8' });
  } catch (error) {
    // What tsc has to say stands on standard output.
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Two empty projects; one run of the compiler for both, as it takes seconds to read the types of Node. */
const PROJECTS = ['module', 'commonjs'];

function writeProjects(): void {
  for (const type of PROJECTS) {
    const project = path.join(path.dirname(modules), type);
    mkdirSync(project);
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'empty', type }));
    writeFileSync(path.join(project, 'main.ts'), PROGRAM);
  }
}

it('passes tsc --strict with its types, and holds a lock, in ES modules and in CommonJS', () => {
  writeProjects();
  const folder = path.dirname(modules);
  const options = ['--strict', '--module', 'node16', '--target', 'es2022', '--lib', 'es2022'];
  const files = PROJECTS.map((type) => `${type}/main.ts`);
  run(
    process.execPath,
    [path.join(ROOT, 'node_modules/typescript/lib/tsc.js'), ...options, ...files],
    folder,
  );
  const env = { DAPR_GRPC_PORT: String(sidecar.grpcPort) };
  for (const type of PROJECTS) {
    const output = run(process.execPath, ['main.js'], path.join(folder, type), env);
    expect(output.split('\n')).toEqual(['true false true', 'true true', 'done', '']);
  }
}, 60_000);

it('is small', () => {
  const { size, unpackedSize } = packed;
  const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  process.stdout.write(
    `package: ${mb(size)} (at most ${mb(AT_MOST.size)}), ` +
      `unpacked ${mb(unpackedSize)} (at most ${mb(AT_MOST.unpackedSize)})\n`,
  );
  expect(size).toBeLessThanOrEqual(AT_MOST.size);
  expect(unpackedSize).toBeLessThanOrEqual(AT_MOST.unpackedSize);
});

it('brings no package beside it but types', () => {
  const lock = readFileSync(path.join(modules, '.package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lock) as { packages: object };
  expect(Object.keys(packages).sort()).toEqual([
    'node_modules/@types/node',
    'node_modules/holdfast',
    'node_modules/undici-types',
  ]);
});

it('has a client without any part of the sidecar', () => {
  const client = readFileSync(path.join(modules, 'holdfast/dist/client/client.js'), 'utf8');
  expect(client).not.toMatch(/node_modules\/(?:fastify|redis|pino|zod|yaml|prom-client)/);
  expect(client).toContain('node_modules/@grpc/grpc-js');
  const required = [...client.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name);
  expect(required.filter((name) => !isBuiltin(name))).toEqual([]);
});

it('names the licences of all that is bundled', () => {
  const folder = path.join(modules, 'holdfast/dist');
  const notice = readFileSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
  const bundles = ['holdfast.js', 'commands.js', 'client/client.js'];
  for (const bundle of bundles) {
    const text = readFileSync(path.join(folder, bundle), 'utf8');
    const names = [...text.matchAll(/node_modules\/((?:@[^/"]+\/)?[^/"]+)\//g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(0);
    for (const name of new Set(names)) expect(notice).toMatch(new RegExp(`^${name} \\d`, 'm'));
  }
});

it('serves locks, and keeps the code that the first run has compiled for the next', async () => {
  const dist = path.join(modules, 'holdfast/dist');
  const kept = () => readdirSync(dist).filter((name) => name.endsWith('.cache'));
  expect(kept()).toEqual([]);
  const args = ['--resources-path', components];
  const main = path.join(modules, '.bin/holdfast');
  const first = await SidecarProcess.start({ main, args });
  await expect(lockOverHttp(first.httpPort, 'r')).resolves.toEqual({ success: true });
  await expect(first.stop()).resolves.toBe(0);
  expect(kept()).toEqual([`holdfast-${process.version}-${process.arch}.cache`]);
  const script = `const { script } = require('./main.js').compile('holdfast'); console.log(script.cachedDataRejected)`;
  expect(run(process.execPath, ['-e', script], dist).trim()).toBe('false');
});

it('keeps the code for its user where it can not write beside the bundle', async () => {
  const dist = path.join(modules, 'holdfast/dist');
  const beside = path.join(dist, `commands-${process.version}-${process.arch}.cache`);
  mkdirSync(beside); // not even root can write a file there
  const home = await createFolder();
  const env = { XDG_CACHE_HOME: home };
  const job = ['run', '--components', components, '--resource', 'r', '--', 'true'];
  run(process.execPath, ['main.js', ...job], dist, env);
  const [name = '', ...others] = readdirSync(path.join(home, 'holdfast'));
  expect(others).toEqual([]);

  const script = `console.log(require('./main.js').compile('commands').isCached)`;
  const isCached = () => run(process.execPath, ['-e', script], dist, env).trim();
  expect(isCached()).toBe('true');
  // What others can write is not run.
  chmodSync(path.join(home, 'holdfast', name), 0o666);
  expect(isCached()).toBe('false');
  chmodSync(path.join(home, 'holdfast', name), 0o600);
  expect(isCached()).toBe('true');
  // A link may lead elsewhere a moment later.
  renameSync(path.join(home, 'holdfast', name), path.join(home, 'kept'));
  symlinkSync('../kept', path.join(home, 'holdfast', name));
  expect(isCached()).toBe('false');
  // Nothing is written where others can write.
  const shared = await createFolder();
  chmodSync(shared, 0o777);
  run(process.execPath, ['main.js', ...job], dist, { XDG_CACHE_HOME: shared });
  expect(readdirSync(shared)).toEqual([]);
  rmSync(beside, { recursive: true });
});

it('is not packed from a checkout that can not be built', async () => {
  const checkout = await createFolder();
  for (const part of ['package.json', 'scripts', 'proto', 'components'])
    cpSync(path.join(ROOT, part), path.join(checkout, part), { recursive: true });
  expect(() => run('npm', ['pack'], checkout)).toThrow('run npm ci before npm pack');
  rmSync(checkout, { recursive: true });
});

it('has one of each class, however it is loaded', () => {
  const program = `import { createRequire } from 'node:module'; import { HoldfastError } from 'holdfast/client';
    console.log(createRequire(import.meta.url)('holdfast/client').HoldfastError === HoldfastError);`;
  const output = run(
    process.execPath,
    ['--input-type=module', '-e', program],
    path.dirname(modules),
  );
  expect(output.trim()).toBe('true');
});
