import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { lockErrors } from '../../src/lock/lock-errors';
import type { Caller, TryLockRequest, UnlockRequest } from '../../src/lock/lock-service';
import { eventually } from '../support/eventually';
import { HttpFixture, NOT_ROUTED } from './http-fixture';

const LOCK = '/v1.0-alpha1/lock/s';
const BODY = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":5}';

describe('the HTTP server', () => {
  let http: HttpFixture;
  const tryLock = jest.fn<Promise<{ success: boolean }>, [TryLockRequest, Caller]>();
  const unlock = jest.fn<Promise<{ status: 0 | 1 | 2 }>, [UnlockRequest, Caller]>();

  beforeAll(async () => {
    http = await new HttpFixture({ locks: { tryLock, unlock } }).start();
  });
  afterAll(() => http.server.close());
  beforeEach(() => {
    tryLock.mockReset().mockResolvedValue({ success: true });
    unlock.mockReset().mockResolvedValue({ status: 0 });
  });

  describe('lock', () => {
    it('hands the request to the lock service, with the store of the path', async () => {
      await http.call({ path: LOCK, body: BODY.replace('{', '{"storeName":"other",') });
      expect(tryLock.mock.calls[0]![0]).toEqual({
        storeName: 's',
        resourceId: 'r',
        lockOwner: 'o',
        expiryInSeconds: 5,
      });
    });

    it.each([true, false])('answers success %s in exactly these bytes', async (success) => {
      tryLock.mockResolvedValue({ success });
      const answer = await http.call({ path: LOCK, body: BODY });
      expect(answer).toMatchObject({ status: 200, body: `{"success":${String(success)}}` });
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json',
        'content-length': String(answer.body.length),
      });
    });

    it('never sends a header that an SDK takes for the status', async () => {
      const { headers } = await http.call({ path: LOCK, body: BODY });
      expect(Object.keys(headers)).not.toContain('metadata.statuscode');
    });
  });

  describe('unlock', () => {
    it.each([0, 1, 2] as const)('answers status %i as a number', async (status) => {
      unlock.mockResolvedValue({ status });
      const answer = await http.call({ path: '/v1.0-alpha1/unlock/s', body: BODY });
      expect(answer).toMatchObject({ status: 200, body: `{"status":${status}}` });
    });
  });

  describe('an error', () => {
    it('of the catalogue is answered by its row, escaped as Go does', async () => {
      tryLock.mockRejectedValue(lockErrors.storeNotFound('<&>\u2028é'));
      const answer = await http.call({ path: LOCK, body: BODY });
      expect(answer).toMatchObject({
        status: 400,
        body: '{"errorCode":"ERR_LOCK_STORE_NOT_FOUND","message":"lock store \\u003c\\u0026\\u003e\\u2028é not found"}',
      });
    });

    it('of a call beyond the bound is 503, with the pause before the next try', async () => {
      const error = lockErrors.overloaded(1000);
      tryLock.mockRejectedValue(error);
      const { status, headers, body } = await http.call({ path: LOCK, body: BODY });
      expect([status, headers['retry-after']]).toEqual([503, '1']);
      expect(JSON.parse(body)).toEqual({
        errorCode: 'ERR_LOCK_OVERLOADED',
        message: error.message,
      });
    });

    it('that time does not mend has no Retry-After', async () => {
      tryLock.mockRejectedValue(lockErrors.storeNotFound('s'));
      const { headers } = await http.call({ path: LOCK, body: BODY });
      expect(headers['retry-after']).toBeUndefined();
    });

    it('that is a defect is answered without its own text, and logged', async () => {
      tryLock.mockRejectedValue(new TypeError('the reason'));
      const answer = await http.call({ path: LOCK, body: BODY });
      expect(answer).toMatchObject({
        status: 500,
        body: '{"errorCode":"ERR_INTERNAL","message":"internal error"}',
      });
      expect(http.logger.messages('error').at(-1)).toContain('the reason');
    });

    it('of a handler that throws is answered too', async () => {
      tryLock.mockImplementation(() => {
        throw new RangeError('thrown');
      });
      await expect(http.call({ path: LOCK, body: BODY })).resolves.toMatchObject({ status: 500 });
    });
  });

  describe('the content type', () => {
    it.each([
      'text/plain',
      'application/xml',
      'garbage;;;=',
      'application/json; charset=utf-16',
      'multipart/form-data',
      'application/x-www-form-urlencoded',
    ])('%s is not looked at', async (type) => {
      const answer = await http.call({ path: LOCK, body: BODY, headers: { 'content-type': type } });
      expect(answer.body).toBe('{"success":true}');
    });

    it('may be missing', async () => {
      const answer = await http.call({ path: LOCK, body: BODY });
      expect(answer.body).toBe('{"success":true}');
    });

    it.each(['gzip', 'br'])('does not make a body %s', async (encoding) => {
      const headers = { 'content-encoding': encoding };
      const answer = await http.call({ path: LOCK, body: BODY, headers });
      expect(answer.body).toBe('{"success":true}');
    });
  });

  describe('what is no route', () => {
    it.each([
      ['GET', '/'],
      ['GET', LOCK],
      ['PUT', LOCK],
      ['DELETE', LOCK],
      ['PATCH', LOCK],
      ['OPTIONS', LOCK],
      ['PROPFIND', LOCK],
      ['POST', '/v1.0-alpha1/lock'],
      ['POST', '/v1.0-alpha1/lock/'],
      ['POST', '/v1.0-alpha1/lock/a/b'],
      ['POST', '/V1.0-alpha1/lock/s'],
      ['POST', '/v1.0-alpha1/%6Cock/s'],
      ['POST', '/v1.0/lock/s'],
      ['POST', '/v1.0/healthz'],
      ['POST', '/v1.0/metadata'],
      ['GET', '/v1.0/shutdown'],
    ])('%s %s is answered as daprd does', async (method, path) => {
      const answer = await http.call({ method, path });
      expect(answer).toMatchObject({ status: 404, body: NOT_ROUTED });
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.headers).not.toHaveProperty('allow');
    });

    it('is answered to HEAD without a body', async () => {
      const answer = await http.call({ method: 'HEAD', path: '/v1.0/healthz' });
      expect(answer).toMatchObject({ status: 404, body: '' });
    });

    it('is answered whatever the size of its body', async () => {
      const answer = await http.call({ path: '/nope', body: Buffer.alloc(5 * 2 ** 20) });
      expect(answer.body).toBe(NOT_ROUTED);
    });
  });

  describe('a body', () => {
    const padded = (size: number) => BODY.padEnd(size);
    const tooLarge =
      '{"errorCode":"ERR_BODY_READ","message":"failed to read request body: stream too large"}';

    it('of exactly the limit is taken', async () => {
      const answer = await http.call({ path: LOCK, body: padded(4_194_304) });
      expect(answer.body).toBe('{"success":true}');
    });

    it.each([4_194_305, 9_000_000])('of %i bytes is too large', async (size) => {
      const answer = await http.call({ path: LOCK, body: padded(size) });
      expect(answer).toMatchObject({ status: 400, body: tooLarge });
    });

    it('in chunks is held to the same limit', async () => {
      const headers = { 'transfer-encoding': 'chunked' };
      const sound = await http.call({ path: LOCK, body: padded(4_194_304), headers });
      const large = await http.call({ path: LOCK, body: padded(4_194_305), headers });
      expect([sound.body, large.body]).toEqual(['{"success":true}', tooLarge]);
    });

    it('that its client leaves in the middle is no error of ours', async () => {
      const before = http.logger.lines.length;
      const socket = connect(http.port, '127.0.0.1');
      socket.write(`POST ${LOCK} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"a"`);
      await pause(50);
      socket.destroy();
      await http.call({ path: LOCK, body: BODY });
      expect(http.logger.lines.slice(before).filter(({ level }) => level !== 'debug')).toEqual([]);
    });

    it('that is malformed is answered in the words of daprd', async () => {
      const answer = await http.call({ path: LOCK, body: 'null' });
      expect(answer.status).toBe(400);
      expect(answer.body).toMatch(
        /^\{"errorCode":"ERR_MALFORMED_REQUEST","message":"failed deserializing HTTP body: proto: .+"\}$/,
      );
    });
  });

  describe('a caller that hangs up', () => {
    it('aborts its call', async () => {
      let aborted = false;
      tryLock.mockImplementation(
        (_request, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(lockErrors.tryLockFailed('gone', undefined));
            });
          }),
      );
      const socket = connect(http.port, '127.0.0.1');
      socket.write(
        `POST ${LOCK} HTTP/1.1\r\nhost: x\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
      );
      await eventually(() => {
        expect(tryLock).toHaveBeenCalled();
      });
      socket.destroy();
      await eventually(() => {
        expect(aborted).toBe(true);
      });
    });

    it('after its answer aborts nothing', async () => {
      await http.call({ path: LOCK, body: BODY });
      await http.call({ path: LOCK, body: BODY });
      expect(tryLock.mock.calls[0]![1].signal.aborted).toBe(false);
    });
  });
});

describe('the HTTP server without a body limit', () => {
  it('takes a body of any size', async () => {
    const http = await new HttpFixture({ maxBodyBytes: undefined }).start();
    const answer = await http.call({ path: LOCK, body: BODY.padEnd(9_000_000) });
    expect(answer.body).toBe('{"success":true}');
    await http.server.close();
  });
});

describe('the HTTP server with a token', () => {
  let http: HttpFixture;
  const tryLock = jest.fn(() => Promise.resolve({ success: true }));
  beforeAll(async () => {
    http = await new HttpFixture({ token: 'sesame', locks: { tryLock } }).start();
    http.sidecar.health.markReady('runtime');
    http.sidecar.health.markOutboundReady();
  });
  afterAll(() => http.server.close());

  it.each([
    ['POST', LOCK],
    ['GET', '/v1.0/metadata'],
    ['GET', '/nope'],
    ['POST', '/v1.0/shutdown'],
    ['POST', '/v1.0/healthz'],
    ['OPTIONS', LOCK],
  ])('refuses %s %s without it', async (method, path) => {
    const answer = await http.call({ method, path });
    expect(answer).toMatchObject({ status: 401, body: 'invalid api token\n' });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
  });

  it('refuses a wrong one and takes the right one', async () => {
    const call = (token: string) =>
      http.call({ path: LOCK, body: BODY, headers: { 'dapr-api-token': token } });
    expect((await call('Sesame')).status).toBe(401);
    expect(tryLock).not.toHaveBeenCalled();
    expect((await call('sesame')).status).toBe(200);
    expect(tryLock).toHaveBeenCalledTimes(1);
  });

  it.each(['/v1.0/healthz', '/v1.0/healthz/', '//v1.0/healthz/outbound?x=y'])(
    'asks for none at GET %s',
    async (path) => {
      await expect(http.call({ method: 'GET', path })).resolves.toMatchObject({ status: 204 });
    },
  );
});

describe('the HTTP server at its end', () => {
  it('answers requests in flight and closes idle connections', async () => {
    let finish: (() => void) | undefined;
    const http = await new HttpFixture({
      locks: {
        tryLock: () =>
          new Promise((resolve) => {
            finish = () => {
              resolve({ success: true });
            };
          }),
      },
    }).start();
    const idle = connect(http.port, '127.0.0.1');
    const idleClosed = new Promise((resolve) => idle.once('close', resolve));
    idle.resume();
    const call = http.call({ path: LOCK, body: BODY });
    await eventually(() => {
      expect(finish).toBeDefined();
    });
    const closed = http.server.close();
    finish!();
    await expect(call).resolves.toMatchObject({ body: '{"success":true}' });
    await closed;
    idle.end();
    await idleClosed;
  });
});

describe('the HTTP server on a port that is taken', () => {
  it('rejects with the reason', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const http = new HttpFixture();
    await expect(http.server.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await http.server.close();
    other.close();
  });
});
