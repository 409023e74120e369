import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

import { MOST_COLLECTED_BYTES } from '../../src/upstream/collected-answers';
import { ServerBehind } from './passing-fixture';

describe('metadata over HTTP that the upstream garbles', () => {
  const behind = new ServerBehind();
  beforeEach(() => behind.startBehind());
  afterEach(() => behind.stop());

  const answers: [string, (response: ServerResponse) => void, string][] = [
    ['text', (response) => response.end('hello'), 'ERR_UPSTREAM_GARBLED'],
    ['nothing', (response) => response.end(), 'ERR_UPSTREAM_GARBLED'],
    ['half of it', (response) => response.end('{"id":"a","components":['), 'ERR_UPSTREAM_GARBLED'],
    ['a list', (response) => response.end('[]'), 'ERR_UPSTREAM_GARBLED'],
    ['a compressed one', (response) => response.end(gzipSync('{}')), 'ERR_UPSTREAM_GARBLED'],
    [
      'a field that can not be sent on',
      (response) => {
        response.socket?.end('HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\n{}');
      },
      'ERR_UPSTREAM_GARBLED',
    ],
    [
      'more than is collected',
      (response) => response.end(Buffer.alloc(MOST_COLLECTED_BYTES + 1, ' ')),
      'ERR_UPSTREAM_GARBLED',
    ],
    [
      'more than is collected, in chunks',
      (response) => {
        response.write('{');
        response.end(Buffer.alloc(MOST_COLLECTED_BYTES + 1, ' '));
      },
      'ERR_UPSTREAM_GARBLED',
    ],
    [
      'a part of an answer in chunks',
      (response) => {
        response.write('{"id":', () => response.destroy());
      },
      'ERR_UPSTREAM_LOST',
    ],
    [
      'a part of an answer with a length',
      (response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{"id":', () => response.destroy());
      },
      'ERR_UPSTREAM_LOST',
    ],
  ];

  it.each(answers)('are answered with 502 for %s', async (_what, answer, errorCode) => {
    behind.handle = (_received, response) => {
      answer(response);
    };
    await behind.start();
    const got = await behind.opened.http.call({ method: 'GET', path: '/v1.0/metadata' });
    expect(got).toMatchObject({ status: 502, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(got.body)).toEqual({
      errorCode,
      message: expect.stringContaining(`http://127.0.0.1:${behind.port}`) as string,
    });
    expect(behind.opened.upstream.calls.inFlight).toBe(0);
  });
});
