import type { ListenAddress, ServerTls } from '../servers/listen-address';
import type * as grpcJs from './grpc-js/grpc-js-transport';
import { LateServices } from './late-services';
import type * as lean from './lean/lean-transport';
import { OpenStreams } from './open-streams';
import {
  createServerParts,
  type GrpcServerOptions,
  type GrpcTransport,
  type ServerParts,
} from './server-parts';
import type { Transport } from './transport';

/** The gRPC transport of the sidecar. */
export interface GrpcServer {
  /** Binds one more address. Port 0 picks a free port. Rejects with the system's error. */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** Uses a renewed certificate for all new connections. */
  renewTls(tls: ServerTls): void;
  /** Accepts no new connections and resolves when the calls in flight have finished. */
  close(): Promise<void>;
}

/**
 * Interval at which a closing server ends connections without a call, in milliseconds. Until the
 * first time they may close by themselves.
 */
const IDLE_END_MS = 250;

/**
 * After this time, a closing server also ends connections that have not read their last answer, in
 * milliseconds.
 */
const UNREAD_END_MS = 1000;

/** Creates the gRPC transport. It listens on nothing until `listen` is called. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { eventStreams, upstream, tls } = options;
  const parts = createServerParts(options);
  const { handshakes, passing } = parts;
  const transport = createTransport(options.transport, parts, tls);
  const streams = new OpenStreams();
  const lateServices = new LateServices(transport.registry, streams, upstream?.sessions);
  let isClosing = false;
  const setServing = (isServing: boolean): void => {
    lateServices.setServing(isServing && !isClosing);
  };

  return {
    async listen(address) {
      const bound = await transport.listen(address);
      if (upstream === undefined) lateServices.setServing(true);
      else upstream.health.onChange(setServing);
      return bound;
    },
    renewTls(renewed) {
      transport.renewTls(renewed);
    },
    close() {
      isClosing = true;
      setServing(false);
      streams.end();
      eventStreams.stop();
      passing?.close();
      const closedAtMs = performance.now();
      const idleEnd = setInterval(() => {
        transport.endIdle({ mayLose: performance.now() - closedAtMs >= UNREAD_END_MS });
        handshakes.end();
      }, IDLE_END_MS);
      return transport.close().finally(() => {
        clearInterval(idleEnd);
        passing?.closed();
      });
    },
  };
}

/** Only the chosen transport is loaded, because grpc-js and node:http2 take memory and time. */
function createTransport(
  name: GrpcTransport,
  parts: ServerParts,
  tls: ServerTls | undefined,
): Transport {
  if (name === 'grpc-js') return new (loadGrpcJs().GrpcJsTransport)(parts, tls);
  return new (loadLean().LeanTransport)(parts, tls);
}

/* eslint-disable @typescript-eslint/no-require-imports -- an import() would resolve too late: the
   transport is needed synchronously */
const loadGrpcJs = () => require('./grpc-js/grpc-js-transport') as typeof grpcJs;
const loadLean = () => require('./lean/lean-transport') as typeof lean;
/* eslint-enable @typescript-eslint/no-require-imports */
