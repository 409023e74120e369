import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { createFolder, writeComponent } from '../support/component-files';
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

/** The package as npm packs it, in a folder of its own beside nothing but what it depends on. */
let modules: string;
let sidecar: SidecarProcess;

beforeAll(async () => {
  const folder = await createFolder();
  modules = path.join(folder, 'node_modules');
  const target = path.join(modules, 'holdfast');
  mkdirSync(target, { recursive: true });
  // The scripts would build; what is packed is what the other tests run.
  const packed = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const [file = ''] = run('npm', packed, ROOT).trim().split('\n');
  run('tar', ['-xzf', path.join(folder, file), '-C', target, '--strip-components=1'], folder);
  for (const name of dependencies()) link(name);
  const components = await writeComponent({ type: 'lock.in-memory' });
  sidecar = await SidecarProcess.start({ args: ['--resources-path', components] });
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

function dependencies(): readonly string[] {
  const manifest = path.join(modules, 'holdfast/package.json');
  const { dependencies: all } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return Object.keys(all);
}

function link(name: string): void {
  mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
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

it('pulls in no part of the sidecar', () => {
  const client = readFileSync(path.join(modules, 'holdfast/dist/client/client.js'), 'utf8');
  expect(client).not.toMatch(/node_modules\/(?:fastify|redis|pino|zod|yaml|prom-client)/);
  const required = [...client.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name);
  const packages = required.filter((name) => !/^(?:node:|fs$|path$)/.test(name));
  expect(new Set(packages)).toEqual(new Set(['@grpc/grpc-js', 'protobufjs/light']));
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
