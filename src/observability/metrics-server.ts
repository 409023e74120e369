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

/** How many texts of the metrics are made at once, and how often another, in milliseconds. */
export const TEXTS = { atOnce: 4, everyMs: 250 } as const;

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
 * A text of its own for everybody who asks, as long as few do; the latest for all others: making it takes
 * as long as dozens of lock calls. In bytes, so that answers that wait for a slow reader share them.
 */
function shareText(registry: MetricsServerOptions['registry'], now: () => number) {
  let shared: Promise<Buffer> | undefined;
  let mayBeMade: number = TEXTS.atOnce;
  let countedAtMs = now();
  return (): Promise<Buffer> => {
    const nowMs = now();
    mayBeMade = Math.min(TEXTS.atOnce, mayBeMade + (nowMs - countedAtMs) / TEXTS.everyMs);
    countedAtMs = nowMs;
    if (shared !== undefined && mayBeMade < 1) return shared;
    mayBeMade -= 1;
    shared = registry.metrics().then((text) => Buffer.from(text));
    return shared;
  };
}
