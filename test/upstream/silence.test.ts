import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

import { PassingFixture, STATE } from '../grpc/passing-fixture';
import { frame, rawCall } from '../grpc/raw-http2';
import { LOCK, ServerBehind, startBefore } from '../http/passing-fixture';
import { eventually } from '../support/eventually';
import { echo } from '../support/raw-upstream';
import { TcpProxy } from '../support/tcp-proxy';

/** The looks are those of the product; the time between them is shorter. */
const SILENCE = { lookEveryMs: 40, askAfter: 2, avoidAfter: 5, endAfter: 15 };

/** So many questions take longer than the time after which a silent upstream's calls end. */
const QUESTIONS = 10;

/**
 * A process that answers over both protocols. A target or path with `silent` gets no answer, and one
 * with `begun` only its beginning.
 */
const STAND_IN = `
  const grpc = require('node:http2').createServer();
  grpc.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers['x-do'] === 'silent') return;
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    if (headers['x-do'] === 'begun') stream.write(Buffer.alloc(5));
    else stream.pipe(stream);
  });
  const http = require('node:http').createServer((request, response) => {
    if (request.url.includes('begun')) response.write('begun');
    else if (!request.url.includes('silent')) response.writeHead(204).end();
  });
  grpc.listen(0, '127.0.0.1', () => http.listen(0, '127.0.0.1', () => {
    console.log(grpc.address().port + ' ' + http.address().port);
  }));
`;

