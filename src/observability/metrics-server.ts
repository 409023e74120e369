import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Registry } from 'prom-client';

import { toErrorMessage } from '../lock/error-message';

/** Shows the metrics to Prometheus, on any path as daprd does. */
export interface MetricsServer {
  /** Rejects with the system's reason. Port 0 takes a free one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ port: number }>;
  close(): Promise<void>;
}

/** Makes the server of a registry; nothing listens before `listen`. */
export function createMetricsServer(registry: Registry): MetricsServer {
  const server: Server = createServer((request, response) => {
    request.resume();
    registry.metrics().then(
      (text) => {
        response.writeHead(200, { 'content-type': registry.contentType }).end(text);
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
