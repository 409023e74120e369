import type { EventStreams } from '../api/event-streams';
import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import { Handshakes } from '../servers/handshakes';
import type { ServerTls } from '../servers/listen-address';
import type { Upstream } from '../upstream/upstream';
import { ApiRefusals } from './api-refusals';
import { CallGate } from './call-gate';
import type { GrpcMethod } from './grpc-method';
import { createMetadataJoint } from './metadata-joint';
import type * as passing from './passing';
import type { StreamHandlerOptions } from './stream-handler';
import { StreamShares } from './stream-shares';
import { UncountedCalls } from './uncounted-calls';

/** The transport that carries the calls: the library grpc-js, or our own HTTP/2. */
export type GrpcTransport = 'grpc-js' | 'lean';

/** The parts and limits of the gRPC transport. */
export interface GrpcServerOptions {
  readonly transport: GrpcTransport;
  /** The methods to serve. Health checks and reflection are always served in addition. */
  readonly methods: readonly GrpcMethod[];
  readonly sidecar: Sidecar;
  readonly logger: Logger;
  /** The open event streams of both transports. */
  readonly eventStreams: EventStreams;
  /** Maximum size of a message, sent or received, in bytes (--max-body-size). -1 means no limit. */
  readonly maxMessageBytes: number;
  /** Maximum number of concurrent lock calls. Undefined means no limit. */
  readonly maxConcurrentCalls?: number | undefined;
  /** Undefined for connections without TLS. */
  readonly tls: ServerTls | undefined;
  /** Answers all calls that are not served here. Undefined if there is none. */
  readonly upstream?: Upstream | undefined;
}

/** The parts that the connections of a server share. */
export interface ConnectionParts {
  readonly gate: CallGate;
  /** Limits how many streams each connection may open. Undefined means no limit. */
  readonly shares: StreamShares | undefined;
  /** Takes the calls that are passed on. Undefined if there is no upstream. */
  readonly passing?: passing.Passing | undefined;
  /** The paths of the methods with an event stream. */
  readonly eventStreamPaths: ReadonlySet<string>;
}

/** The parts that serve the calls on either transport. */
export interface ServerParts extends ConnectionParts {
  readonly methods: readonly GrpcMethod[];
  readonly maxMessageBytes: number;
  /** The options of the methods' handlers. */
  readonly handlers: StreamHandlerOptions;
  readonly handshakes: Handshakes;
}

/**
 * Open streams per allowed lock call. High enough that calls beyond the limit are refused with a
 * retry hint, low enough that refusing all of them takes a fraction of a second.
 */
const STREAMS_PER_CALL = 2;

/** Creates what is the same for both transports. */
export function createServerParts(options: GrpcServerOptions): ServerParts {
  const { methods, maxMessageBytes, maxConcurrentCalls, logger, sidecar } = options;
  const shares =
    maxConcurrentCalls === undefined
      ? undefined
      : new StreamShares(maxConcurrentCalls * STREAMS_PER_CALL);
  const uncounted = new UncountedCalls(shares);
  const { eventStreams: streams } = options;
  return {
    methods,
    maxMessageBytes,
    shares,
    gate: new CallGate({ refusals: createRefusals(options), maxMessageBytes }),
    passing: createPassing(options),
    eventStreamPaths: new Set(
      methods.flatMap(({ kind, row }) => (kind === 'unary' ? [] : [row.grpcPath])),
    ),
    handlers: { logger, observer: sidecar.observer, streams, uncounted },
    handshakes: new Handshakes(),
  };
}

function createRefusals({ methods, sidecar, upstream }: GrpcServerOptions): ApiRefusals {
  const { isAllowed, checkToken } = sidecar;
  const hasUpstream = upstream?.sessions !== undefined;
  const rows = methods.map(({ row }) => row);
  return new ApiRefusals({ methods: rows, isAllowed, checkToken, hasUpstream });
}

function createPassing({
  methods,
  sidecar,
  upstream,
}: GrpcServerOptions): passing.Passing | undefined {
  if (upstream?.sessions === undefined) return undefined;
  const { sessions: pool, calls: limit } = upstream;
  const joint = createMetadataJoint(() => sidecar.metadata.view().components);
  const joined = methods.filter(({ row }) => row.behind === 'joined');
  const joints = new Map(joined.map(({ row }) => [row.grpcPath, joint]));
  const { Passing } = loadPassing();
  return new Passing({ pool, limit, observer: sidecar.observer, joints });
}

/** It loads node:http2, which only sidecars with an upstream need. */
const loadPassing = () =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it is needed synchronously
  require('./passing') as typeof passing;
