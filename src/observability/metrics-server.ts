import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Registry } from 'prom-client';

import { toErrorMessage } from '../base/error-message';
import { ByteBudget } from '../servers/byte-budget';
import { OneAtATime } from '../servers/one-at-a-time';
import { Turns } from '../servers/turns';
import { UnreadAnswers } from '../servers/unread-answers';

/** Shows the metrics to Prometheus, on any path as daprd does. */
export interface MetricsServer {
  /** Rejects with the system's reason. Port 0 takes a free one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ port: number }>;
  close(): Promise<void>;
}

/** How many texts of the metrics are made at once, and how often another, in milliseconds. */
export const TEXTS = { atOnce: 4, everyMs: 250 } as const;

/**
 * Bytes that all scrapers together may make the sidecar keep of each: requests sent before the one
 * before was answered, answers that are not read.
 */
const KEPT_BYTES = 4 * 2 ** 20;

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
  const oneAtATime = new OneAtATime({
    turns: new Turns(),
    waiting: new ByteBudget(KEPT_BYTES),
    unread: new UnreadAnswers(KEPT_BYTES),
  });
  const answer: RequestListener = (request, response) => {
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
  };
  const server = createServer(oneAtATime.wrap(answer));
  oneAtATime.watch(server);
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