describe('an upstream that says nothing more', () => {
  let child: ChildProcess;
  let grpcProxy: TcpProxy;
  let httpProxy: TcpProxy;

  beforeEach(async () => {
    child = spawn(process.execPath, ['-e', STAND_IN], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    const [grpcPort, httpPort] = line.split(' ').map(Number);
    grpcProxy = await TcpProxy.start(grpcPort!);
    httpProxy = await TcpProxy.start(httpPort!);
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    await grpcProxy.stop();
    await httpProxy.stop();
  });

  describe.each([
    {
      because: 'its process is stopped',
      fallSilent: () => child.kill('SIGSTOP'),
      comeBack: () => child.kill('SIGCONT'),
    },
    {
      because: 'the network swallows everything',
      fallSilent: () => {
        for (const proxy of [grpcProxy, httpProxy]) {
          proxy.dropRequests = true;
          proxy.dropReplies = true;
        }
      },
      comeBack: () => {
        for (const proxy of [grpcProxy, httpProxy]) proxy.heal();
      },
    },
  ])('because $because', ({ fallSilent, comeBack }) => {
    it('ends gRPC calls without a deadline, is not ready, and goes on when it is back', async () => {
      const passing = new PassingFixture();
      passing.silence = SILENCE;
      await passing.startBehind();
      await passing.start({}, 1000, `127.0.0.1:${grpcProxy.port}`);
      const begun = passing.open({ 'x-do': 'begun' });
      await once(begun, 'data');
      const silent = rawCall(passing.grpc.port, { ':path': STATE, 'x-do': 'silent' });
      await eventually(async () => {
        expect(await passing.upstream.health.isReady()).toBe(true);
      });
      const trailers = once(begun, 'trailers');
      fallSilent();
      expect(await passing.upstream.health.isReady()).toBe(false);
      expect((await passing.grpc.call('TryLockAlpha1', {})).response).toBeDefined();
      const { headers } = await silent;
      expect(headers['grpc-status']).toBe('14');
      expect(decodeURI(String(headers['grpc-message']))).toBe(
        `the connection to the upstream sidecar at http://127.0.0.1:${grpcProxy.port} was lost during the call: it has sent nothing for 0.6 s, although it was asked; it is not known whether the call was carried out`,
      );
      expect((await trailers)[0]).toMatchObject({ 'grpc-status': '14' });
      comeBack();
      await eventually(
        async () => {
          const { body } = await rawCall(passing.grpc.port, { ':path': STATE }, Buffer.from('x'));
          expect(body).toEqual(frame('x'));
          expect(await passing.upstream.health.isReady()).toBe(true);
        },
        { withinMs: 10_000 },
      );
      await passing.stop();
    });

    it('ends HTTP calls, is not ready, and goes on when it is back', async () => {
      const { http, upstream } = await startBefore(httpProxy.port, {}, { silence: SILENCE });
      const begun = connect(http.port, '127.0.0.1');
      begun.write('GET /begun HTTP/1.1\r\nHost: h\r\n\r\n');
      expect(String(await once(begun, 'data'))).toContain('begun');
      const cut = once(begun.resume(), 'close');
      const silent = http.call({ path: '/silent' });
      await eventually(async () => {
        expect(await upstream.health.isReady()).toBe(true);
        expect(upstream.calls.inFlight).toBe(2);
      });
      fallSilent();
      expect(await upstream.health.isReady()).toBe(false);
      expect(await http.call({ method: 'POST', path: LOCK, body: '{}' })).toMatchObject({
        status: 200,
      });
      expect(await silent).toMatchObject({
        status: 502,
        body: `{"errorCode":"ERR_UPSTREAM_LOST","message":"the connection to the upstream sidecar at http://127.0.0.1:${httpProxy.port} was lost during the call: it has sent nothing for 0.6 s, although it was asked; it is not known whether the call was carried out"}`,
      });
      await cut;
      comeBack();
      await eventually(
        async () => {
          expect(await http.call({ path: '/x' })).toMatchObject({ status: 204 });
          expect(await upstream.health.isReady()).toBe(true);
        },
        { withinMs: 10_000 },
      );
      await http.server.close();
      upstream.close();
    });
  });
});

describe('an upstream that is asked whether it still lives', () => {
  it('keeps a silent gRPC stream for as long as it answers', async () => {
    const passing = new PassingFixture();
    passing.silence = SILENCE;
    await passing.startBehind();
    await passing.start();
    let questions = 0;
    const stream = passing.open();
    stream.write(frame('x'));
    await once(stream, 'data');
    for (const session of passing.behind.sessions) {
      session.on('remoteSettings', () => {
        questions += 1;
      });
    }
    await eventually(() => {
      expect(questions).toBeGreaterThan(QUESTIONS);
    });
    stream.write(frame('y'));
    const [part] = (await once(stream, 'data')) as [Buffer];
    expect(part).toEqual(frame('y'));
    expect(passing.behind.connections).toBe(1);
    expect(passing.behind.calls).toHaveLength(1);
    stream.close(constants.NGHTTP2_CANCEL);
    await passing.stop();
  });

  it('may allow a single stream, which is taken', async () => {
    const passing = new PassingFixture();
    passing.silence = SILENCE;
    await passing.startBehind();
    await passing.start();
    passing.behind.answer = echo;
    const stream = passing.open();
    stream.write(frame('x'));
    await once(stream, 'data');
    for (const session of passing.behind.sessions) session.settings({ maxConcurrentStreams: 1 });
    await expect(passing.upstream.sessions?.answers()).resolves.toBeUndefined();
    expect(passing.behind.connections).toBe(1);
    await passing.stop();
  });

  it('keeps a long poll over HTTP for as long as it answers', async () => {
    const behind = new ServerBehind();
    await behind.startBehind();
    let questions = 0;
    let finish: (() => void) | undefined;
    behind.handle = ({ url }, response) => {
      if (url !== '/poll') questions += 1;
      if (url !== '/poll') response.writeHead(404).end();
      else finish = () => response.end('at last');
    };
    await behind.start({}, { silence: SILENCE });
    const poll = behind.opened.http.call({ path: '/poll' });
    await eventually(() => {
      expect(questions).toBeGreaterThan(QUESTIONS);
    });
    finish?.();
    expect(await poll).toMatchObject({ status: 200, body: 'at last' });
    await behind.stop();
  });
});
