import { createServer } from 'node:net';

import { toErrorMessage } from './lock/error-message';
import type { Logger } from './lock/logger';

/**
 * The hosts to bind. Without addresses of its own a sidecar takes all, of both IP versions by one
 * dual-stack socket: `localhost` may mean either, and .NET tries IPv6 first. Where the machine
 * has no IPv6 that is `0.0.0.0`.
 */
export async function resolveListenHosts(addresses: readonly string[]): Promise<readonly string[]> {
  if (addresses.length > 0) return addresses;
  return [(await canBind('::')) ? '::' : '0.0.0.0'];
}

function canBind(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ host, port: 0 }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

/** One of the two API servers, as far as binding goes. */
export interface Listener {
  listen(address: { readonly host: string; readonly port: number }): Promise<{ port: number }>;
}

/**
 * Binds a server to every host. As in daprd a host that can't be bound is logged and left out.
 *
 * @throws {Error} where none could be bound
 */
export async function listenOnAll(options: {
  readonly server: Listener;
  readonly hosts: readonly string[];
  readonly port: number;
  /** How the log names the server: `HTTP` or `gRPC`. */
  readonly label: string;
  readonly logger: Logger;
}): Promise<void> {
  const { server, hosts, port, label, logger } = options;
  let bound = 0;
  for (const host of hosts) {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    try {
      await server.listen({ host, port });
      logger.info(`${label} server listening on TCP address: ${address}`);
      bound += 1;
    } catch (error) {
      logger.error(
        `Failed to listen for ${label} server on TCP address ${address}: ${toErrorMessage(error)}`,
      );
    }
  }
  if (bound === 0) {
    throw new Error(`could not listen on any endpoint: the ${label} port ${port} can't be bound`);
  }
}
