import { chmod, chown, copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { userFor } from '../support/server-user';
import { eventually } from '../support/eventually';
import { Scene } from './scene';
import { callOn, createStore, forever } from './store-fixture';

/** Self-signed certificates for localhost and 127.0.0.1, good for a hundred years; they guard nothing. */
const TLS_FOLDER = path.join(__dirname, '../fixtures/tls');
const CERTIFICATE = path.join(TLS_FOLDER, 'server.crt');
const KEY = path.join(TLS_FOLDER, 'server.key');
const OTHER_CERTIFICATE = path.join(TLS_FOLDER, 'renewed.crt');

/** Who may come how. A certificate signs in the role of its name. */
const ADMISSION = `host all postgres 127.0.0.1/32 trust
hostssl all localhost 127.0.0.1/32 cert
hostssl all secured 127.0.0.1/32 scram-sha-256
host all locker 127.0.0.1/32 scram-sha-256
`;

const scene = new Scene();

beforeAll(async () => {
  const { server } = scene;
  const { uid, gid } = userFor('postgres');
  const take = async (file: string, name: string): Promise<void> => {
    const copy = path.join(server.folder, name);
    await copyFile(file, copy);
    await chmod(copy, 0o600);
    if (uid !== undefined && gid !== undefined) await chown(copy, uid, gid);
  };
  await take(CERTIFICATE, 'server.crt');
  await take(KEY, 'server.key');
  await server.query(`DO $$ BEGIN
    CREATE ROLE locker LOGIN PASSWORD 'right-hunter2';
    CREATE ROLE secured LOGIN PASSWORD 'right-hunter2';
    CREATE ROLE localhost LOGIN;
    GRANT ALL ON SCHEMA public TO locker, secured, localhost;
  END $$`);
  await writeFile(path.join(server.folder, 'pg_hba.conf'), ADMISSION);
  await server.query(`ALTER SYSTEM SET ssl_ca_file = 'server.crt'`);
  await server.query('ALTER SYSTEM SET ssl = on');
  await server.query('SELECT pg_reload_conf()');
  await eventually(async () => {
    const [row] = await server.query('SHOW ssl');
    expect(row).toEqual({ ssl: 'on' });
  });
});

/** Each role has tables of its own. */
const tableOf = (user: string) => ({ tableName: `of_${user}` });

const urlOf = (user: string, more: string, host = '127.0.0.1') =>
  `postgresql://${user}@${host}:${scene.server.port}/postgres?${more}`;

async function isServed(user: string, url: string): Promise<void> {
  const { store } = await scene.open(tableOf(user), url);
  await expect(store.tryLock(callOn(), forever())).resolves.toMatchObject({ acquired: true });
}

/** The start ends at once: no repetition would help. Neither the error nor the log has the password. */
async function isRefused(user: string, url: string, reason: RegExp): Promise<void> {
  const { store, logger } = createStore(url, tableOf(user));
  scene.after(() => store.close());
  const error = await store.init(AbortSignal.timeout(15_000)).then(
    () => undefined,
    (cause: unknown) => cause as Error & { readonly kind: string },
  );
  expect(error?.message).toMatch(reason);
  expect(error).toMatchObject({ kind: 'rejected' });
  expect(logger.messages('warn')).toEqual([]);
  const texts: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    texts.push(String(cause.stack), JSON.stringify(cause));
  }
  expect(`${JSON.stringify(logger.lines)}${texts.join('')}`).not.toContain('hunter2');
}

describe('a password of scram-sha-256', () => {
  const withPassword = (user: string, password: string, more = 'sslmode=disable') =>
    urlOf(`${user}${password}`, more);

  it('signs in', () => isServed('locker', withPassword('locker', ':right-hunter2')));

  it('that is wrong ends the start at once, and says so', () =>
    isRefused(
      'locker',
      withPassword('locker', ':wrong-hunter2'),
      /PostgreSQL refused the user or the password: password authentication failed for user "locker"/,
    ));

  it('that is missing ends the start at once, and says so', () =>
    isRefused('locker', withPassword('locker', ''), /SASL: .*password must be a string/));

  it('of a role that there is not is refused like a wrong one', () =>
    isRefused(
      'locker',
      withPassword('nobody', ':wrong-hunter2'),
      /PostgreSQL refused the user or the password: no pg_hba\.conf entry for host "127\.0\.0\.1", user "nobody"/,
    ));

  it('is not sent without encryption where the server wants that', () =>
    isRefused(
      'secured',
      withPassword('secured', ':right-hunter2'),
      /PostgreSQL refused the user or the password: no pg_hba\.conf entry .* no encryption/,
    ));
});

describe('TLS', () => {
  const trusting = `sslrootcert=${CERTIFICATE}`;
  const secured = (more: string, host?: string) => urlOf('secured:right-hunter2', more, host);

  it.each([
    ['is used where both have it', 'sslmode=prefer'],
    ['needs no authority with require', 'sslmode=require'],
    ['trusts the named authority with verify-ca', `sslmode=verify-ca&${trusting}`],
    ['verifies the name with verify-full', `sslmode=verify-full&${trusting}`],
  ])('%s', async (_what, more) => {
    await isServed('secured', secured(more));
    const [row] = await scene.server.query(
      `SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
       WHERE usename = 'secured'`,
    );
    expect(row).toEqual({ ssl: true });
  });

  it.each([
    ['whose authority is not the named one', 'verify-full', OTHER_CERTIFICATE],
    [
      'whose authority is not the named one, though its name is not verified',
      'verify-ca',
      OTHER_CERTIFICATE,
    ],
    ['whose authority is not the named one, also with require,', 'require', OTHER_CERTIFICATE],
    ['whose authority the machine does not trust', 'verify-full', 'system'],
  ])('ends the start at once with a certificate %s', (_what, mode, authority) =>
    isRefused(
      'secured',
      secured(`sslmode=${mode}&sslrootcert=${authority}`),
      /self-signed certificate/,
    ),
  );

  it('ends the start at once with a certificate for another name', () =>
    isRefused(
      'secured',
      secured(`sslmode=verify-full&${trusting}`, '127.1'),
      /does not match certificate's altnames/,
    ));

  it('needs no name with verify-ca', () =>
    isServed('secured', secured(`sslmode=verify-ca&${trusting}`, '127.1')));

  it('signs in by a certificate of its own', () =>
    isServed(
      'localhost',
      urlOf('localhost', `sslmode=verify-full&${trusting}&sslcert=${CERTIFICATE}&sslkey=${KEY}`),
    ));

  it('without a certificate of its own ends the start at once, where the server wants one', () =>
    isRefused(
      'localhost',
      urlOf('localhost', `sslmode=verify-full&${trusting}`),
      /PostgreSQL refused the user or the password: connection requires a valid client certificate/,
    ));
});

it('a server that has no TLS is refused where it is required, and taken where it is not', async () => {
  await scene.server.query('ALTER SYSTEM SET ssl = off');
  await scene.server.query('SELECT pg_reload_conf()');
  await eventually(async () => {
    const [row] = await scene.server.query('SHOW ssl');
    expect(row).toEqual({ ssl: 'off' });
  });
  const user = 'locker:right-hunter2';
  await isRefused('locker', urlOf(user, 'sslmode=require'), /does not support SSL connections/);
  await isServed('locker', urlOf(user, 'sslmode=prefer'));
});
