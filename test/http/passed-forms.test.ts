import { once } from 'node:events';
import { createServer } from 'node:http';
import path from 'node:path';

import { createFolder } from '../support/component-files';
import { BytesBehind, exchange, startBefore } from './passing-fixture';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CLOSE = 'Host: h\r\nConnection: close\r\n\r\n';

/** Rare forms of HTTP that are allowed: what the upstream receives, and what the client does. */
describe('a passed request in a rare form', () => {
  const behind = new BytesBehind();
  beforeEach(() => behind.start());
  afterEach(() => behind.stop());

  it.each(['100 Continue', '102 Processing', '103 Early Hints\r\nLink: </a>; rel=preload'])(
    'of HTTP/1.0 gets no informational answer: %s',
    async (interim) => {
      behind.answer = `HTTP/1.1 ${interim}\r\n\r\n${OK}`;
      expect(await exchange(behind.port, 'GET /x HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 OK/);
    },
  );

  it('of HTTP/1.0 gets a body without chunks', async () => {
    behind.answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n';
    const got = await exchange(behind.port, 'GET /x HTTP/1.0\r\n\r\n');
    expect(got).toBe('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok!');
  });

  it.each([
    ['204 No Content', ''],
    ['304 Not Modified', 'Content-Length: 5\r\n'],
  ])('gets no body with %s, and the next one is not disturbed', async (line, length) => {
    behind.answer = `HTTP/1.1 ${line}\r\nContent-Length: 5\r\n\r\nhello`;
    const first = await exchange(behind.port, `GET /x HTTP/1.1\r\n${CLOSE}`);
    expect(first).toBe(`HTTP/1.1 ${line}\r\n${length}Connection: close\r\n\r\n`);
    behind.received = '';
    behind.answer = OK;
    const next = await exchange(behind.port, `GET /x HTTP/1.1\r\n${CLOSE}`);
    expect(next).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/);
  });

  // An app may write a file name in UTF-8. Its octets are none of this sidecar's business.
  it.each(['GET /x HTTP/1.1\r\n', 'POST /x HTTP/1.1\r\nContent-Length: 4\r\n'])(
    'keeps every octet of its fields and trailers, and of those of its answer: %s',
    async (line) => {
      const octets = Array.from({ length: 128 }, (_, at) => String.fromCharCode(128 + at)).join('');
      const text = `X-Octets: ${octets}\r\n`;
      behind.answer = `HTTP/1.1 200 ${octets}\r\n${text}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${text}\r\n`;
      const call = Buffer.from(`${line}${text}${CLOSE}`, 'latin1');
      const body = line.startsWith('POST') ? '\r\n\r\n' : '';
      const got = await exchange(behind.port, Buffer.concat([call, Buffer.from(body)]));
      expect(behind.received).toContain(text);
      expect(got.startsWith(`HTTP/1.1 200 ${octets}\r\n${text}`)).toBe(true);
      expect(got.endsWith(`0\r\n${text}\r\n`)).toBe(true);
    },
  );

  it('asks for no other protocol', async () => {
    behind.answer = OK;
    const fields = 'Host: h\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n';
    const got = await exchange(behind.port, `GET /x HTTP/1.1\r\n${fields}`);
    expect(behind.received).not.toMatch(/upgrade/i);
    expect(got).toMatch(/^HTTP\/1.1 200 OK/);
  });

  it.each(['GET http://h/x?y', 'OPTIONS *', 'TRACE /x', 'PROPFIND /x'])(
    'arrives as it was sent: %s',
    async (line) => {
      behind.answer = OK;
      const got = await exchange(behind.port, `${line} HTTP/1.1\r\n${CLOSE}`);
      expect(behind.received.startsWith(`${line} HTTP/1.1\r\n`)).toBe(true);
      expect(got).toMatch(/^HTTP\/1.1 200 OK/);
    },
  );

  it('is no tunnel: CONNECT is refused', async () => {
    const got = await exchange(behind.port, 'CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n');
    expect(got).toMatch(/^HTTP\/1.1 405 Method Not Allowed\r\n/);
    expect(behind.received).toBe('');
  });

  it('loses the extensions of its chunks, and nothing else', async () => {
    behind.answer = OK;
    const body = '3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n';
    await exchange(
      behind.port,
      `POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${CLOSE}${body}`,
    );
    expect(behind.received).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/);
  });

  it('gets every cookie of its own', async () => {
    const cookies = Array.from({ length: 300 }, (_, at) => `Set-Cookie: c${at}=1\r\n`).join('');
    behind.answer = `HTTP/1.1 200 OK\r\n${cookies}Content-Length: 2\r\n\r\nok`;
    const got = await exchange(behind.port, `GET /x HTTP/1.1\r\n${CLOSE}`);
    expect(got).toContain(cookies);
  });

  it('is answered in turn when several are sent at once', async () => {
    behind.answer = OK;
    const got = await exchange(
      behind.port,
      `GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\n${CLOSE}`,
    );
    expect(got.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
    expect(behind.received.match(/^GET \/\d/gm)).toEqual(['GET /1', 'GET /2']);
  });
});

it('a passed request goes to a unix socket', async () => {
  const socket = path.join(await createFolder(), 'daprd.sock');
  const server = createServer((received, response) => received.pipe(response));
  await once(server.listen(socket), 'listening');
  const { http, upstream } = await startBefore(`unix://${socket}`);
  const call = `POST /x HTTP/1.1\r\nContent-Length: 2\r\n${CLOSE}ok`;
  expect(await exchange(http.port, call)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*ok/);
  await http.server.close();
  upstream.close();
  server.close();
  const gone = await startBefore(`unix://${socket}`);
  expect(await exchange(gone.http.port, call)).toMatch(
    /^HTTP\/1.1 502 [^]*the upstream sidecar at unix:\/\S+ can't be reached: the socket file does not exist/,
  );
  await gone.http.server.close();
  gone.upstream.close();
});
