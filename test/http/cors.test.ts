import { HttpFixture, NOT_ROUTED } from './http-fixture';

const LOCK = '/v1.0-alpha1/lock/lockstore';

describe('CORS', () => {
  let http: HttpFixture;
  afterEach(() => http.server.close());
  const start = async (...allowedOrigins: readonly string[]) => {
    http = await new HttpFixture({ allowedOrigins, token: 'hush' }).start();
  };
  const preflight = (origin: string, headers: Readonly<Record<string, string>> = {}) =>
    http.call({
      method: 'OPTIONS',
      path: LOCK,
      headers: { origin, 'access-control-request-method': 'POST', ...headers },
    });

  it('is off without origins: a preflight is a call like any other', async () => {
    await start();
    await expect(preflight('http://x.test')).resolves.toMatchObject({ status: 401 });
    await expect(preflight('http://x.test', { 'dapr-api-token': 'hush' })).resolves.toMatchObject({
      status: 404,
      body: NOT_ROUTED,
    });
  });

  it('answers the preflight of an origin without a token', async () => {
    await start('http://x.test', 'http://y.test');
    const answer = await preflight('http://y.test', {
      'access-control-request-headers': 'content-type, dapr-api-token',
    });
    expect(answer).toMatchObject({
      status: 200,
      body: '',
      headers: {
        vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
        'access-control-allow-origin': 'http://y.test',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'Content-Type, Dapr-Api-Token',
      },
    });
  });

  it.each([
    ['another origin', 'http://z.test', {}],
    ['a method that nobody has', 'http://x.test', { 'access-control-request-method': 'BREW' }],
  ])('tells %s nothing, with the same status', async (_what, origin, headers) => {
    await start('http://x.test');
    const answer = await preflight(origin, headers);
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each([
    ['*', 'http://any.test', '*'],
    ['https://*.x.test', 'https://a.b.x.test', 'https://a.b.x.test'],
    ['https://*.x.test', 'https://x.test', undefined],
    ['HTTP://X.TEST', 'http://x.test', 'http://x.test'],
    ['http://x.test', 'http://xatest', undefined],
  ])('of %s lets %s have %s', async (allowed, origin, answered) => {
    await start(allowed);
    const { headers } = await preflight(origin);
    expect(headers['access-control-allow-origin']).toBe(answered);
  });

  it('marks what is called, errors too', async () => {
    await start('http://x.test');
    const call = (headers: Readonly<Record<string, string>>) =>
      http.call({ path: LOCK, body: '{}', headers });
    await expect(call({ origin: 'http://x.test' })).resolves.toMatchObject({
      status: 401,
      headers: { vary: 'Origin', 'access-control-allow-origin': 'http://x.test' },
    });
    const same = await call({ 'dapr-api-token': 'hush' });
    expect(same.headers).toMatchObject({ vary: 'Origin' });
    expect(same.headers).not.toHaveProperty('access-control-allow-origin');
  });
});
