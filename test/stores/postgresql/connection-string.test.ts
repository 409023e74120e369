import {
  type ConnectionString,
  parseConnectionString,
} from '../../../src/stores/postgresql/connection-string';

const toText = ({ addresses, parameters }: ConnectionString) => [
  addresses.map(({ host, port }) => `${host} ${port}`).join(', '),
  Object.fromEntries(parameters),
];

describe('a connection string', () => {
  it.each([
    ['postgresql://', 'localhost 5432', {}],
    ['postgres://db', 'db 5432', {}],
    [
      'postgresql://u:p%40%2F@db:6000/locks?sslmode=verify-full&application_name=a%20b',
      'db 6000',
      {
        user: 'u',
        password: 'p@/',
        dbname: 'locks',
        sslmode: 'verify-full',
        application_name: 'a b',
      },
    ],
    ['postgresql://u:a:b@[::1]:6000/x', '::1 6000', { user: 'u', password: 'a:b', dbname: 'x' }],
    ['postgresql://one,two:6000/x', 'one 5432, two 6000', { dbname: 'x' }],
    ['postgresql://one:6000,two/x', 'one 6000, two 5432', { dbname: 'x' }],
    ['postgresql:///x?host=/run/postgresql', '/run/postgresql 5432', { dbname: 'x' }],
    ['postgresql://h/x?password=a=b', 'h 5432', { dbname: 'x', password: 'a=b' }],
    ['host=db port=6000 user=u', 'db 6000', { user: 'u' }],
    [" host = 'a,b' port=6000\npassword='it''", 'error', {}],
    [
      "host='one,two' password='a \\'b\\\\' database=x",
      'one 5432, two 5432',
      {
        password: "a 'b\\",
        dbname: 'x',
      },
    ],
    ['host=one,two port=1,2', 'one 1, two 2', {}],
    ["password=''", 'localhost 5432', { password: '' }],
    ['target_session_attrs=read-write client_encoding=UTF8', 'localhost 5432', {}],
  ])('%j', (text, addresses, parameters) => {
    if (addresses === 'error') expect(() => parseConnectionString(text)).toThrow("can't be read");
    else expect(toText(parseConnectionString(text))).toEqual([addresses, parameters]);
  });

  it.each([
    'postgresql://u:hunter2%@db/x',
    'postgresql://u:hun@ter2@db/x',
    'postgresql://u:hunter2@db:none/x',
    'postgresql://u:hunter2@db:70000/x',
    'postgresql://u:x@db/x?hunter2=1',
    'postgresql://u:x@db/x?password=a&hunter2',
    'host=db password=hunter2 secret',
    'host=db hunter2=x',
    'host=one,two port=1,2,3 password=hunter2',
    'mysql://u:hunter2@db/x',
    'hunter2',
  ])('that is wrong is not quoted: %s', (text) => {
    const error = (() => {
      try {
        parseConnectionString(text);
        return undefined;
      } catch (cause) {
        return cause as Error;
      }
    })();
    expect(error?.message).toMatch(/^connectionString .*\(allowed: /);
    expect(`${String(error?.stack)}${JSON.stringify(error)}`).not.toContain('hunter2');
  });
});
