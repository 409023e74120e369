import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

import { eventually } from '../support/eventually';
import { listen, LOCK, ServerBehind } from './passing-fixture';

describe('an HTTP request that is not served here, in front of another sidecar', () => {
  describe('whose upstream is a server', () => {
    const behind = new ServerBehind();
    beforeEach(() => behind.startBehind());
    afterEach(() => behind.stop());

    it('streams in both directions, and at the pace of the reader', async () => {
      let written = 0;
      behind.handle = (_received, response) => {
        const more = (): void => {
          while (written < 64 * 2 ** 20) {
            written += 65_536;
            if (!response.write(Buffer.alloc(65_536))) return;
          }
        };
        response.on('drain', more);
        more();
      };
      await behind.start();
      const sent = request({ port: behind.opened.http.port, host: '127.0.0.1', path: '/x' });
      sent.end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answer.pause();
      await eventually(() => {
        expect(written).toBeGreaterThan(65_536);
      });
      let before = -1;
      await eventually(() => {
        const now = written;
        const same = now === before;
        before = now;
        expect(same).toBe(true);
      });
      expect(written).toBeLessThan(32 * 2 ** 20);
      sent.destroy();
      await eventually(() => {
        expect(behind.opened.upstream.calls.inFlight).toBe(0);
      });
    });

    it('ends upstream when its client leaves', async () => {
      let left = false;
      behind.handle = (received) => {
        received.socket.once('close', () => {
          left = true;
        });
      };
      await behind.start();
      const sent = request({ port: behind.opened.http.port, host: '127.0.0.1', path: '/x' });
      sent.on('error', () => undefined);
      sent.end();
      await eventually(() => {
        expect(behind.urls).toHaveLength(1);
      });
      sent.destroy();
      await eventually(() => {
        expect(left).toBe(true);
      });
    });

    it('is ended with its server if it is a stream; one with an end may finish', async () => {
      let finish: (() => void) | undefined;
      behind.handle = ({ url }, response) => {
        if (url === '/length') response.writeHead(200, { 'content-length': 7 });
        response.write('par');
        if (url === '/length') finish = () => response.end('tial');
      };
      await behind.start();
      const begin = async (path: string) => {
        const sent = request({ port: behind.opened.http.port, host: '127.0.0.1', path });
        sent.end();
        const [answer] = (await once(sent, 'response')) as [IncomingMessage];
        return answer;
      };
      const [stream, whole] = [await begin('/stream'), await begin('/length')];
      const broken = once(stream.resume(), 'error');
      const parts: string[] = [];
      whole.on('data', (part: Buffer) => parts.push(part.toString()));
      const closed = behind.opened.http.server.close();
      expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' });
      finish?.();
      await once(whole, 'end');
      expect(parts.join('')).toBe('partial');
      await closed;
    });

    it('is answered before its body has ended', async () => {
      behind.handle = (_received, response) => {
        response.writeHead(413, { connection: 'close' }).end('too long');
      };
      await behind.start();
      const sent = request({
        port: behind.opened.http.port,
        host: '127.0.0.1',
        path: '/x',
        method: 'POST',
      });
      sent.on('error', () => undefined);
      sent.write('first');
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(413);
      answer.resume();
      await once(answer, 'end');
      sent.destroy();
    });

    it('needs the token, which is passed on', async () => {
      const tokens: unknown[] = [];
      behind.handle = ({ headers }, response) => {
        tokens.push(headers['dapr-api-token']);
        response.end();
      };
      await behind.start({ token: 'secret' });
      const path = '/v1.0/state/s/k';
      expect(await behind.opened.http.call({ path })).toMatchObject({ status: 401 });
      const headers = { 'dapr-api-token': 'secret' };
      expect(await behind.opened.http.call({ path, headers })).toMatchObject({ status: 200 });
      expect(tokens).toEqual(['secret']);
    });

    it('has a limit of its own, and lock calls go on beyond it', async () => {
      behind.handle = () => undefined;
      await behind.start({}, { maxCalls: 1 });
      const sent = request({ port: behind.opened.http.port, host: '127.0.0.1', path: '/x' });
      sent.on('error', () => undefined);
      sent.end();
      await eventually(() => {
        expect(behind.urls).toHaveLength(1);
      });
      expect(await behind.opened.http.call({ path: '/y' })).toMatchObject({
        status: 503,
        headers: { 'retry-after': '1' },
        body: '{"errorCode":"ERR_UPSTREAM_OVERLOADED","message":"the limit of 1 concurrent calls to the upstream sidecar is reached; the call was not passed on, retry later"}',
      });
      expect(
        await behind.opened.http.call({ method: 'POST', path: LOCK, body: '{}' }),
      ).toMatchObject({
        status: 200,
      });
      sent.destroy();
    });

    it('fails with 502 while the upstream is away, and goes on when it is back', async () => {
      await behind.start();
      expect(await behind.opened.http.call({ path: '/x' })).toMatchObject({ status: 200 });
      behind.server.closeAllConnections();
      behind.server.close();
      await once(behind.server, 'close');
      await eventually(async () => {
        expect(await behind.opened.http.call({ path: '/x' })).toMatchObject({
          status: 502,
          body: `{"errorCode":"ERR_UPSTREAM_UNAVAILABLE","message":"the upstream sidecar at http://127.0.0.1:${behind.port} can't be reached: nothing listens there (ECONNREFUSED); the call was not passed on"}`,
        });
      });
      expect(
        await behind.opened.http.call({ method: 'POST', path: LOCK, body: '{}' }),
      ).toMatchObject({
        status: 200,
      });
      await listen(behind.server, behind.port);
      await eventually(async () => {
        expect(await behind.opened.http.call({ path: '/x' })).toMatchObject({ status: 200 });
      });
      expect(behind.opened.logger.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
    });

    it('is refused if a browser sent it for a page of a foreign origin', async () => {
      await behind.start();
      const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
      const answer = await behind.opened.http.call({
        method: 'POST',
        path: '/x',
        headers,
        body: '',
      });
      expect(answer).toMatchObject({ status: 403 });
      expect(behind.urls).toEqual([]);
    });

    it('gets the CORS fields of this sidecar if it has allowed origins', async () => {
      behind.handle = (_received, response) => {
        response.writeHead(200, {
          'access-control-allow-origin': 'https://behind',
          vary: 'Accept',
        });
        response.end();
      };
      await behind.start({ allowedOrigins: ['https://page.example'] });
      const headers = { origin: 'https://page.example' };
      const answer = await behind.opened.http.call({ path: '/x', headers });
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': 'https://page.example',
        vary: 'Accept, Origin',
      });
    });

    it('shows the metadata of the upstream with the components of this sidecar', async () => {
      behind.handle = (_received, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(
          '{"id":"behind","big":12345678901234567890,"components":[{"name":"s","type":"state.redis","version":"v1"}],"new":{"a":[1.50]}}\n',
        );
      };
      await behind.start();
      behind.opened.http.sidecar.metadata.setComponent({
        name: 'l',
        type: 'lock.redis',
        version: 'v1',
      });
      const answer = await behind.opened.http.call({ method: 'GET', path: '/v1.0/metadata' });
      expect(answer.body).toBe(
        '{"id":"behind","big":12345678901234567890,"components":[{"name":"s","type":"state.redis","version":"v1"},{"name":"l","type":"lock.redis","version":"v1"}],"new":{"a":[1.50]}}\n',
      );
      await behind.opened.http.call({ method: 'PUT', path: '/v1.0/metadata/k', body: 'v' });
      expect(behind.urls).toEqual(['/v1.0/metadata', '/v1.0/metadata/k']);
      expect(behind.opened.http.sidecar.metadata.view().extended).not.toHaveProperty('k');
    });

    it('on the public port, is passed on only if it is one for metadata', async () => {
      const tokens: unknown[] = [];
      behind.handle = ({ headers }, response) => {
        tokens.push(headers['dapr-api-token']);
        response.end('{}');
      };
      await behind.start({ surface: 'public', token: 'own' });
      expect(await behind.opened.http.call({ path: '/v1.0/state/s/k' })).toMatchObject({
        status: 404,
      });
      expect(
        await behind.opened.http.call({ method: 'GET', path: '/v1.0/metadata' }),
      ).toMatchObject({
        status: 200,
      });
      expect(tokens).toEqual(['own']);
    });
  });
});
