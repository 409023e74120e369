import { connect } from 'node:net';

import {
  createMetricsServer,
  type MetricsServer,
  TEXTS,
} from '../../src/observability/metrics-server';
import { eventually } from '../support/eventually';
import { callHttp } from '../support/http-call';

const REQUEST = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

describe('the server of metrics', () => {
  let server: MetricsServer;
  let port: number;
  let made: number;
  let nowMs: number;
  let isBroken: boolean;
  beforeEach(async () => {
    [made, nowMs, isBroken] = [0, 0, false];
    server = createMetricsServer({
      registry: {
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
        metrics: async () => {
          made += 1;
          if (isBroken) throw new Error('broken');
          return `made ${made}\n`;
        },
      },
      now: () => nowMs,
    });
    ({ port } = await server.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterEach(() => server.close());
  const scrape = () => callHttp(port, { method: 'GET', path: '/metrics' });
  const send = (requests: number) => {
    const seen = { text: '', isClosed: false };
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (part) => (seen.text += part.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => (seen.isClosed = true));
    socket.write(REQUEST.repeat(requests));
    return { socket, seen };
  };

  it('makes a text for everybody who asks, as long as few do, and shares one beyond that', async () => {
    const bodies: string[] = [];
    for (let call = 0; call < 8; call += 1) bodies.push((await scrape()).body);
    expect(bodies).toEqual([1, 2, 3, 4, 4, 4, 4, 4].map((number) => `made ${number}\n`));
    nowMs += TEXTS.everyMs;
    await expect(scrape()).resolves.toMatchObject({ body: 'made 5\n', status: 200 });
    await expect(scrape()).resolves.toMatchObject({ body: 'made 5\n', status: 200 });
    nowMs += 60_000;
    for (let call = 0; call < 8; call += 1) await scrape();
    expect(made).toBe(5 + TEXTS.atOnce);
  });

  it('makes another after one that failed', async () => {
    isBroken = true;
    await expect(scrape()).resolves.toMatchObject({ body: 'broken\n', status: 500 });
    isBroken = false;
    await expect(scrape()).resolves.toMatchObject({ body: 'made 2\n', status: 200 });
  });

  it('answers what comes in one piece in its order, and goes on', async () => {
    const { socket, seen } = send(100);
    await eventually(() => {
      expect(seen.text.match(/made \d/g)).toHaveLength(100);
    });
    socket.write(REQUEST);
    await eventually(() => {
      expect(seen.text.match(/made \d/g)).toHaveLength(101);
    });
    expect(seen.isClosed).toBe(false);
    socket.destroy();
  });

  it('serves others between the requests that one has sent at once', async () => {
    const flood = send(20_000);
    await eventually(() => {
      expect(flood.seen.text).toContain('made');
    });
    await expect(scrape()).resolves.toMatchObject({ status: 200 });
    // Of the flood thousands still wait for their turn.
    expect(flood.seen.text.match(/made \d/g)!.length).toBeLessThan(10_000);
    expect(made).toBeLessThanOrEqual(TEXTS.atOnce);
    flood.socket.destroy();
  });
});
