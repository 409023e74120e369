import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { callHttp, postJson } from '../support/http-call';

const REPOSITORY = path.join(__dirname, '../..');

/** An instruction of a Dockerfile, continuation lines joined. */
interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The stages of a Dockerfile: a FROM and what follows it. */
function readStages(): readonly (readonly Instruction[])[] {
  const text = readFileSync(path.join(REPOSITORY, 'Dockerfile'), 'utf8');
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stages: Instruction[][] = [];
  for (const line of lines.filter((entry) => entry.trim() !== '')) {
    const [name = '', ...rest] = line.trim().split(/\s+/);
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, rest: rest.join(' ') });
  }
  return stages;
}

/**
 * Carries out a Dockerfile's COPY and RUN lines in a folder that stands for the image's root, as no
 * container engine is asked for. Absolute paths of the image are moved below that folder.
 */
class ImageFolder {
  readonly root = mkdtempSync(path.join(tmpdir(), 'holdfast-image-'));
  readonly workdir = path.join(this.root, 'holdfast');

  build(stage: readonly Instruction[], earlier?: ImageFolder): void {
    mkdirSync(this.workdir);
    for (const { name, rest } of stage) {
      if (name === 'COPY') this.#copy(rest, earlier);
      if (name === 'RUN') this.#run(rest);
    }
  }

  /** A path of the image as a path of this machine. */
  at(imagePath: string): string {
    return imagePath.startsWith('/')
      ? path.join(this.root, imagePath)
      : path.join(this.workdir, imagePath);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #copy(rest: string, earlier: ImageFolder | undefined): void {
    const words = rest.split(' ');
    const from = words[0]?.startsWith('--from=') ? words.shift() : undefined;
    const target = words.pop() ?? '';
    for (const source of words) {
      const origin = from === undefined ? path.join(REPOSITORY, source) : earlier!.at(source);
      const intoFolder = words.length > 1 || target.endsWith('/');
      const destination = intoFolder ? path.join(this.at(target), source) : this.at(target);
      cpSync(origin, destination, { recursive: true });
    }
  }

  #run(command: string): void {
    const moved = command.replaceAll(/(^|\s)\/(holdfast|daprd)/g, `$1${this.root}/$2`);
    const { status, stdout, stderr } = spawnSync('sh', ['-ec', moved], {
      cwd: this.workdir,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    });
    if (status !== 0)
      throw new Error(`${command} ended with ${String(status)}:\n${stdout}${stderr}`);
  }
}

describe('the Dockerfile', () => {
  const [buildStage = [], runtimeStage = []] = readStages();
  const build = new ImageFolder();
  const image = new ImageFolder();
  const valueOf = (name: string) => runtimeStage.find((line) => line.name === name)?.rest;
  let sidecar: ChildProcess | undefined;

  beforeAll(() => {
    build.build(buildStage);
    image.build(runtimeStage, build);
  }, 240_000);
  afterEach(async () => {
    if (sidecar === undefined) return;
    const ended = new Promise((resolve) => sidecar?.once('exit', resolve));
    sidecar.kill('SIGTERM');
    await ended;
    sidecar = undefined;
  });
  afterAll(() => {
    build.remove();
    image.remove();
  });

  const run = async (args: readonly string[]): Promise<number> => {
    const ports = [await findFreePort(), await findFreePort()];
    const [program = ''] = JSON.parse(valueOf('ENTRYPOINT') ?? '') as string[];
    const flags = ['--dapr-http-port', String(ports[0]), '--dapr-grpc-port', String(ports[1])];
    sidecar = spawn(image.at(program), [...args, ...flags], {
      cwd: image.workdir,
      env: { PATH: process.env.PATH, HOLDFAST_RESOURCES_PATH: image.at('/components') },
      stdio: 'ignore',
    });
    await eventually(
      async () => {
        const health = { method: 'GET', path: '/v1.0/healthz' };
        expect((await callHttp(ports[0]!, health)).status).toBe(204);
      },
      { withinMs: 20_000 },
    );
    return ports[0]!;
  };

  it('starts a sidecar that grants a lock by its own command', async () => {
    const port = await run(JSON.parse(valueOf('CMD') ?? '') as string[]);
    const body = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 };
    const answer = await postJson(port, '/v1.0-alpha1/lock/lockstore', body);
    expect(answer).toEqual({ success: true });
  });

  it('keeps the default components where a deployment gives other flags', async () => {
    const port = await run(['--app-id', 'other', '--log-level', 'warn']);
    const answer = await callHttp(port, { method: 'GET', path: '/v1.0/metadata' });
    expect(JSON.parse(answer.body)).toMatchObject({
      id: 'other',
      components: [{ name: 'lockstore', type: 'lock.in-memory', version: 'v1' }],
    });
  });

  it('leaves no development package and no source in the image', () => {
    expect(existsSync(image.at('node_modules/typescript'))).toBe(false);
    expect(existsSync(image.at('src'))).toBe(false);
  });

  it('runs unprivileged, by exec-form commands, with a health check', () => {
    expect(valueOf('USER')).toBe('node');
    expect(valueOf('ENTRYPOINT')).toMatch(/^\[/);
    expect(valueOf('CMD')).toMatch(/^\[/);
    expect(valueOf('HEALTHCHECK')).toContain('CMD ["node", "scripts/healthcheck.js"]');
  });

  it('stands under the names by which daprd is started in containers', () => {
    expect(existsSync(image.at('/daprd'))).toBe(true);
    expect(existsSync(image.at('daprd'))).toBe(true);
  });
});
