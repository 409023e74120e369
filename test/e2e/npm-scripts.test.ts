import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';

import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { withoutDapr } from '../support/plain-environment';

const ROOT = path.join(__dirname, '../..');
const PATIENCE = { withinMs: 20_000 };

/** `npm run …` as a terminal or a service manager starts it: a process group of its own. */
class NpmRun {
  readonly npm: ChildProcess;
  readonly ended: Promise<number | null>;
  output = '';

  constructor(...args: readonly string[]) {
    this.npm = spawn('npm', ['run', '--silent', ...args], {
      cwd: ROOT,
      env: withoutDapr(process.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.ended = new Promise((resolve) => this.npm.once('exit', resolve));
    const take = (part: Buffer): void => {
      this.output += part.toString();
    };
    this.npm.stdout?.on('data', take);
    this.npm.stderr?.on('data', take);
  }

  get #pid(): number {
    return this.npm.pid!;
  }

  async says(text: string): Promise<void> {
    await eventually(() => {
      expect(this.output).toContain(text);
    }, PATIENCE);
  }

  /** The signal of `kill PID`. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** The signal of a terminal at Ctrl-C, and of systemd when it stops a service. */
  signalAll(signal: NodeJS.Signals): void {
    process.kill(-this.#pid, signal);
  }

  /** The group's processes that are still there, by their command. */
  get left(): readonly string[] {
    const table = execFileSync('ps', ['-eo', 'pgid=,args='], { encoding: 'utf8' });
    return table.split('\n').filter((line) => line.trim().startsWith(`${this.#pid} `));
  }

  async kill(): Promise<void> {
    try {
      this.signalAll('SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
    await this.ended;
  }
}

async function freePorts() {
  const httpPort = await findFreePort();
  const others = [await findFreePort(), await findFreePort()];
  const flags = ['--dapr-http-port', '--dapr-grpc-port', '--metrics-port'];
  const args = flags.flatMap((flag, index) => [flag, String([httpPort, ...others][index])]);
  return { httpPort, args };
}

describe('npm scripts', () => {
  let run: NpmRun | undefined;
  const start = (...args: readonly string[]) => {
    run = new NpmRun(...args);
    return run;
  };

  /** The example picks free ports, and another test may take one of them first: then it is started again. */
  const startUntilWaiting = async (): Promise<NpmRun> => {
    for (let tries = 1; ; tries += 1) {
      const running = start('example');
      const isWaiting = running.says('waiting').then(() => true);
      if (await Promise.race([isWaiting, running.ended.then(() => false)])) return running;
      isWaiting.catch(() => undefined);
      if (tries === 3) throw new Error(`the example ended three times: ${running.output}`);
    }
  };

  afterEach(async () => {
    await run?.kill();
    run = undefined;
  });

  const expectGracefulEnd = async (running: NpmRun): Promise<void> => {
    await expect(running.ended).resolves.toBe(0);
    await running.says('Daprd shutdown gracefully');
    expect(running.left).toEqual([]);
  };

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'npm start ends with its sidecar at %s to npm alone',
    async (signal) => {
      const running = start('start', '--', ...(await freePorts()).args);
      await running.says('dapr initialized');
      running.signal(signal);
      await expectGracefulEnd(running);
    },
  );

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'npm start lets a call in flight come to its end at %s to all, of which npm makes two',
    async (signal) => {
      const { httpPort, args } = await freePorts();
      const running = start('start', '--', ...args);
      await running.says('dapr initialized');
      const call = beginCall(httpPort);
      await call.sent;
      running.signalAll(signal);
      await running.says('beginning shutdown');
      await expect(call.end()).resolves.toContain('{"success":true}');
      await expectGracefulEnd(running);
      expect(running.output).not.toContain('exiting immediately');
    },
  );

  it.each([
    [
      'SIGTERM',
      (running: NpmRun) => {
        running.signal('SIGTERM');
      },
    ],
    [
      'Ctrl-C',
      (running: NpmRun) => {
        running.signalAll('SIGINT');
      },
    ],
  ])('npm run example takes its sidecar and its workers along at %s', async (_name, stop) => {
    const running = await startUntilWaiting();
    stop(running);
    await expect(running.ended).resolves.not.toBe(0);
    await eventually(() => {
      expect(running.left).toEqual([]);
    }, PATIENCE);
    expect(running.output).not.toContain('18 lines');
  });

  it.each(['start', 'start:redis', 'example'])(
    '%s replaces its shell, which would not hand on signals',
    (name) => {
      const text = readFileSync(path.join(ROOT, 'package.json'), 'utf8');
      const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
      expect(scripts[name]).toMatch(/^exec node /);
    },
  );
});

/** A lock call whose last byte is sent at the end only. */
function beginCall(port: number) {
  const body = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":5}';
  const socket: Socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (part: Buffer) => {
    answer += part.toString();
  });
  const head = `POST /v1.0-alpha1/lock/lockstore HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  const sent = new Promise<void>((resolve) => {
    socket.write(head + body.slice(0, -1), () => {
      resolve();
    });
  });
  const end = async (): Promise<string> => {
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(body.slice(-1));
    await closed;
    return answer;
  };
  return { sent, end };
}
