import { MetadataProperties } from '../../../src/components/metadata-properties';
import { parsePostgresqlSettings } from '../../../src/stores/postgresql/postgresql-settings';

const parse = (given: Readonly<Record<string, string>>) =>
  parsePostgresqlSettings(
    new MetadataProperties(
      Object.entries({ connectionString: 'postgresql://u@db/x?sslmode=disable', ...given }),
    ),
  );

describe('the metadata of lock.postgresql', () => {
  it('has defaults', () => {
    const { names, ...settings } = parse({});
    expect(names.locks).toBe('"public"."holdfast_locks"');
    expect(settings).toEqual({
      addresses: [{ host: 'db', port: 5432 }],
      user: 'u',
      password: undefined,
      database: 'x',
      applicationName: 'holdfast',
      options: '',
      tls: undefined,
      createsSchema: true,
      timeoutMs: 3000,
      callTimeoutMs: 10_000,
      dialTimeoutMs: 5000,
      maxConnections: 10,
      maxIdleMs: 60_000,
    });
  });

  it('is read', () => {
    const settings = parse({
      tableName: 'locks.shop',
      schema: 'check',
      timeout: '20s',
      dialTimeout: '1s',
      maxConns: '3',
      connectionMaxIdleTime: '5s',
    });
    expect(settings.names.tickets).toBe('"locks"."shop_tickets"');
    expect(settings).toMatchObject({
      createsSchema: false,
      timeoutMs: 20_000,
      callTimeoutMs: 20_000,
      dialTimeoutMs: 1000,
      maxConnections: 3,
      maxIdleMs: 5000,
    });
  });

  it('takes the time-out of the connection string for opening a connection', () => {
    const settings = parse({ connectionString: 'host=db sslmode=disable connect_timeout=2' });
    expect(settings.dialTimeoutMs).toBe(2000);
  });

  it.each([
    ['connectionString', '', 'connectionString is empty'],
    ['connectionString', 'x', "connectionString can't be read (allowed: "],
    ['connectionString', 'host=db sslmode=on', 'unknown sslmode (allowed: disable, allow, prefer'],
    [
      'connectionString',
      'host=db sslmode=verify-full sslrootcert=/no/such/file',
      "sslrootcert can't be read",
    ],
    ['tableName', 'Locks', '"Locks" is not a table name (allowed: up to 40 of a-z, 0-9 and _'],
    ['tableName', 'a"; drop table b', 'is not a table name'],
    ['tableName', 'a.b.c', 'is not a table name'],
    ['tableName', 'x'.repeat(41), 'is not a table name'],
    ['schema', 'none', '"none" is unknown (allowed: create, check)'],
    ['timeout', '1ms', '"1ms" is out of range (allowed: 100ms to 60s)'],
    ['timeout', '-1s', 'is out of range'],
    ['timeout', 'soon', 'invalid duration "soon"'],
    ['maxConns', '0', 'maxConns: '],
  ])('%s %j is refused', (name, value, text) => {
    expect(() => parse({ [name]: value })).toThrow(text);
  });

  it('is reported with everything that is wrong', () => {
    expect(() => parse({ schema: 'x', timeout: 'y', maxConns: 'z' })).toThrow(
      /schema: .*; timeout: .*; maxConns: /,
    );
  });

  it('never shows a value from a secret', () => {
    const properties = new MetadataProperties(
      [
        ['connectionString', 'host=db'],
        ['tableName', 'HUNTER'],
      ],
      ['tableName'],
    );
    expect(() => parsePostgresqlSettings(properties)).toThrow('"<secret>" is not a table name');
  });
});
