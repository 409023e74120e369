import { status } from '@grpc/grpc-js';

import { loadNativeService } from '../../src/grpc/proto-files';
import { createLockKeyPrefix } from '../../src/lock/lock-key';
import { createNativeLockService } from '../../src/lock/native/native-locks';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { createMemoryStore } from '../../src/stores/memory/memory-store';
import { GrpcFixture } from '../grpc/grpc-fixture';
import { HttpFixture } from '../http/http-fixture';
import { eventually } from '../support/eventually';
import type { HttpCall } from '../support/http-call';
import {
  type NativeCall,
  type NativeClient,
  NativeGrpcClient,
  NativeHttpClient,
  type NativeMessage,
} from '../support/native-clients';

const STORE = 'memory';
const LOCK = { storeName: STORE, resourceId: 'r' };
const TTL_MS = 60_000;
const LONG = 'x'.repeat(64 * 1024);
const { MAX_SAFE_INTEGER } = Number;

describe('wrong input of the native API', () => {
  let locks: ReturnType<typeof createNativeLockService>;
  let http: HttpFixture;
  let grpc: GrpcFixture;
  let before: unknown;
  let token: number;

  const caller = () => ({
    signal: new AbortController().signal,
    arrivedAtMs: performance.now(),
  });
  /** All that a client can see of the stores: two pages of one, so that there is a page token. */
  const look = async () => {
    const request = { prefix: '', pageSize: 1, pageToken: '' };
    const first = await locks.list({ storeName: STORE, ...request }, caller());
    const { nextPageToken: pageToken } = first;
    const second = await locks.list({ storeName: STORE, ...request, pageToken }, caller());
    const held = [...first.locks, ...second.locks];
    const stable = held.map(({ resourceId, lockOwner, fencingToken, waiters }) => ({
      resourceId,
      lockOwner,
      fencingToken,
      waiters,
    }));
    return { pageToken, locks: stable };
  };

  beforeAll(async () => {
    const stores = new StoreCatalog();
    const keyPrefix = createLockKeyPrefix({ keyPrefix: 'none', appId: '', componentName: '' });
    for (const name of [STORE, 'other']) {
      const store = createMemoryStore({ now: () => performance.now() });
      stores.add({ name, store, keyPrefix });
    }
    locks = createNativeLockService({ stores, appId: 'a', hostName: 'h', observers: [] });
    [http, grpc] = [
      new HttpFixture({ nativeLocks: locks }),
      new GrpcFixture({ nativeLocks: locks }),
    ];
    await Promise.all([http.start(), grpc.start()]);
    for (const resourceId of ['r', 'r2']) {
      for (const storeName of [STORE, 'other']) {
        const request = { storeName, resourceId, lockOwner: 'o', ttlMs: TTL_MS, waitMs: 0 };
        const answer = await locks.acquire(request, caller());
        if (answer.acquired && storeName === STORE && resourceId === 'r') {
          token = answer.lease.fencingToken;
        }
      }
    }
    before = await look();
  });
  afterEach(async () => {
    expect(await look()).toEqual(before);
  });
  afterAll(async () => {
    locks.stop();
    await Promise.all([http.server.close(), grpc.stop()]);
  });

  const taking = { ...LOCK, lockOwner: 'p', ttlMs: TTL_MS };
  const owned = { ...LOCK, lockOwner: 'o' };
  const forcing = { ...LOCK, reason: 'test' };

  /** A call that both transports can express, and what its error has to name. */
  const BOTH: readonly (readonly [NativeCall | 'Hold', NativeMessage, RegExp])[] = [
    ...(['Acquire', 'Hold'] as const).flatMap(
      (call): readonly (readonly [NativeCall | 'Hold', NativeMessage, RegExp])[] => [
        [call, { ...taking, ttlMs: 9 }, /ttlMs is 9; a whole number from 10 to 2147483647/],
        [call, { ...taking, ttlMs: -1 }, /ttlMs is -1/],
        [call, { ...taking, ttlMs: 0 }, /ttlMs is 0/],
        [call, { ...taking, waitMs: -1 }, /waitMs is -1; a whole number from 0 to 86400000/],
        [call, { ...taking, waitMs: 86_400_001 }, /waitMs is 86400001/],
        [call, { ...taking, resourceId: '' }, /resourceId is empty/],
        [call, { ...taking, resourceId: 'a||b' }, /resourceId contains '\|\|'/],
        [call, { ...taking, storeName: 'none' }, /none/],
      ],
    ),
    ['Renew', { ...owned, ttlMs: 9 }, /ttlMs is 9/],
    ['Renew', { ...owned, lockOwner: '', ttlMs: TTL_MS }, /lockOwner is empty/],
    ['Renew', { ...owned, ttlMs: TTL_MS, fencingToken: 0 }, /fencingToken is 0/],
    ['Renew', { ...owned, ttlMs: TTL_MS, fencingToken: -7 }, /fencingToken is -7/],
    ['Renew', { ...owned, ttlMs: TTL_MS, fencingToken: 2 ** 53 }, /fencingToken/],
    ['Renew', { ...owned, resourceId: 'r||', ttlMs: TTL_MS }, /resourceId contains/],
    ['Release', { ...owned, fencingToken: 0 }, /fencingToken is 0; a whole number from 1/],
    ['Release', { ...owned, fencingToken: -1 }, /fencingToken is -1/],
    ['Release', { ...owned, fencingToken: 2 ** 53 }, /fencingToken/],
    ['Release', { ...owned, lockOwner: '' }, /lockOwner is empty/],
    ['Release', { ...owned, resourceId: '||' }, /resourceId contains/],
    ['ForceRelease', { ...forcing, fencingToken: -1 }, /fencingToken is -1/],
    ['ForceRelease', { ...forcing, fencingToken: 2 ** 53 }, /fencingToken/],
    ['ForceRelease', { ...forcing, fencingToken: 0 }, /lockOwner is empty/],
    ['ForceRelease', { ...forcing, fencingToken: 0, lockOwner: 'o' }, /expiresAtMs is missing/],
    [
      'ForceRelease',
      { ...forcing, fencingToken: 0, lockOwner: 'o', expiresAtMs: -1 },
      /expiresAtMs is -1/,
    ],
    ['ForceRelease', { ...forcing, fencingToken: 1, reason: '' }, /reason has 0 characters/],
    [
      'ForceRelease',
      { ...forcing, fencingToken: 1, reason: 'x'.repeat(257) },
      /reason has 257 characters; 1 to 256/,
    ],
    ['ForceRelease', { ...forcing, fencingToken: 1, reason: 'a\nb' }, /reason has a control/],
    ['ForceRelease', { ...forcing, fencingToken: 1, reason: 'a\u2028b' }, /reason has a/],
    ['Get', { ...LOCK, resourceId: '' }, /resourceId is empty/],
    ['Get', { ...LOCK, resourceId: 'a||b' }, /resourceId contains/],
    ['List', { storeName: STORE, pageSize: 0 }, /pageSize is 0; a whole number from 1 to 1000/],
    ['List', { storeName: STORE, pageSize: -1 }, /pageSize is -1/],
    ['List', { storeName: STORE, pageSize: 1001 }, /pageSize is 1001/],
    ['List', { storeName: STORE, prefix: 'a||b' }, /prefix contains/],
    ['List', { storeName: STORE, pageToken: 'garbage' }, /pageToken/],
    ['List', { storeName: STORE, pageToken: LONG.slice(0, 8000) }, /pageToken/],
    ['List', { storeName: STORE, pageToken: 'bnVsbA' }, /pageToken/],
    ['List', { storeName: STORE, pageToken: 'e30' }, /pageToken/],
  ];

  describe.each<[string, () => NativeClient, number]>([
    ['HTTP', () => new NativeHttpClient({ port: http.port }), 400],
    ['gRPC', () => new NativeGrpcClient(`127.0.0.1:${grpc.port}`), status.INVALID_ARGUMENT],
  ])('over %s', (_transport, connect, refused) => {
    let client: NativeClient;
    beforeAll(() => {
      client = connect();
    });
    afterAll(() => {
      client.close();
    });
    const refusalOf = async (call: NativeCall | 'Hold', message: NativeMessage) => {
      if (call !== 'Hold') return client.call(call, message);
      const hold = client.hold(message);
      await eventually(() => {
        expect(hold.end).toBeDefined();
      });
      expect(hold.told).toEqual([]);
      return hold.end;
    };

    it.each(BOTH)('is refused: %s %j', async (call, message, names) => {
      const errorCode =
        message.storeName === 'none' ? 'ERR_LOCK_STORE_NOT_FOUND' : 'ERR_MALFORMED_REQUEST';
      await expect(refusalOf(call, message)).resolves.toMatchObject({
        status: refused,
        errorCode,
        message: expect.stringMatching(names) as string,
      });
    });

    it('is a page token of another store, or of another prefix', async () => {
      const request = { storeName: 'other', prefix: 'r', pageSize: 1 };
      const { body } = await client.call('List', request);
      const pageToken = String(body?.nextPageToken);
      expect(pageToken).not.toBe('');
      for (const wrong of [{ storeName: STORE }, { prefix: 'r2' }]) {
        await expect(
          client.call('List', { ...request, ...wrong, pageToken }),
        ).resolves.toMatchObject({
          status: refused,
          errorCode: 'ERR_MALFORMED_REQUEST',
          message: expect.stringContaining('pageToken') as string,
        });
      }
    });

    it('is a name of a store as long as a request may be, and the answer can be read', async () => {
      const storeName = LONG.slice(0, 3000);
      await expect(client.call('Release', { ...owned, storeName })).resolves.toMatchObject({
        status: refused,
        errorCode: 'ERR_LOCK_STORE_NOT_FOUND',
      });
    });
  });

  describe('over HTTP alone', () => {
    const path = `/holdfast/v1/locks/${STORE}`;
    const JSON_TYPE = { 'content-type': 'application/json' };
    const post = (call: string, body: string, headers: HttpCall['headers'] = JSON_TYPE) =>
      http.call({ path: `${path}/${call}`, headers, body });
    const whole = { resourceId: 'free', lockOwner: 'p', ttlMs: TTL_MS };

    it.each<[string, string, RegExp]>([
      ['ttlMs 2^31', JSON.stringify({ ...whole, ttlMs: 2 ** 31 }), /ttlMs is 2147483648/],
      ['ttlMs 1.5', JSON.stringify({ ...whole, ttlMs: 1.5 }), /ttlMs is 1\.5; a whole number/],
      ['ttlMs "10"', JSON.stringify({ ...whole, ttlMs: '10' }), /ttlMs is a string; a whole/],
      ['ttlMs 1e3', '{"resourceId":"free","ttlMs":1e3}', /ttlMs is 1e3; a whole number/],
      ['ttlMs true', JSON.stringify({ ...whole, ttlMs: true }), /ttlMs is true/],
      ['ttlMs null', JSON.stringify({ ...whole, ttlMs: null }), /ttlMs is missing/],
      ['ttlMs []', JSON.stringify({ ...whole, ttlMs: [] }), /ttlMs is a list/],
      ['no ttlMs', JSON.stringify({ resourceId: 'free' }), /ttlMs is missing/],
      ['no resourceId', JSON.stringify({ ttlMs: 10 }), /resourceId is missing/],
      ['resourceId 7', JSON.stringify({ ...whole, resourceId: 7 }), /resourceId is a number/],
      ['an unknown field', JSON.stringify({ ...whole, expiryInSeconds: 1 }), /expiryInSeconds/],
      ['a field in snake_case', JSON.stringify({ ...whole, wait_ms: 1 }), /wait_ms/],
      ['__proto__', '{"resourceId":"free","ttlMs":10,"__proto__":{}}', /__proto__/],
      ['a field that comes twice', '{"ttlMs":10,"ttlMs":10,"resourceId":"free"}', /ttlMs/],
      ['an empty body', '', /body|field/],
      ['a list', '[]', /./],
      ['broken JSON', '{"resourceId":"free","ttlMs":10', /./],
      ['two values', '{"resourceId":"free","ttlMs":10}{}', /./],
      ['a body of 64 KiB', JSON.stringify({ ...whole, resourceId: LONG }), /65536 bytes/],
    ])('is %s', async (_what, body, names) => {
      for (const call of ['acquire', 'hold']) {
        const answer = await post(call, body);
        expect(answer.status).toBe(400);
        const { errorCode, message } = JSON.parse(answer.body) as Record<string, string>;
        expect(errorCode).toBe('ERR_MALFORMED_REQUEST');
        expect(message).toMatch(names);
      }
    });

    it('is a string that is not UTF-8', async () => {
      const body = Buffer.concat([
        Buffer.from('{"ttlMs":60000,"resourceId":"'),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('"}'),
      ]);
      const answer = await http.call({ path: `${path}/acquire`, headers: JSON_TYPE, body });
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
        400,
        { errorCode: 'ERR_MALFORMED_REQUEST' },
      ]);
    });

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', ''])(
      'is the content type %j',
      async (type) => {
        const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
        for (const call of ['acquire', 'renew', 'release', 'hold', 'force-release']) {
          const answer = await post(call, JSON.stringify(whole), headers);
          expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
            415,
            { errorCode: 'ERR_UNSUPPORTED_MEDIA_TYPE' },
          ]);
        }
      },
    );

    it('is a hold that is asked for as JSON', async () => {
      const headers = { ...JSON_TYPE, accept: 'application/json' };
      const answer = await post('hold', JSON.stringify(whole), headers);
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
        400,
        {
          errorCode: 'ERR_MALFORMED_REQUEST',
          message: expect.stringContaining('application/x-ndjson') as string,
        },
      ]);
    });

    it('is an answer that is asked for as events alone', async () => {
      const headers = { ...JSON_TYPE, accept: 'application/x-ndjson' };
      const answer = await post('acquire', JSON.stringify(whole), headers);
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
        400,
        {
          errorCode: 'ERR_MALFORMED_REQUEST',
          message: expect.stringContaining('application/json') as string,
        },
      ]);
    });

    it.each<[string, string, RegExp]>([
      ['an unknown parameter', '?pageSize=1&owner=o', /owner/],
      ['a parameter that comes twice', '?pageSize=1&pageSize=2', /pageSize/],
      ['pageSize 1.5', '?pageSize=1.5', /pageSize is 1\.5/],
      ['pageSize ""', '?pageSize=', /pageSize is empty/],
      ['pageSize 0x10', '?pageSize=0x10', /pageSize/],
      ['an escape that is not UTF-8', '?prefix=%ff', /UTF-8/],
      ['a lock without its name', '/lock', /resourceId is missing/],
      ['a lock with two names', '/lock?resourceId=a&resourceId=b', /resourceId/],
    ])('is %s in a query', async (_what, query, names) => {
      const answer = await http.call({ method: 'GET', path: path + query });
      const { errorCode, message } = JSON.parse(answer.body) as Record<string, string>;
      expect([answer.status, errorCode]).toEqual([400, 'ERR_MALFORMED_REQUEST']);
      expect(message).toMatch(names);
    });

    it.each([
      ['GET', '/acquire'],
      ['PUT', '/acquire'],
      ['DELETE', ''],
      ['POST', ''],
      ['POST', '/lock'],
      ['POST', '/steal'],
    ])('is %s %s', async (method, rest) => {
      const body = method === 'GET' ? '' : JSON.stringify(whole);
      const answer = await http.call({ method, path: path + rest, headers: JSON_TYPE, body });
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
        404,
        { errorCode: 'ERR_DIRECT_INVOKE' },
      ]);
    });

    it('is a token that is no whole number', async () => {
      for (const fencingToken of ['"7"', '7.5', '-0.5', '9007199254740993', '1e400', 'NaN']) {
        const body = `{"resourceId":"r","lockOwner":"o","fencingToken":${fencingToken}}`;
        const answer = await post('release', body);
        expect([answer.status, fencingToken]).toEqual([400, fencingToken]);
        if (fencingToken !== 'NaN') expect(answer.body).toContain('fencingToken');
      }
    });
  });

  describe('over gRPC alone', () => {
    const { Acquire: acquire, Release: release } = loadNativeService();

    it.each<[string, Buffer]>([
      ['a string that is not UTF-8', Buffer.from([0x12, 0x02, 0xff, 0xfe])],
      ['a message that is cut', Buffer.from([0x12, 0x05, 0x61])],
      ['no message at all', Buffer.from('{"resourceId":"r"}')],
    ])('is %s', async (_what, bytes) => {
      const answer = await grpc.callBytes(acquire!.path, bytes);
      expect(answer.code).toBe(status.INTERNAL);
      expect(answer.details).toMatch(/^grpc: error unmarshalling request: /);
      const details = answer.trailers!['grpc-status-details-bin'] as Buffer;
      expect(details.toString()).toContain('ERR_MALFORMED_REQUEST');
    });

    it('is an empty message', async () => {
      const answer = await grpc.callBytes(acquire!.path, Buffer.alloc(0));
      expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT });
    });

    it('is a token beyond what a JSON number can say', async () => {
      for (const fencingToken of [MAX_SAFE_INTEGER + 1, -MAX_SAFE_INTEGER]) {
        const bytes = release!.requestSerialize({ ...owned, fencingToken });
        await expect(grpc.callBytes(release!.path, bytes)).resolves.toMatchObject({
          code: status.INVALID_ARGUMENT,
          details: expect.stringContaining('fencingToken') as string,
        });
      }
      expect(token).toBeLessThan(MAX_SAFE_INTEGER);
    });
  });
});
