import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface EnsureRedis {
  readonly canInstallByApt: (machine: { uid: number | undefined; hasApt: boolean }) => boolean;
  readonly findRedisServer: (env: NodeJS.ProcessEnv) => string | undefined;
  readonly toAdvice: (env: NodeJS.ProcessEnv) => string;
}
const ensureRedis = jest.requireActual<EnsureRedis>('../../scripts/ensure-redis.js');
const ensureEtcd = jest.requireActual<{
  findEtcd: (env: NodeJS.ProcessEnv) => string | undefined;
  toAdvice: (env: NodeJS.ProcessEnv) => string;
}>('../../scripts/ensure-etcd.js');
interface EnsureNode {
  readonly ensureNode: (major: string, env: NodeJS.ProcessEnv) => string;
  readonly NODE_VERSIONS: Readonly<Record<string, string>>;
}
const nodes = jest.requireActual<EnsureNode>('../../scripts/ensure-node.js');
const { VERSIONS } = jest.requireActual<{ VERSIONS: { readonly vegeta: string } }>(
  '../../scripts/ensure-bench-tools.js',
);
const { toolFolder } = jest.requireActual<{ toolFolder: (env: NodeJS.ProcessEnv) => string }>(
  '../../scripts/find-binary.js',
);
const imageNode = jest.requireActual<{
  findImageNode: (env: NodeJS.ProcessEnv) => string;
  readImageMajor: (dockerfile: string) => string;
}>('../../scripts/test-image-node.js');
const healthcheck = jest.requireActual<{ toTarget: (words: string[]) => object }>(
  '../../scripts/image/healthcheck.js',
);

describe('the step that finds redis-server', () => {
  let folder: string;
  let binary: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'holdfast-path-'));
    binary = path.join(folder, 'redis-server');
    writeFileSync(binary, '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(path.join(folder, 'not-executable'), '', { mode: 0o644 });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('looks along the PATH', () => {
    const env = { PATH: ['/nowhere', folder].join(path.delimiter) };
    expect(ensureRedis.findRedisServer(env)).toBe(binary);
  });

  it('takes the one that HOLDFAST_REDIS_SERVER names before any other', () => {
    const env = { PATH: '/nowhere', HOLDFAST_REDIS_SERVER: binary };
    expect(ensureRedis.findRedisServer(env)).toBe(binary);
  });

  it('does not fall back to the PATH where that can not be run', () => {
    const HOLDFAST_REDIS_SERVER = path.join(folder, 'not-executable');
    expect(ensureRedis.findRedisServer({ PATH: folder, HOLDFAST_REDIS_SERVER })).toBeUndefined();
  });

  it('finds none on an empty PATH', () => {
    expect(ensureRedis.findRedisServer({})).toBeUndefined();
  });

  it.each([
    [{ uid: 0, hasApt: true }, true],
    [{ uid: 1000, hasApt: true }, false],
    [{ uid: 0, hasApt: false }, false],
    [{ uid: undefined, hasApt: true }, false],
  ])('installs on %j: %s', (machine, installs) => {
    expect(ensureRedis.canInstallByApt(machine)).toBe(installs);
  });

  it('otherwise gives one command for each package manager', () => {
    const advice = ensureRedis.toAdvice({});
    for (const manager of ['apt-get install', 'brew install', 'dnf install']) {
      expect(advice).toContain(manager);
    }
  });

  it('names a variable that names no server', () => {
    expect(ensureRedis.toAdvice({ HOLDFAST_REDIS_SERVER: '/x' })).toContain('/x');
  });
});

describe('the step that finds etcd', () => {
  let folder: string;
  let binary: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'holdfast-path-'));
    binary = path.join(folder, 'etcd');
    writeFileSync(binary, '#!/bin/sh\n', { mode: 0o755 });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('looks along the PATH', () => {
    expect(ensureEtcd.findEtcd({ PATH: ['/nowhere', folder].join(path.delimiter) })).toBe(binary);
  });

  it('takes the one that HOLDFAST_ETCD names, and no other', () => {
    expect(ensureEtcd.findEtcd({ PATH: '/nowhere', HOLDFAST_ETCD: binary })).toBe(binary);
    expect(ensureEtcd.findEtcd({ PATH: folder, HOLDFAST_ETCD: '/x' })).toBeUndefined();
  });

  it('otherwise gives one command for each package manager', () => {
    const advice = ensureEtcd.toAdvice({});
    for (const manager of ['apt-get install', 'brew install', 'dnf install']) {
      expect(advice).toContain(manager);
    }
  });
});

