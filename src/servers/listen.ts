import { chmod, stat, unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import path from 'node:path';

import { describeFileError } from '../base/file-error';
import type { Logger } from '../base/logger';
import type { ListenAddress } from './listen-address';
import { describeListenError } from './listen-error';

/**
 * The hosts to bind. By default the sidecar listens on all addresses of both IP versions, with one
 * dual-stack socket: `localhost` can mean either, and .NET tries IPv6 first. Without IPv6, this is
 * `0.0.0.0`.
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

/** The part of a server that is needed to bind it. */
export interface Listener {
  listen(address: ListenAddress): Promise<{ port: number }>;
}

/**
 * Binds a server to every host. As in daprd, a host that can't be bound is logged and left out.
 *
 * @throws {Error} if none could be bound, with the reason of each
 */
export async function listenOnAll(options: {
  readonly server: Listener;
  readonly hosts: readonly string[];
  readonly port: number;
  /** The server's name in the log: `HTTP` or `gRPC`. */
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

/** The mode of a unix socket: for its user and group. */
const SOCKET_MODE = 0o660;

/** The longest path of a unix socket in bytes (Linux sun_path without its final zero). */
const LONGEST_SOCKET_PATH = 107;

/** The unix socket file of a server, with daprd's name. */
export function toSocketFile(folder: string, appId: string, label: 'HTTP' | 'gRPC'): string {
  return path.join(folder, `dapr-${appId}-${label.toLowerCase()}.socket`);
}

/**
 * Binds a server to a unix socket in a folder, with daprd's name. A socket file that an ended
 * sidecar left behind is removed. daprd refuses to start then.
 *
 * @throws {Error} if another process listens on it, or it can't be bound
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

/** Checks the folder, because Node reports a missing one as a permission problem. */
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
