import { once } from 'node:events';
import { type Server } from 'node:http';
import type { createServer as createTcpServer } from 'node:net';
import { type AddressInfo, connect } from 'node:net';

import { parseEndpoint } from '../../src/upstream/endpoint';
import { Upstream } from '../../src/upstream/upstream';
import { RecordingLogger } from '../support/recording-logger';
import { HttpFixture } from './http-fixture';

/** The path of a lock call. */
export const LOCK = '/v1.0-alpha1/lock/lockstore';

/** What a test varies of the HTTP server. */
export type Fixture = NonNullable<ConstructorParameters<typeof HttpFixture>[0]>;

/** Starts Holdfast in front of a port. */
export async function startBefore(port: number, options: Fixture = {}, maxCalls = 1000) {
  const logger = new RecordingLogger();
  const upstream = new Upstream({
    grpc: undefined,
    http: parseEndpoint(`127.0.0.1:${port}`),
    maxCalls,
    apiToken: options.token,
    goneWithinMs: 1000,
    secureContext: () => {
      throw new Error('no TLS here');
    },
    logger,
  });
  const http = await new HttpFixture({ ...options, upstream }).start();
  return { upstream, http, logger };
}

/** Starts to listen, and returns the port. */
export async function listen(server: Server | ReturnType<typeof createTcpServer>, port = 0) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Sends bytes, and returns all that comes back until the connection closes or `until` is there. */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  until?: string,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (data: Buffer) => {
    received += data.toString('latin1');
    if (until !== undefined && received.includes(until)) socket.destroy();
  });
  socket.write(bytes);
  await once(socket, 'close');
  return received;
}