describe("the image's command", () => {
  const { withResources } = jest.requireActual<{
    withResources: (words: string[], context: object) => string[];
  }>('../../scripts/image/daprd.js');
  const withFolder = (line: string, env: NodeJS.ProcessEnv = {}) =>
    withResources(line.split(' '), { commands: ['run', 'locks'], env }).join(' ');

  it.each([
    '--app-id a',
    './daprd -app-id a',
    '--mode standalone',
    '--app-id run',
    '--app-id mode kubernetes',
  ])('of %s loads /components', (line) => {
    expect(withFolder(line)).toBe(`--resources-path /components ${line}`);
  });

  it.each([
    '--app-id a --resources-path /r',
    '-components-path=/r',
    './daprd --app-id a --components-path /r',
    '--mode kubernetes',
    '-mode=kubernetes --app-id a',
    'run --resource r -- true',
    'locks list',
  ])('of %s adds no folder', (line) => {
    expect(withFolder(line)).toBe(line);
  });

  it('loads the folder of HOLDFAST_RESOURCES_PATH, also in a cluster', () => {
    const env = { HOLDFAST_RESOURCES_PATH: '/r' };
    expect(withFolder('--mode kubernetes', env)).toBe('--resources-path /r --mode kubernetes');
    expect(withFolder('-mode kubernetes', env)).toBe('--resources-path /r -mode kubernetes');
    expect(withFolder('--app-id a', env)).toBe('--resources-path /r --app-id a');
    expect(withFolder('--resources-path /x', env)).toBe('--resources-path /x');
  });
});

describe("the image's health check", () => {
  const local = (port: string) => ({ host: '127.0.0.1', port });
  it.each([
    ['--app-id a', local('3500')],
    ['--dapr-http-port 3501', local('3501')],
    ['-dapr-http-port=3502', local('3502')],
    ['--dapr-http-port=3501 --dapr-http-port 3503', local('3503')],
    ['--dapr-listen-addresses 0.0.0.0', local('3500')],
    ['--dapr-listen-addresses=[::1],127.0.0.1', { host: '::1', port: '3500' }],
    ['--dapr-public-port 3501 --tls-cert-file /c', local('3501')],
    ['--dapr-public-port=0', local('3500')],
    ['--tls-cert-file /c --tls-key-file /k', { ...local('3500'), tls: true }],
    ['--app-id a --unix-domain-socket=/run', { socketPath: '/run/dapr-a-http.socket' }],
  ])('of %s asks %j', (flags, target) => {
    const commandLine = ['/usr/local/bin/node', '/daprd', ...flags.split(' '), ''];
    expect(healthcheck.toTarget(commandLine)).toEqual(target);
  });
});

describe("the step that installs the benchmark's tools", () => {
  it.each([
    [{ XDG_CACHE_HOME: '/cache', HOME: '/home/x' }, '/cache/holdfast/bench-tools'],
    [{ HOME: '/home/x' }, '/home/x/.cache/holdfast/bench-tools'],
  ])('keeps them in a cache folder outside the repository: %j', (env, folder) => {
    expect(toolFolder(env)).toBe(folder);
  });

  it('pins every version', () => {
    expect(VERSIONS.vegeta).toMatch(/^v\d+\.\d+\.\d+$/);
    for (const [major, version] of Object.entries(nodes.NODE_VERSIONS)) {
      expect(version).toMatch(new RegExp(`^${major}\\.\\d+\\.\\d+$`));
    }
  });

  it('refuses a Node that it has no version of', () => {
    expect(() => nodes.ensureNode('18', {})).toThrow(
      'no release of Node 18 is pinned, only of 20, 22, 24, 26',
    );
  });
});

describe('the step that runs tests on the Node of the image', () => {
  const dockerfile = readFileSync(path.join(__dirname, '../../Dockerfile'), 'utf8');

  it('takes the version from the Dockerfile, and has a release of it', () => {
    expect(Object.keys(nodes.NODE_VERSIONS)).toContain(imageNode.readImageMajor(dockerfile));
  });

  it('reads a major version, and refuses a Dockerfile without one', () => {
    expect(imageNode.readImageMajor('ARG A=1\nARG NODE_VERSION=99\nFROM x\n')).toBe('99');
    expect(() => imageNode.readImageMajor('FROM node:99\n')).toThrow('ARG NODE_VERSION');
  });

  it('is run by a Node of its own where HOLDFAST_IMAGE_NODE names one', () => {
    expect(imageNode.findImageNode({ HOLDFAST_IMAGE_NODE: '/a/node' })).toBe('/a/node');
  });
});
