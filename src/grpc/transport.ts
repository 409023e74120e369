import type { ListenAddress, ServerTls } from '../servers/listen-address';
import type { Registry } from './late-services';

/** Carries gRPC calls between sockets and handlers. There are two: grpc-js, and our own. */
export interface Transport {
  /** Where services are registered that are written for grpc-js. */
  readonly registry: Registry;
  /** Binds one more address. Port 0 picks a free port. Rejects with the system's error. */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** Uses a renewed certificate for all new connections. */
  renewTls(tls: ServerTls): void;
  /**
   * Closes connections without a call. A client that only connected never does that by itself.
   *
   * @param mayLose true to close also connections whose last answer the kernel has not accepted yet
   */
  endIdle(options: { readonly mayLose: boolean }): void;
  /** Accepts no new connections and resolves when the calls in flight have finished. */
  close(): Promise<void>;
}
