import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { Client } from 'pg';

import { eventually } from './eventually';
import { findFreePort } from './free-port';
import { userFor } from './server-user';

const run = promisify(execFile);

/** Where Debian keeps the programs of each version. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** Arguments for a server that needs no disk. Later arguments win. */
const FAST = ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'shared_buffers=16MB'];

/** A real PostgreSQL on a port of its own, with its data in a temporary folder. */
export class PostgresqlServer {
  readonly port: number;
  /** Where it keeps its data. */
  readonly folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  constructor(options: { port: number; folder: string; args: readonly string[] }) {
    this.port = options.port;
    this.folder = options.folder;
    this.#args = options.args;
  }

  /** Where a superuser without a password finds it. */
  get connectionString(): string {
    return this.urlOf('postgres');
  }

  /** Where a user finds it. */
  urlOf(user: string, more = ''): string {
    return `postgresql://${user}@127.0.0.1:${this.port}/postgres?sslmode=disable${more}`;
  }

  /** Starts the process and waits until it answers; after `kill` the same port is taken again. */
  async start(): Promise<void> {
    const fixed = ['-D', this.folder, '-p', String(this.port), '-k', this.folder];
    const args = [...fixed, '-c', 'listen_addresses=127.0.0.1', ...FAST, ...this.#args];
    const child = spawn(toBinary('postgres'), args, { stdio: 'ignore', ...userFor('postgres') });
    this.#child = child;
    const failed = new Promise<never>((_resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => {
        reject(new Error(`postgres ended with ${String(code)} before it answered`));
      });
    });
    const answered = eventually(() => this.query('SELECT 1'), { withinMs: 20_000 });
    await Promise.race([failed, answered]);
    failed.catch(() => undefined);
  }

  /** Ends the process at once, as a crash does, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGQUIT'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** Ends the process for good and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs a statement as superuser. Returns its rows. */
  async query(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.connectionString });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const result = await client.query<Record<string, unknown>>(text, [...values]);
      return result.rows;
    } finally {
      await client.end();
    }
  }
}

/** Starts a real PostgreSQL on a free port of the loopback interface. */
export async function startPostgresqlServer(
  options: { readonly args?: readonly string[] } = {},
): Promise<PostgresqlServer> {
  const folder = await toFolder();
  const init = ['-D', folder, '-A', 'trust', '-U', 'postgres', '-N', '--no-locale', '-E', 'UTF8'];
  await run(toBinary('initdb'), init, userFor('postgres'));
  return startOn(folder, options.args ?? []);
}

/** Starts a standby that follows a server. */
export async function startStandby(primary: PostgresqlServer): Promise<PostgresqlServer> {
  const folder = await toFolder();
  const copy = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'postgres', '-D', folder];
  await run(
    toBinary('pg_basebackup'),
    [...copy, '-R', '-X', 'stream', '-c', 'fast', '-N'],
    userFor('postgres'),
  );
  return startOn(folder, []);
}

/** The path of a program of PostgreSQL: in HOLDFAST_POSTGRESQL_BIN, or of Debian's newest version. */
export function toBinary(name: string): string {
  const named = process.env.HOLDFAST_POSTGRESQL_BIN;
  if (named !== undefined && named !== '') return path.join(named, name);
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const newest = versions.sort((one, other) => Number(other) - Number(one))[0];
  return newest === undefined ? name : path.join(DEBIAN_FOLDER, newest, 'bin', name);
}

async function toFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-postgresql-'));
  const { uid, gid } = userFor('postgres');
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  return folder;
}

async function startOn(folder: string, args: readonly string[]): Promise<PostgresqlServer> {
  const server = new PostgresqlServer({ port: await findFreePort(), folder, args });
  await server.start();
  return server;
}
