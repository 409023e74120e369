import { chmod, stat, unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import path from 'node:path';

import { describeFileError } from '../base/file-error';
import type { Logger } from '../base/logger';
import type { ListenAddress } from './listen-address';
import { describeListenError } from './listen-error';

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

/** A server as far as binding goes. */
export interface Listener {
  listen(address: ListenAddress): Promise<{ port: number }>;
}

/**
 * Binds a server to every host. As in daprd a host that can't be bound is logged and left out.
 *
 * @throws {Error} where none could be bound, with the reason of each
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
  const failed: { readonly address: string; readonly reason: string }[] = [];
  for (const host of hosts) {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    try {
      await server.listen({ host, port });
      logger.info(`${label} server listening on TCP address: ${address}`);
    } catch (error) {
      failed.push({ address, reason: describeListenError(error) });
    }
  }
  if (failed.length === hosts.length) {
    const reasons = failed.map(({ address, reason }) => `${address}: ${reason}`).join('; ');
    throw new Error(
      `could not listen on any endpoint: the ${label} port ${port} can't be bound: ${reasons}`,
    );
  }
  for (const { address, reason } of failed) {
    logger.error(`Failed to listen for ${label} server on TCP address ${address}: ${reason}`);
  }
}

/** Who may use a unix socket: its user and group. */
const SOCKET_MODE = 0o660;

/** The longest path that a unix socket can have, in bytes (Linux sun_path, its end counted). */
const LONGEST_SOCKET_PATH = 107;

/** The unix socket of a server, named as daprd's. */
export function toSocketFile(folder: string, appId: string, label: 'HTTP' | 'gRPC'): string {
  return path.join(folder, `dapr-${appId}-${label.toLowerCase()}.socket`);
}

/**
 * Binds a server to a unix socket in a folder, named as daprd's. A file that an ended sidecar has
 * left behind is removed; daprd refuses to start there.
 *
 * @throws {Error} where somebody listens on it, or where it can't be bound
 */
export async function listenOnSocket(options: {
  readonly server: Listener;
  readonly folder: string;
  readonly appId: string;
  readonly label: 'HTTP' | 'gRPC';
  readonly logger: Logger;
}): Promise<void> {
  const { server, folder, appId, label, logger } = options;
  const file = toSocketFile(folder, appId, label);
  if (Buffer.byteLength(file) > LONGEST_SOCKET_PATH) {
    throw new Error(
      `could not listen on unix socket ${file}: its path is longer than ${LONGEST_SOCKET_PATH} bytes`,
    );
  }
  try {
    await assertFolder(folder);
    await removeStale(file);
    await server.listen({ path: file });
    await chmod(file, SOCKET_MODE);
  } catch (cause) {
    throw new Error(`could not listen on unix socket ${file}: ${describeFileError(cause)}`, {
      cause,
    });
  }
  logger.info(`${label} server listening on UNIX socket: ${file}`);
}

/** Node says that a folder which is not there may not be entered. */
async function assertFolder(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).isDirectory()) return;
  } catch (cause) {
    throw new Error(`its folder ${folder}: ${describeFileError(cause)}`, { cause });
  }
  throw new Error(`${folder} is not a folder`);
}

async function removeStale(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error('a file that is not a socket exists there');
  if (await isListenedTo(file)) throw new Error('another process listens on it');
  await unlink(file);
}

function isListenedTo(file: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect({ path: file }, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: Error & { readonly code?: string }) => {
      if (error.code === 'ECONNREFUSED') resolve(false);
      else reject(error);
    });
  });
}
