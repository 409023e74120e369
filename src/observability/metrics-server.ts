import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import type { Registry } from 'prom-client';

import { toErrorMessage } from '../lock/error-message';

/** Shows the metrics to Prometheus, on any path as daprd does. */
export interface MetricsServer {
  /** Rejects with the system's reason. Port 0 takes a free one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ port: number }>;
  close(): Promise<void>;
}

/** How long a text of the metrics is shown before another is made, in milliseconds. */
export const TEXT_HOLDS_MS = 250;

/**
 * How many requests of a connection may wait for their answers. Scrapers send one and wait; whoever
 * sends thousands without reading an answer would have the sidecar's only thread for seconds.
 */
export const MOST_PIPELINED = 16;

/** What a server of metrics is made of. */
export interface MetricsServerOptions {
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Makes the server of a registry; nothing listens before `listen`. */
export function createMetricsServer(options: MetricsServerOptions): MetricsServer {
  const { registry, now = () => performance.now() } = options;
  const text = shareText(registry, now);
  const waiting = new WeakMap<Socket, number>();
  const server: Server = createServer((request, response) => {
    const { socket } = request;
    const before = waiting.get(socket) ?? 0;
    if (socket.destroyed || before >= MOST_PIPELINED) {
      socket.destroy();
      return;
    }
    waiting.set(socket, before + 1);
    response.once('finish', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
    });
    request.resume();
    text().then(
      (bytes) => {
        response
          .writeHead(200, { 'content-type': registry.contentType, 'content-length': bytes.length })
          .end(bytes);
      },
      (error: unknown) => {
        response.writeHead(500).end(`${toErrorMessage(error)}\n`);
      },
    );
  });
  return {
    listen: (address) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ ...address }, () => {
          server.off('error', reject);
          resolve({ port: (server.address() as AddressInfo).port });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/**
 * One text for all who ask within {@link TEXT_HOLDS_MS}: making it takes as long as dozens of lock calls.
 * In bytes, so that answers that wait for a slow reader share them.
 */
function shareText(registry: MetricsServerOptions['registry'], now: () => number) {
  let shared: Promise<Buffer> | undefined;
  let madeAtMs = -Infinity;
  return (): Promise<Buffer> => {
    if (shared !== undefined && now() - madeAtMs < TEXT_HOLDS_MS) return shared;
    madeAtMs = now();
    shared = registry.metrics().then((text) => Buffer.from(text));
    return shared;
  };
}
