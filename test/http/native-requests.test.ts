import { createFakeNativeLocks } from '../support/fake-lock-service';
import { HttpFixture, NOT_ROUTED } from './http-fixture';

const LOCKS = '/holdfast/v1/locks/store';
const JSON_TYPE = { 'content-type': 'application/json' };
const TAKING = '{"resourceId":"r","ttlMs":1000}';

describe('a request of the native API over HTTP', () => {
  let asked: unknown[];
  let http: HttpFixture;
  const note = (request: unknown) => {
    asked.push(request);
    return Promise.resolve({ status: 'RELEASED' as const });
  };

  beforeEach(async () => {
    asked = [];
    const locks = createFakeNativeLocks();
    const nativeLocks = createFakeNativeLocks({
      acquire: (...call) => note(call[0]).then(() => locks.acquire(...call)),
      hold: (...call) => {
        asked.push(call[0]);
        locks.hold(...call);
      },
      release: note,
      forceRelease: note,
      get: (request) => note(request).then(() => undefined),
      list: (...call) => note(call[0]).then(() => locks.list(...call)),
    });
    http = await new HttpFixture({ nativeLocks }).start();
  });
  afterEach(() => http.server.close());

  const post = (method: string, body: string, headers: Record<string, string> = JSON_TYPE) =>
    http.call({ path: `${LOCKS}/${method}`, headers, body });
  const get = (target: string) => http.call({ method: 'GET', path: `${LOCKS}${target}` });

  it.each([
    ['', 'the body is not valid JSON'],
    ['{', 'the body is not valid JSON'],
    ['[]', 'the body is not a JSON object'],
    ['{"resourceId":"r"}', 'field ttlMs is missing'],
    ['{"resourceId":"r","ttlMs":null}', 'field ttlMs is missing'],
    ['{"ttlMs":1000}', 'field resourceId is missing'],
    ['{"resourceId":7,"ttlMs":1000}', 'resourceId is a number; a string is allowed'],
    ['{"resourceId":"r","ttlMs":"1000"}', 'ttlMs is a string; a whole number is allowed'],
    ['{"resourceId":"r","ttlMs":10.5}', 'ttlMs is 10.5; a whole number is allowed'],
    ['{"resourceId":"r","ttlMs":1e3}', 'ttlMs is 1e3; a whole number is allowed'],
    ['{"resourceId":"r","ttlMs":{}}', 'ttlMs is an object; a whole number is allowed'],
    ['{"resourceId":"r","ttlMs":true}', 'ttlMs is true; a whole number is allowed'],
    ['{"resourceId":"r","ttlMs":1000,"ttlMs":2000}', 'ttlMs occurs twice'],
    ['{"resourceId":"r","ttlMs":1000,"wait":1}', 'unknown field \\"wait\\" (allowed: resourceId, '],
    ['{"resourceId":"r","ttlMs":1000,"__proto__":1}', 'unknown field \\"__proto__\\"'],
    ['{"resourceId":"r","ttlMs":1000,"storeName":"s"}', 'unknown field \\"storeName\\"'],
    ['{"resourceId":"\\ud800","ttlMs":1000}', 'invalid escape code in string'],
    [`{"resourceId":"${'r'.repeat(70_000)}","ttlMs":1000}`, 'the body is longer than 65536 bytes'],
  ])('is refused with the body %s', async (body, reason) => {
    for (const method of ['acquire', 'hold']) {
      const answer = await post(method, body);
      expect(answer.status).toBe(400);
      expect(answer.body).toContain('"errorCode":"ERR_MALFORMED_REQUEST"');
      expect(answer.body).toContain(reason);
    }
    expect(asked).toEqual([]);
  });

  it('may have a token that is a number, and no other', async () => {
    const release = (token: string) =>
      post('release', `{"resourceId":"r","lockOwner":"o","fencingToken":${token}}`);
    await expect(release('9007199254740991')).resolves.toMatchObject({ status: 200 });
    expect(asked).toEqual([
      {
        ...{ storeName: 'store', resourceId: 'r', lockOwner: 'o' },
        fencingToken: Number.MAX_SAFE_INTEGER,
      },
    ]);
    await expect(release('"7"')).resolves.toMatchObject({ status: 400 });
  });

  it('leaves the wait and the owner out where the body does', async () => {
    await post('acquire', TAKING);
    const request = { storeName: 'store', resourceId: 'r', lockOwner: '', ttlMs: 1000, waitMs: 0 };
    expect(asked).toEqual([request]);
  });

  it.each([{}, { 'content-type': 'text/plain' }, { 'content-type': 'application/jsonp' }])(
    'changes nothing with the headers %j',
    async (headers) => {
      for (const method of ['acquire', 'renew', 'release', 'hold', 'force-release']) {
        await expect(post(method, TAKING, headers)).resolves.toMatchObject({ status: 415 });
      }
      expect(asked).toEqual([]);
    },
  );

  it('may name a character set', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    await expect(post('acquire', TAKING, headers)).resolves.toMatchObject({ status: 200 });
  });

  it('is refused from a page of another origin', async () => {
    const headers = { ...JSON_TYPE, origin: 'http://elsewhere.example' };
    await expect(post('acquire', TAKING, headers)).resolves.toMatchObject({ status: 403 });
    expect(asked).toEqual([]);
  });

  it('is refused where a hold is asked for as JSON', async () => {
    const answer = await post('hold', TAKING, { ...JSON_TYPE, accept: 'application/json' });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('application/x-ndjson');
    expect(asked).toEqual([]);
  });

  it.each(['*/*', 'application/x-ndjson', 'application/json, text/plain, */*'])(
    'begins a hold for a client that accepts %s',
    async (accept) => {
      const answer = await post('hold', TAKING, { ...JSON_TYPE, accept });
      expect(answer).toMatchObject({
        status: 200,
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{"type":"held","lease":{"lockOwner":"o","fencingToken":7,"validMs":1000}}\n',
      });
    },
  );

  it('finds what its query names, whatever its characters', async () => {
    await get('/lock?resourceId=a%2Fb%20c%C3%BC');
    await get('?prefix=a%26&pageSize=7&pageToken=t');
    await get('');
    const page = { storeName: 'store', prefix: '', pageSize: undefined, pageToken: '' };
    expect(asked).toEqual([
      { storeName: 'store', resourceId: 'a/b cü' },
      { storeName: 'store', prefix: 'a&', pageSize: 7, pageToken: 't' },
      page,
    ]);
  });

  it.each([
    ['/lock', 'parameter resourceId is missing'],
    ['/lock?resourceId=a&resourceId=b', 'resourceId occurs twice'],
    ['/lock?resourceId=%ff', 'an escape is not valid UTF-8'],
    ['/lock?resourceId=a&owner=b', 'unknown parameter \\"owner\\" (allowed: resourceId)'],
    ['?pageSize=many', 'pageSize is many; a whole number is allowed'],
    ['?pageSize=', 'pageSize is empty; a whole number is allowed'],
    ['?limit=1', 'unknown parameter \\"limit\\"'],
  ])('is refused with the query %s', async (target, reason) => {
    const answer = await get(target);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(reason);
    expect(asked).toEqual([]);
  });

  it('is answered with 404 where the lock is free', async () => {
    await expect(get('/lock?resourceId=r')).resolves.toMatchObject({
      status: 404,
      body: '{"errorCode":"ERR_LOCK_NOT_HELD","message":"the lock is free"}',
    });
  });

  it('has no path of another kind', async () => {
    for (const [method, path] of [
      ['GET', `${LOCKS}/acquire`],
      ['POST', LOCKS],
      ['POST', `${LOCKS}/nope`],
    ] as const) {
      await expect(http.call({ method, path, headers: JSON_TYPE })).resolves.toMatchObject({
        status: 404,
        body: NOT_ROUTED,
      });
    }
  });

  it('has no place on the public port', async () => {
    const open = await new HttpFixture({ surface: 'public' }).start();
    for (const path of [LOCKS, `${LOCKS}/lock?resourceId=r`]) {
      await expect(open.call({ method: 'GET', path })).resolves.toMatchObject({ status: 404 });
    }
    const call = { path: `${LOCKS}/acquire`, headers: JSON_TYPE, body: TAKING };
    await expect(open.call(call)).resolves.toMatchObject({ status: 404 });
    await open.server.close();
  });
});

describe('a granted TryLock', () => {
  it('carries its fencing token beside the answer, where the store gives one', async () => {
    let fencingToken: number | undefined = 42;
    const tryLock = () => Promise.resolve({ success: true, fencingToken });
    const http = await new HttpFixture({ locks: { tryLock } }).start();
    const call = () => http.call({ path: '/v1.0-alpha1/lock/s', body: '{}' });
    const answer = await call();
    expect(answer.headers['holdfast-fencing-token']).toBe('42');
    expect(answer.body).toBe('{"success":true}');
    fencingToken = undefined;
    expect((await call()).headers).not.toHaveProperty('holdfast-fencing-token');
    await http.server.close();
  });
});
