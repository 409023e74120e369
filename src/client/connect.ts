import { findEndpoint, type TlsCertificates } from './endpoint';
import { GrpcLockCalls } from './grpc-lock-calls';
import type { Locks } from './locks';
import { StoreLocks } from './store-locks';

/** How to find a sidecar, and which of its stores to use. */
export interface ConnectOptions {
  /** Name of the lock component. Default `lockstore`. */
  readonly store?: string | undefined;
  /**
   * Where the sidecar listens for gRPC: `host:port`, `https://host:port`, `unix:/path`, … Default: DAPR_GRPC_ENDPOINT,
   * else port DAPR_GRPC_PORT (50001) of 127.0.0.1.
   */
  readonly address?: string | undefined;
  /** Default: DAPR_API_TOKEN. */
  readonly apiToken?: string | undefined;
  /** Certificates for an address with TLS. */
  readonly tls?: TlsCertificates | undefined;
  /** How long a call may take, beside the time that it waits for a lock, in milliseconds. Default 10000. */
  readonly timeoutMs?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Returns the locks of a store. The first call connects; {@link Locks.close} ends the connection.
 *
 * @throws {EndpointError} if the address is not one
 */
export function connect(options: ConnectOptions = {}): Locks {
  const { store = 'lockstore', address, tls = {}, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const endpoint = findEndpoint(address, process.env);
  const apiToken = options.apiToken ?? process.env.DAPR_API_TOKEN;
  const calls = new GrpcLockCalls({ endpoint, apiToken, tls });
  return new StoreLocks({ calls, storeName: store, timeoutMs });
}
