import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Client } from 'pg';

import { eventually } from './eventually';
import { findFreePort } from './free-port';
import type { PostgresqlServer } from './postgresql-server';
import { userFor } from './server-user';

/** A real PgBouncer before a PostgreSQL. */
export class Pgbouncer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
  }

  /** Starts one in transaction mode. It takes no options in the startup message, as by default. */
  static async start(server: PostgresqlServer): Promise<Pgbouncer> {
    const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-pgbouncer-'));
    await chmod(folder, 0o755);
    const port = await findFreePort();
    const file = path.join(folder, 'pgbouncer.ini');
    const binary = process.env.HOLDFAST_PGBOUNCER ?? '/usr/sbin/pgbouncer';
    // With auth_type any, the database names the user.
    const text = `[databases]
postgres = host=127.0.0.1 port=${server.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
`;
    await writeFile(file, text);
    const child = spawn(binary, ['-q', file], { stdio: 'ignore', ...userFor('postgres') });
    const bouncer = new Pgbouncer(port, folder, child);
    await eventually(() => bouncer.#expectAnswer(), { withinMs: 10_000 });
    return bouncer;
  }

  /** Where a store finds it. */
  get connectionString(): string {
    return `postgresql://postgres@127.0.0.1:${this.port}/postgres?sslmode=disable`;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #expectAnswer(): Promise<void> {
    const client = new Client({ connectionString: this.connectionString });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('SELECT 1');
    await client.end();
  }
}
