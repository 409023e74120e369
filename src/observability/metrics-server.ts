import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Registry } from 'prom-client';

import { toErrorMessage } from '../base/error-message';
import { ByteBudget } from '../servers/byte-budget';
import { OneAtATime } from '../servers/one-at-a-time';
import { Turns } from '../servers/turns';
import { UnreadAnswers } from '../servers/unread-answers';

/** Serves the metrics to Prometheus, on any path as in daprd. */
export interface MetricsServer {
  /** Starts to listen. Port 0 means a free port. Rejects with the system's error. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ port: number }>;
  close(): Promise<void>;
}

/** Limits for new texts of the metrics: a burst, and then one per interval, in milliseconds. */
export const TEXTS = { atOnce: 4, everyMs: 250 } as const;

/**
 * Limit in bytes, for all scrapers together, for each of: pipelined requests that wait, and answers
 * that are not read.
 */
const KEPT_BYTES = 4 * 2 ** 20;

/** The options of a metrics server. */
export interface MetricsServerOptions {
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Creates the server of a registry. It does not listen before `listen`. */
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
 * Creates a new text for each scrape, within the limits, and shares the latest one beyond them,
 * because a text costs as much as dozens of lock calls. The text is a Buffer, so that answers to
 * slow readers share it.
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
