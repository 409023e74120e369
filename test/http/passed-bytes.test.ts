import { eventually } from '../support/eventually';
import { BytesBehind, exchange, LOCK } from './passing-fixture';

describe('an HTTP request that is not served here, looked at byte by byte', () => {
  describe('whose upstream is looked at byte by byte', () => {
    const behind = new BytesBehind();
    beforeEach(() => behind.start());
    afterEach(() => behind.stop());

    it('arrives with its target and fields as they were sent, without those of the connection', async () => {
      const { port } = behind;
      await exchange(
        port,
        [
          'DELETE /v1.0/state/a%2Fb/..%2f/x//y/./z?q=%20a&q=+b;c#f HTTP/1.1',
          'hOsT: any:1',
          'X-Many: one',
          'x-many: two',
          'Cookie: a=1',
          'Cookie: b=2',
          'If-None-Match: W/"x"',
          'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          'dapr-app-id: other',
          'Connection: close, X-Hop',
          'X-Hop: dropped',
          'Keep-Alive: timeout=1',
          'Proxy-Connection: x',
          'TE: trailers',
          'Upgrade: h2c',
          'Authorization: Bearer x',
          'Latin: caf\xe9',
          '',
          '',
        ].join('\r\n'),
        '204',
      );
      expect(behind.received.split('\r\n')).toEqual([
        'DELETE /v1.0/state/a%2Fb/..%2f/x//y/./z?q=%20a&q=+b;c#f HTTP/1.1',
        'hOsT: any:1',
        'X-Many: one',
        'x-many: two',
        'Cookie: a=1',
        'Cookie: b=2',
        'If-None-Match: W/"x"',
        'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'dapr-app-id: other',
        'Authorization: Bearer x',
        'Latin: caf\xc3\xa9',
        'Connection: keep-alive',
        '',
        '',
      ]);
    });

    it('has a length of 0 for a POST without a body, and chunks for one in chunks', async () => {
      const { port } = behind;
      await exchange(port, 'POST /v1.0/publish/p/t HTTP/1.1\r\nHost: h\r\n\r\n', '204');
      expect(behind.received).toContain('\r\nContent-Length: 0\r\n');
      behind.received = '';
      await exchange(
        port,
        'POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n',
        '204',
      );
      expect(behind.received).toMatch(/\r\nTransfer-Encoding: chunked\r\n/);
      expect(behind.received).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n$/);
    });

    it('is answered with status, phrase, fields and trailers as they were sent', async () => {
      behind.answer = [
        'HTTP/1.1 299 A Phrase',
        'X-Many: one',
        'x-many: two',
        'Set-Cookie: a=1',
        'Set-Cookie: b=2',
        'Connection: X-Hop',
        'X-Hop: dropped',
        'Keep-Alive: timeout=9',
        'Transfer-Encoding: chunked',
        'Trailer: T',
        '',
        '3\r\nabc\r\n0\r\nT: v\r\nT: w\r\n\r\n',
      ].join('\r\n');
      const got = await exchange(behind.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n', 'T: w');
      expect(got.split('\r\n')).toEqual([
        'HTTP/1.1 299 A Phrase',
        'X-Many: one',
        'x-many: two',
        'Set-Cookie: a=1',
        'Set-Cookie: b=2',
        'Trailer: T',
        'Connection: keep-alive',
        'Transfer-Encoding: chunked',
        '',
        '3',
        'abc',
        '0',
        'T: v',
        'T: w',
        '',
        '',
      ]);
    });

    it.each([
      [
        'a redirect',
        'HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n',
      ],
      ['an answer that did not change', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'],
    ])('is answered with %s as it is', async (_what, text) => {
      behind.answer = text;
      const got = await exchange(behind.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n', '\r\n\r\n');
      expect(got.split('\r\n').slice(0, 2)).toEqual(text.split('\r\n').slice(0, 2));
      expect(behind.sockets).toHaveLength(1);
    });

    it.each([
      ['a usable one', '</a.css>; rel=preload', 1],
      ['one that Node does not send', 'not a link', 0],
    ])('passes on early hints, and goes on after %s', async (_what, link, hints) => {
      behind.answer = `HTTP/1.1 103 Early Hints\r\nLink: ${link}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`;
      const got = await exchange(behind.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n', 'ok');
      expect(got.match(/HTTP\/1.1 103/g) ?? []).toHaveLength(hints);
      expect(got).toMatch(/HTTP\/1.1 200 OK\r\n/);
    });

    it('passes on no trailer that belongs to the connection, and breaks off one that delimits a body', async () => {
      behind.answer =
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nKeep-Alive: timeout=1\r\nTE: x\r\nT: v\r\n\r\n';
      const got = await exchange(behind.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n', 'T: v');
      expect(got).toMatch(/0\r\nT: v\r\n\r\n$/);
      behind.answer =
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n';
      behind.received = '';
      const broken = await exchange(behind.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n');
      expect(broken).not.toMatch(/Content-Length|0\r\n\r\n$/);
    });

    it('keeps the length of an answer to HEAD', async () => {
      behind.answer = 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n';
      const call = 'HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n';
      const got = await exchange(behind.port, call, '\r\n\r\n');
      expect(got).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Length: 1234\r\n/);
    });

    it.each(['HEAD /x HTTP/1.1', 'GET /x HTTP/1.0'])(
      'is answered without trailers where there are no chunks: %s',
      async (line) => {
        const body = line.startsWith('HEAD') ? '' : '2\r\nok\r\n0\r\nT: v\r\n\r\n';
        behind.answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n${body}`;
        const call = `${line}\r\nHost: h\r\nConnection: close\r\n\r\n`;
        expect(await exchange(behind.port, call)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      },
    );

    it.each([
      ['nothing that is HTTP', 'garbage\r\n\r\n'],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
      [
        'a protocol change that nobody asked for',
        'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      ],
      ['a status that is none', 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n'],
      ['a control character', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n'],
      ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
      ['too long a head', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(300_000)}\r\n\r\n`],
      [
        'a coding of its own',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      ],
    ])('is answered with 502 where the upstream sends %s', async (_what, text) => {
      behind.answer = text;
      const got = await exchange(
        behind.port,
        'GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
      );
      expect(got).toMatch(/^HTTP\/1.1 502 /);
      expect(got).toContain('"errorCode":"ERR_UPSTREAM_GARBLED"');
    });

    it.each([
      ['of a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
      ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    ])('breaks off an answer %s where the upstream does', async (_what, text) => {
      behind.answer = text;
      const call = exchange(behind.port, 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n');
      await eventually(() => {
        expect(behind.received).not.toBe('');
      });
      setTimeout(() => behind.sockets[0]?.destroy(), 50);
      const got = await call;
      expect(got).toContain('abc');
      expect(got).not.toContain('0\r\n\r\n');
    });

    it('asks the upstream whether to send a body (100-continue)', async () => {
      const { port } = behind;
      behind.answer = 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n';
      const head =
        'POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';
      expect(await exchange(port, head, '417')).toMatch(/^HTTP\/1.1 417 /);
      expect(behind.received).toContain('Expect: 100-continue');
      behind.received = '';
      behind.answer = 'HTTP/1.1 100 Continue\r\n\r\n';
      expect(await exchange(port, head, '100')).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\n/);
      behind.received = '';
      const own = head.replace('/x', LOCK);
      expect(await exchange(port, own, '100')).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\n/);
      expect(behind.received).toBe('');
    });

    it('passes on nothing after a request that two servers could read differently', async () => {
      const { port } = behind;
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';
      const calls = [
        `POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
        `POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
        `POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
        `POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
        `POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n${smuggled}`,
        `GET /x HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n`,
        `GET /x HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n`,
      ];
      for (const call of calls) await exchange(port, call);
      expect(behind.received).toBe('');
      // The body of a request stays one, even if `Connection` names the field that delimits it.
      await exchange(
        port,
        `POST /x HTTP/1.1\r\nHost: h\r\nConnection: content-length\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
        '204',
      );
      expect(behind.received).toContain(`\r\nContent-Length: ${smuggled.length}\r\n`);
    });
  });
});
