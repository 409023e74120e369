import { connect } from 'node:net';

import {
  createMetricsServer,
  type MetricsServer,
  MOST_PIPELINED,
  TEXT_HOLDS_MS,
} from '../../src/observability/metrics-server';
import { eventually } from '../support/eventually';
import { callHttp } from '../support/http-call';

const REQUEST = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

describe('the server of metrics', () => {
  let server: MetricsServer;
  let port: number;
  let made: number;
  let nowMs: number;
  beforeEach(async () => {
    [made, nowMs] = [0, 0];
    server = createMetricsServer({
      registry: {
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
        metrics: async () => {
          made += 1;
          if (made === 3) throw new Error('broken');
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

  it('makes one text for all who ask within a quarter of a second', async () => {
    const together = await Promise.all([scrape(), scrape(), scrape()]);
    nowMs = TEXT_HOLDS_MS - 1;
    const later = await scrape();
    expect([...together, later].map(({ body }) => body)).toEqual(Array(4).fill('made 1\n'));
    nowMs = TEXT_HOLDS_MS;
    await expect(scrape()).resolves.toMatchObject({ body: 'made 2\n', status: 200 });
  });

  it('makes another after one that failed', async () => {
    for (nowMs = 0; nowMs < 2 * TEXT_HOLDS_MS; nowMs += TEXT_HOLDS_MS) await scrape();
    await expect(scrape()).resolves.toMatchObject({ body: 'broken\n', status: 500 });
    nowMs += TEXT_HOLDS_MS;
    await expect(scrape()).resolves.toMatchObject({ body: 'made 4\n', status: 200 });
  });

  it('answers what comes in one piece in its order', async () => {
    const { socket, seen } = send(MOST_PIPELINED);
    await eventually(() => {
      expect(seen.text.match(/made 1/g)).toHaveLength(MOST_PIPELINED);
    });
    socket.write(REQUEST);
    await eventually(() => {
      expect(seen.text.match(/made 1/g)).toHaveLength(MOST_PIPELINED + 1);
    });
    expect(seen.isClosed).toBe(false);
    socket.destroy();
  });

  it('closes a connection on which more wait, and serves the others', async () => {
    const { seen } = send(20_000);
    await eventually(() => {
      expect(seen.isClosed).toBe(true);
    });
    await expect(scrape()).resolves.toMatchObject({ status: 200 });
    expect(made).toBe(1);
  });
});
