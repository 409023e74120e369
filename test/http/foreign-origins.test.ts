import { hostname, networkInterfaces } from 'node:os';

import { foreignOriginOf } from '../../src/http/foreign-origins';
import { HttpFixture } from './http-fixture';

type Headers = Readonly<Record<string, string>>;

/** Every address of this machine, as it stands in a Host. */
const OWN_HOSTS = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .filter(({ address }) => !address.startsWith('fe80:'))
  .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address));

describe('foreignOriginOf', () => {
  it.each<[string, Headers]>([
    ['a program', { host: 'anything.example:3500' }],
    ['a program that names no host', {}],
    ['fetch of Node', { host: 'sidecar:3500', 'sec-fetch-mode': 'cors' }],
    ['localhost', { host: 'localhost:3500', origin: 'http://localhost:3500' }],
    ['a name below localhost', { host: 'app.localhost:3500', origin: 'http://app.localhost:3500' }],
    ['loopback', { host: '127.0.0.1:3500', origin: 'http://127.0.0.1:3500' }],
    ['another loopback', { host: '127.9.9.9:3500', origin: 'http://127.9.9.9:3500' }],
    ['loopback of IPv6', { host: '[::1]:3500', origin: 'http://[::1]:3500' }],
    ['a Host in capitals', { host: 'LOCALHOST:3500', origin: 'http://localhost:3500' }],
    ['the default port, left out', { host: 'localhost:80', origin: 'http://localhost' }],
    ['the default port of TLS', { host: 'localhost:443', origin: 'https://localhost' }],
    ['no port at all', { host: 'localhost', origin: 'https://localhost' }],
    [
      'the name of this machine',
      { host: `${hostname()}:1`, origin: `http://${hostname().toLowerCase()}:1` },
    ],
    [
      'what the browser calls one origin',
      { host: 'localhost:1', origin: 'http://localhost:1', 'sec-fetch-site': 'same-origin' },
    ],
    ['what the user does', { host: 'localhost:3500', 'sec-fetch-site': 'none' }],
    ['no other header than that', { host: 'localhost:3500', 'sec-fetch-site': 'same-origin' }],
    ...OWN_HOSTS.map<[string, Headers]>((host) => [
      `the address ${host}`,
      { host: `${host}:3500`, origin: `http://${host}:3500` },
    ]),
  ])('is none for %s', (_who, headers) => {
    expect(foreignOriginOf(headers)).toBeUndefined();
  });

  it.each<[string, Headers]>([
    ['another host', { host: 'localhost:3500', origin: 'http://evil.example' }],
    ['another port', { host: 'localhost:3500', origin: 'http://localhost:8080' }],
    ['no port', { host: 'localhost:3500', origin: 'http://localhost' }],
    ['another port of TLS', { host: 'localhost:80', origin: 'https://localhost' }],
    ['another name of this machine', { host: 'localhost:3500', origin: 'http://127.0.0.1:3500' }],
    [
      'a name that begins alike',
      { host: 'localhost:3500', origin: 'http://localhost:3500.evil.example' },
    ],
    ['a user in it', { host: 'localhost:3500', origin: 'http://localhost:3500@evil.example' }],
    ['a path', { host: 'localhost:3500', origin: 'http://localhost:3500/' }],
    [
      'two of them',
      { host: 'localhost:3500', origin: 'http://localhost:3500, http://evil.example' },
    ],
    ['a sandbox or a file', { host: 'localhost:3500', origin: 'null' }],
    ['an extension', { host: 'localhost:3500', origin: 'chrome-extension://localhost:3500' }],
    ['a scheme of its own', { host: 'localhost:3500', origin: 'app://localhost:3500' }],
    ['what is no origin', { host: 'localhost:3500', origin: 'localhost:3500' }],
    ['a request without a Host', { origin: 'http://localhost:3500' }],
    ['a rebound name', { host: 'evil.example:3500', origin: 'http://evil.example:3500' }],
    [
      'a rebound name that ends alike',
      { host: 'evil-localhost:1', origin: 'http://evil-localhost:1' },
    ],
    [
      'a rebound name with localhost first',
      { host: 'localhost.evil.example', origin: 'http://localhost.evil.example' },
    ],
    [
      'a rebound name like an address',
      { host: '127.0.0.1.evil.example', origin: 'http://127.0.0.1.evil.example' },
    ],
    ['an address of others', { host: '203.0.113.7:3500', origin: 'http://203.0.113.7:3500' }],
    [
      'a contradiction',
      { host: 'localhost:1', origin: 'http://localhost:1', 'sec-fetch-site': 'cross-site' },
    ],
    [
      'another origin that is called the same',
      { host: 'localhost:1', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' },
    ],
  ])('is the origin of %s', (_what, headers) => {
    expect(foreignOriginOf(headers)).toBe(headers.origin);
  });

  it.each<[string, Headers]>([
    ['cross-site', { host: 'localhost:3500', 'sec-fetch-site': 'cross-site' }],
    ['same-site', { host: 'localhost:3500', 'sec-fetch-site': 'same-site' }],
    ['in capitals', { host: 'localhost:3500', 'sec-fetch-site': 'Cross-Site' }],
    ['of a rebound name', { host: 'evil.example:3500', 'sec-fetch-site': 'same-origin' }],
  ])('has no name where the browser only says that it is %s', (_what, headers) => {
    expect(foreignOriginOf(headers)).toBe('an unnamed origin');
  });
});

describe('calls of a page of another origin', () => {
  const BODY = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":5}';
  const LOCK = '/v1.0-alpha1/lock/lockstore';
  const FOREIGN = { origin: 'http://evil.example', 'content-type': 'text/plain' };
  let http: HttpFixture;
  afterEach(() => http.server.close());
  const start = async (options?: ConstructorParameters<typeof HttpFixture>[0]) => {
    http = await new HttpFixture(options).start();
  };

  it.each([
    ['POST', LOCK],
    ['POST', '/v1.0-alpha1/unlock/lockstore'],
    ['POST', '/v1.0/shutdown'],
    ['PUT', '/v1.0/metadata/key'],
  ])('are refused: %s %s', async (method, path) => {
    await start();
    await expect(http.call({ method, path, body: BODY, headers: FOREIGN })).resolves.toMatchObject({
      status: 403,
      headers: { 'content-type': 'application/json' },
      body: '{"errorCode":"ERR_FOREIGN_ORIGIN","message":"a browser sent this call for a page of another origin: http://evil.example is not in --allowed-origins"}',
    });
    expect(http.sidecar.shutdowns).toEqual([]);
    expect(http.sidecar.metadata.view().extended).not.toHaveProperty('key');
  });

  it('are refused on the public port too', async () => {
    await start({ surface: 'public' });
    const call = { method: 'PUT', path: '/v1.0/metadata/key', body: 'x', headers: FOREIGN };
    await expect(http.call(call)).resolves.toMatchObject({ status: 403 });
  });

  it('are answered where they only read', async () => {
    await start();
    const call = { method: 'GET', path: '/v1.0/metadata', headers: FOREIGN };
    await expect(http.call(call)).resolves.toMatchObject({ status: 200 });
  });

  it.each([
    ['without a token', { token: 'hush' }, LOCK, 401],
    ['to no route', {}, '/nope', 404],
  ])('are answered as by daprd where they are %s', async (_what, options, path, status) => {
    await start(options);
    await expect(http.call({ path, headers: FOREIGN })).resolves.toMatchObject({ status });
  });

  it.each([
    [['http://evil.example'], FOREIGN, 200],
    [['http://*.example'], FOREIGN, 200],
    [['*'], FOREIGN, 200],
    [['*'], { origin: 'null' }, 200],
    [['*'], { 'sec-fetch-site': 'cross-site' }, 200],
    [['http://good.example'], FOREIGN, 403],
    [['http://good.example'], { origin: 'null' }, 403],
    [['http://good.example'], { 'sec-fetch-site': 'cross-site' }, 403],
  ])('are decided by --allowed-origins %j: %j has %i', async (allowedOrigins, headers, status) => {
    await start({ allowedOrigins });
    await expect(http.call({ path: LOCK, body: BODY, headers })).resolves.toMatchObject({ status });
  });

  it('may be named by any Host where no browser sent them', async () => {
    await start();
    for (const host of ['sidecar:3500', 'orders-dapr.default.svc.cluster.local', 'evil.example']) {
      const call = { path: LOCK, body: BODY, headers: { host } };
      await expect(http.call(call)).resolves.toMatchObject({ status: 200 });
    }
  });
});
