import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createClient } from 'redis';

import { eventually } from './eventually';
import { findFreePort } from './free-port';

/** A client for looking into a Redis under test. */
export type InspectingClient = ReturnType<typeof createInspectingClient>;

/** Arguments for a server that needs no disk. Later arguments win. */
const NO_PERSISTENCE = ['--save', '', '--appendonly', 'no'];

/** A real Redis on a port of its own, without persistence unless its arguments say so. */
export class RedisServer {
  readonly port: number;
  /** Where it keeps its data. */
  readonly folder: string;
  readonly #args: readonly string[];
  readonly #binary: string;
  #child: ChildProcess | undefined;

  /** @param options `binary` is the server that all tests use if it is left out */
  constructor(options: {
    readonly port: number;
    readonly folder: string;
    readonly args: readonly string[];
    readonly binary?: string | undefined;
  }) {
    this.port = options.port;
    this.folder = options.folder;
    this.#args = options.args;
    this.#binary = options.binary ?? process.env.HOLDFAST_REDIS_SERVER ?? 'redis-server';
  }

  /** Starts the process and waits until it answers; after `kill` the same port is taken again. */
  async start(): Promise<void> {
    const binary = this.#binary;
    const fixed = ['--port', String(this.port), '--dir', this.folder, '--bind', '127.0.0.1'];
    const child = spawn(binary, [...fixed, ...NO_PERSISTENCE, ...this.#args], {
      stdio: 'ignore',
    });
    this.#child = child;
    const failed = new Promise<never>((_resolve, reject) => {
      child.once('error', (cause) => {
        reject(new Error(`can't start ${binary}; npm test installs it or says how`, { cause }));
      });
      child.once('exit', (code) => {
        reject(new Error(`${binary} ended with ${String(code)} before it answered`));
      });
    });
    await Promise.race([failed, eventually(() => expectAnswer(this.port), { withinMs: 10_000 })]);
    failed.catch(() => undefined);
  }

  /** Ends the process at once, as a crash does, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Stops the process from running; its connections stay open and nothing is answered. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Lets a paused process go on. */
  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends the process for good and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs something with a client that looks into this Redis. */
  async inspect<T>(look: (client: InspectingClient) => Promise<T>, password = ''): Promise<T> {
    const client = createInspectingClient(this.port, password);
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await look(client);
    } finally {
      client.destroy();
    }
  }

  /**
   * When a key expires on this Redis' clock, in milliseconds since 1970 and up to 1 ms late. Of its time
   * and the time that is left, as PEXPIRETIME came with Redis 7.
   */
  async expiryOf(key: string): Promise<number> {
    const script = `local time = redis.call('time')
return {time[1] * 1000 + math.floor(time[2] / 1000), redis.call('pttl', KEYS[1])}`;
    const reply = await this.inspect((client) => client.eval(script, { keys: [key] }));
    const [now = NaN, left = NaN] = reply as unknown as number[];
    return now + left;
  }
}

/** How many ports are tried: one may be taken after it was found, and so may the second port of a cluster's server. */
const MOST_PORTS = 3;

/** Starts a real Redis on a free port of the loopback interface. */
export async function startRedisServer(
  options: { readonly args?: readonly string[] } = {},
): Promise<RedisServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-redis-'));
  for (let tries = 1; ; tries += 1) {
    const port = await findFreePort();
    const server = new RedisServer({ port, folder, args: options.args ?? [] });
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.kill();
      if (tries === MOST_PORTS) throw error;
    }
  }
}

function createInspectingClient(port: number, password: string) {
  return createClient({
    socket: { host: '127.0.0.1', port },
    RESP: 2,
    ...(password === '' ? {} : { password }),
  });
}

/** Any answer will do: one that asks for a password is a server that is up. */
function expectAnswer(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write('PING\r\n'));
    socket.once('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
  });
}
