import { connect, type Socket } from 'node:net';

import { eventually } from '../support/eventually';
import { HttpFixture } from './http-fixture';

const LOCK = '/v1.0-alpha1/lock/lockstore';
const REQUEST = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":5}';
const KIBIBYTE = 2 ** 10;
const MEBIBYTE = 2 ** 20;

describe('bodies of HTTP requests', () => {
  let http: HttpFixture;
  const sockets: Socket[] = [];
  const start = async (options?: ConstructorParameters<typeof HttpFixture>[0]) => {
    http = await new HttpFixture(options).start();
  };
  const open = (): Socket => {
    const socket = connect(http.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    return socket;
  };
  /** Begins a body of so many bytes, and brings all of it but one. */
  const beginBody = async (bytes: number, path = LOCK): Promise<Socket> => {
    const socket = open();
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`);
    await new Promise((resolve) => socket.write(Buffer.alloc(bytes - 1, ' '), resolve));
    return socket;
  };
  const padded = (bytes: number) => REQUEST.padEnd(bytes);
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await http.server.close();
  });

  it.each([1, 1023, 1024, 1025, 16 * KIBIBYTE, 100_000, MEBIBYTE])(
    'are read whole where they have %i bytes more than the request',
    async (bytes) => {
      await start();
      const body = padded(REQUEST.length + bytes);
      const sized = await http.call({ path: LOCK, body });
      const chunked = await http.call({
        path: LOCK,
        body,
        headers: { 'transfer-encoding': 'chunked' },
      });
      expect([sized.body, chunked.body]).toEqual(['{"success":true}', '{"success":true}']);
    },
  );

  it('are read in pieces of one byte', async () => {
    await start();
    const socket = open();
    let answer = '';
    socket.on('data', (part: Buffer) => {
      answer += part.toString();
    });
    const chunks = Array.from(padded(5000), (byte) => `1\r\n${byte}\r\n`).join('');
    socket.write(
      `POST ${LOCK} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
    );
    await eventually(() => {
      expect(answer).toContain('{"success":true}');
    });
  });

  describe('that are long, where there is no room for more', () => {
    beforeEach(async () => {
      await start({ keptBytes: MEBIBYTE });
      await beginBody(MEBIBYTE);
      await eventually(async () => {
        const answer = await http.call({ path: LOCK, body: padded(MEBIBYTE) });
        expect(answer.status).toBe(503);
      });
    });

    it('are refused with a hint, and nothing is done', async () => {
      await expect(http.call({ path: LOCK, body: padded(MEBIBYTE) })).resolves.toMatchObject({
        status: 503,
        headers: { 'retry-after': '1', 'content-type': 'application/json' },
        body: expect.stringContaining('"errorCode":"ERR_BODY_READ"') as string,
      });
    });

    it('leave those alone that are as long as clients send them', async () => {
      const others = Array.from({ length: 20 }, () => beginBody(16 * KIBIBYTE));
      await Promise.all(others);
      await expect(http.call({ path: LOCK, body: padded(16 * KIBIBYTE) })).resolves.toMatchObject({
        status: 200,
      });
    });

    it('are taken again once the others are gone', async () => {
      sockets[0]?.destroy();
      await eventually(async () => {
        const answer = await http.call({ path: LOCK, body: padded(MEBIBYTE) });
        expect(answer.status).toBe(200);
      });
      // Each gives back what it took.
      for (let count = 0; count < 5; count += 1) {
        const answer = await http.call({ path: LOCK, body: padded(MEBIBYTE) });
        expect(answer.status).toBe(200);
      }
    });
  });

  it.each([
    ['to no route', '/nope', 404],
    ['without the token', LOCK, 401],
    ['to a route that takes no body', '/v1.0/shutdown', 401],
  ])('that do not end are cut after their answer: %s', async (_what, path, status) => {
    await start(status === 401 ? { token: 'hush' } : {});
    const socket = open();
    let answer = '';
    let isClosed = false;
    socket.on('data', (part: Buffer) => {
      answer += part.toString();
    });
    socket.on('close', () => {
      isClosed = true;
    });
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n`,
    );
    await eventually(() => {
      expect(answer).toContain(`HTTP/1.1 ${status} `);
    });
    await eventually(() => {
      expect(isClosed).toBe(true);
    });
  });

  it('that end in time after their answer leave the connection as it is', async () => {
    await start();
    const socket = open();
    let answer = '';
    socket.on('data', (part: Buffer) => {
      answer += part.toString();
    });
    socket.write('POST /nope HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nx');
    await eventually(() => {
      expect(answer).toContain('HTTP/1.1 404 ');
    });
    answer = '';
    socket.write(
      `xPOST ${LOCK} HTTP/1.1\r\nhost: x\r\ncontent-length: ${REQUEST.length}\r\n\r\n${REQUEST}`,
    );
    await eventually(() => {
      expect(answer).toContain('{"success":true}');
    });
  });
});

describe('metadata entries', () => {
  let http: HttpFixture;
  afterEach(() => http.server.close());
  const put = (key: string, body: string, headers = {}) =>
    http.call({ method: 'PUT', path: `/v1.0/metadata/${key}`, body, headers });

  it.each(['api', 'public'] as const)('have a bound in all on the %s port', async (surface) => {
    http = await new HttpFixture({ surface, maxBodyBytes: undefined }).start();
    const statuses: number[] = [];
    for (let index = 0; index < 10; index += 1) {
      statuses.push((await put(`key${index}`, 'x'.repeat(10_000))).status);
    }
    expect(statuses).toEqual([...Array<number>(6).fill(204), ...Array<number>(4).fill(413)]);
    await expect(put('key9', 'x'.repeat(10_000))).resolves.toMatchObject({
      body: expect.stringMatching(
        /^\{"errorCode":"ERR_METADATA_FULL","message":"the limit of 65536 bytes for all metadata entries is reached/,
      ) as string,
    });
  });

  it.each([
    ['its length is said', {}],
    ['it is chunked', { 'transfer-encoding': 'chunked' }],
  ])('that are too long by themselves are refused where %s', async (_what, headers) => {
    http = await new HttpFixture({ surface: 'public', maxBodyBytes: undefined }).start();
    await expect(put('key', 'x'.repeat(2 ** 20), headers)).resolves.toMatchObject({ status: 413 });
  });

  it('that are longer than a body may be are answered as daprd does', async () => {
    http = await new HttpFixture({ maxBodyBytes: 2 ** 20 }).start();
    await expect(put('key', 'x'.repeat(2 ** 21))).resolves.toMatchObject({
      status: 400,
      body: '{"errorCode":"ERR_BODY_READ","message":"failed to read request body: stream too large"}',
    });
  });

  it('show what was set last', async () => {
    http = await new HttpFixture().start();
    const extended = async () => {
      const { body } = await http.call({ method: 'GET', path: '/v1.0/metadata' });
      return (JSON.parse(body) as { extended: Record<string, string> }).extended;
    };
    await put('key', 'one');
    await expect(extended()).resolves.toMatchObject({ key: 'one' });
    await put('key', 'two');
    await expect(extended()).resolves.toMatchObject({ key: 'two' });
  });
});
