import { createServer as createHttpServer, type Server } from 'node:http';

import { PassedRequest } from '../../src/http/passed-request';
import { eventually } from '../support/eventually';
import { BytesBehind, exchange, listen } from './passing-fixture';

const MANY_FIELDS = 'a: b\r\n'.repeat(1100);
const SMUGGLED = 'POST /v1.0-alpha1/lock/s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n';

describe('where a passed message ends', () => {
  const behind = new BytesBehind();
  beforeEach(() => behind.start());
  afterEach(() => behind.stop());

  it.each(['POST', 'GET', 'DELETE', 'PUT'])(
    'is seen behind a thousand fields of a %s in chunks',
    async (verb) => {
      const body = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
      const head = `${verb} /x HTTP/1.1\r\nHost: h\r\n${MANY_FIELDS}Transfer-Encoding: chunked\r\n\r\n`;
      await exchange(behind.port, head + body, '204');
      const [fields, ...rest] = behind.received.split('\r\n\r\n');
      expect(fields).toMatch(/\r\nTransfer-Encoding: chunked/);
      expect(fields).not.toMatch(/content-length/i);
      expect(fields?.match(/^a: b$/gm)).toHaveLength(1100);
      expect(rest.join('\r\n\r\n')).toBe(body);
    },
  );

  it.each(['POST', 'GET', 'DELETE', 'PUT'])(
    'is seen behind a thousand fields of a %s with a length',
    async (verb) => {
      const head = `${verb} /x HTTP/1.1\r\nHost: h\r\n${MANY_FIELDS}Content-Length: ${SMUGGLED.length}\r\n\r\n`;
      await exchange(behind.port, head + SMUGGLED, '204');
      expect(behind.received.match(/content-length: \d+/gi)?.[0]).toBe(
        `Content-Length: ${SMUGGLED.length}`,
      );
    },
  );

  it('is seen behind a thousand fields of an answer', async () => {
    behind.answer = `HTTP/1.1 200 OK\r\n${MANY_FIELDS}X-Last: yes\r\nContent-Length: 2\r\n\r\nok`;
    const got = await exchange(behind.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n', '\r\nok');
    expect(got).toContain('\r\nX-Last: yes\r\nContent-Length: 2\r\n');
  });

  it('is never left to the upstream: a body that no field delimits ends the connection', async () => {
    const http = behind.opened.upstream.http;
    if (http === undefined) throw new Error('there is no HTTP upstream');
    const front: Server = createHttpServer((request, response) => {
      const arrived = { request, response, target: '/x', rawHeaders: ['Host', 'h'] };
      const parts = { ...arrived, ownFields: [], isDropped: () => false };
      new PassedRequest(parts, http, () => undefined).begin();
    });
    const port = await listen(front);
    for (const verb of ['POST', 'GET']) {
      const head = `${verb} /x HTTP/1.1\r\nHost: h\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`;
      expect(await exchange(port, head + SMUGGLED)).toBe('');
    }
    expect(behind.received).not.toContain('/lock/');
    front.closeAllConnections();
    front.close();
  });

  it.each([
    ['a control character', 'O\x01K'],
    ['a delete character', 'O\x7fK'],
  ])('survives a reason phrase with %s', async (_what, phrase) => {
    behind.answer = `HTTP/1.1 200 ${phrase}\r\nContent-Length: 2\r\n\r\nok`;
    const call = 'GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
    const got = await exchange(behind.port, call);
    expect(got).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n/);
    expect(got).toContain('"errorCode":"ERR_UPSTREAM_GARBLED"');
    behind.answer = 'HTTP/1.1 204 No Content\r\n\r\n';
    await eventually(async () => {
      expect(await exchange(behind.port, call)).toMatch(/^HTTP\/1.1 204 /);
    });
  });
});
