import { connect } from 'node:net';

import type { ApiCall, ApiResult } from '../../src/api/api-observer';
import { lockErrors } from '../../src/lock/lock-errors';
import type { Caller } from '../../src/lock/lock-service';
import { eventually } from '../support/eventually';
import { HttpFixture } from './http-fixture';

const LOCK = '/v1.0-alpha1/lock/lockstore';
const BODY = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":9}';

describe('what an observer is told of an HTTP call', () => {
  let http: HttpFixture;
  let seen: { readonly call: ApiCall; readonly result: ApiResult }[];
  let begun: string[];
  /** Fails once its caller has gone, as a store's call does. */
  const failsOnceAbandoned = (_request: unknown, { signal }: Caller) =>
    new Promise<never>((_resolve, reject) => {
      begun.push('tryLock');
      signal.addEventListener('abort', () => {
        reject(lockErrors.tryLockFailed('the caller is no longer waiting', undefined));
      });
    });
  beforeEach(async () => {
    [seen, begun] = [[], []];
    http = await new HttpFixture({
      allowedOrigins: ['*'],
      locks: { tryLock: failsOnceAbandoned },
      observer: {
        begin: (call) => {
          begun.push('call');
          return {
            responseHeaders: {},
            responseTraceBin: undefined,
            responseBaggage: undefined,
            refusal: undefined,
            lockObserver: undefined,
            end: (result) => {
              seen.push({ call, result });
            },
          };
        },
      },
    }).start();
  });
  afterEach(() => http.server.close());

  const seenOnce = () =>
    eventually(() => {
      expect(seen).toHaveLength(1);
      return seen[0]!;
    });
  const hangUpOnce = async (stage: string, contentLength: number) => {
    const socket = connect(http.port, '127.0.0.1');
    const head = `host: h\r\ncontent-length: ${contentLength}`;
    socket.write(`POST ${LOCK} HTTP/1.1\r\n${head}\r\n\r\n${BODY}`);
    await eventually(() => {
      expect(begun).toContain(stage);
    });
    expect(seen).toEqual([]);
    socket.destroy();
  };

  it('is its answer where there is one', async () => {
    await http.call({ path: '/v1.0-alpha1/unlock/lockstore', body: BODY });
    const { result } = await seenOnce();
    expect(result).toMatchObject({ status: 200, responseBytes: 12, isLogged: true });
  });

  it('is the failure that nobody is there to hear of where the client hangs up', async () => {
    await hangUpOnce('tryLock', BODY.length);
    const { result } = await seenOnce();
    expect(result).toMatchObject({ status: 500, errorCode: 'ERR_TRY_LOCK', responseBytes: 0 });
  });

  it('is what is wrong with a body that breaks off', async () => {
    await hangUpOnce('call', 100);
    const { result } = await seenOnce();
    expect(result).toMatchObject({ status: 400, errorCode: 'ERR_BODY_READ', responseBytes: 0 });
  });

  it.each([
    ['POST', '/v1.0-alpha1/unlock/lockstore', '/v1.0-alpha1/unlock/{store}', 'lockstore'],
    ['POST', '/x/..//v1.0-alpha1/unlock/a%2Fb+c/?q', '/v1.0-alpha1/unlock/{store}', 'a/b c'],
    ['PUT', '/v1.0/metadata/a-key', '/v1.0/metadata/{key}', undefined],
    ['GET', '/v1.0/healthz/', '/v1.0/healthz', undefined],
  ])('names the route of %s %s', async (method, path, template, storeName) => {
    await http.call({ method, path });
    expect((await seenOnce()).call.route).toEqual({ template, storeName });
  });

  it('names no route where there is none', async () => {
    await http.call({ path: '/nope' });
    expect((await seenOnce()).call.route).toBeUndefined();
  });

  it('says that a preflight is not to be logged', async () => {
    const headers = { origin: 'http://x.test', 'access-control-request-method': 'POST' };
    await http.call({ method: 'OPTIONS', path: LOCK, headers });
    expect((await seenOnce()).result).toMatchObject({ status: 200, isLogged: false });
  });
});
