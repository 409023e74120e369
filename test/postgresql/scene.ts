import { Client } from 'pg';

import { type PostgresqlServer, startPostgresqlServer } from '../support/postgresql-server';
import { TcpProxy } from '../support/tcp-proxy';
import { createStore, forever, type StoreUnderTest } from './store-fixture';

/** Calls of a store that wait until somebody else is done with a row. */
export const WAITING_FOR_A_ROW = `SELECT pid FROM pg_stat_activity
  WHERE application_name = 'holdfast' AND wait_event_type = 'Lock'`;

/** A real PostgreSQL for the tests of a file, and a network to it that can be broken. */
export class Scene {
  #server: PostgresqlServer | undefined;
  #proxy: TcpProxy | undefined;
  readonly #cleanUp: (() => unknown)[] = [];

  /** Registers what starts the server before the tests of a file, and what stops everything after them. */
  constructor(args: readonly string[] = []) {
    beforeAll(async () => {
      this.#server = await startPostgresqlServer({ args });
      this.#proxy = await TcpProxy.start(this.#server.port);
    });
    afterEach(async () => {
      this.#proxy?.heal();
      for (const undo of this.#cleanUp.splice(0).reverse()) await undo();
    });
    afterAll(async () => {
      await this.#proxy?.stop();
      await this.#server?.stop();
    });
  }

  get server(): PostgresqlServer {
    return this.#server!;
  }

  get proxy(): TcpProxy {
    return this.#proxy!;
  }

  /** A connection string that leads through the proxy. */
  get throughProxy(): string {
    return this.server.connectionString.replace(String(this.server.port), String(this.proxy.port));
  }

  /** Undoes something after the test, before what was to be undone already. */
  after(undo: () => unknown): void {
    this.#cleanUp.push(undo);
  }

  /** Opens a store, which is closed after the test. */
  async open(
    metadata: Readonly<Record<string, string>> = {},
    url = this.server.connectionString,
  ): Promise<StoreUnderTest> {
    const opened = createStore(url, metadata);
    this.after(() => opened.store.close());
    await opened.store.init(forever());
    return opened;
  }

  /** Opens a session of somebody else. */
  async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.server.connectionString });
    client.on('error', () => undefined);
    this.after(() => client.end());
    await client.connect();
    return client;
  }

  /** Ends the connections of all stores, by the server. */
  terminateAll(): Promise<unknown> {
    return this.server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'`,
    );
  }
}
