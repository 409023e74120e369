import type { EventEmitter } from 'node:events';

import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';

import { createAnswerEncoder } from './answer-encoder';
import { EXEMPT_KEPT_BYTES } from './call-gate';
import { type GrpcStatus, statusOf, toGrpcStatus } from './grpc-status';
import type { ServiceMethods } from './late-services';
import type { OpenStreams } from './open-streams';
import { DAPR_SERVICE } from './proto-files';
import { createRequestDecoder } from './request-decoder';
import { Status } from './status';

/** The services whose health can be queried: the whole server (empty name) and the Dapr service. */
const SERVICES: readonly string[] = ['', DAPR_SERVICE];

/** `HealthCheckResponse.ServingStatus` (grpc/health/v1/health.proto). */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** How many characters of an unknown name an error repeats. */
const SHOWN_NAME_LENGTH = 100;

/** The calls of grpc-js, or those that look like them, as far as they are used here. */
interface Check {
  readonly request: Buffer;
}
interface Watch extends Check, EventEmitter {
  write(answer: object): boolean;
  end(): unknown;
}
type Callback = (error: GrpcStatus | null, answer?: object) => void;

/**
 * `grpc.health.v1.Health`, for the whole server and for the Dapr service. daprd does not have it.
 * Calls need no token, so it stores no name that a client asks for. The package grpc-health-check
 * would keep every name that was ever watched.
 */
export class HealthService {
  readonly methods: ServiceMethods;
  readonly #watches = new Set<Watch>();
  readonly #decodeName: (bytes: Buffer) => object;
  #status = NOT_SERVING;

  /** Reports NOT_SERVING until {@link setServing} is called. */
  constructor(streams: OpenStreams) {
    const service = loadSync(protoPath, { longs: Number, enums: Number })[
      'grpc.health.v1.Health'
    ] as unknown as Record<'Check' | 'Watch' | 'List', MethodDefinition<object, object>>;
    this.#decodeName = createRequestDecoder(service.Check);
    const check = (call: Check, callback: Callback): void => {
      const answer = this.#check(call);
      if ('code' in answer) callback(answer);
      else callback(null, answer);
    };
    const list = (_call: Check, callback: Callback): void => {
      callback(null, { statuses: this.#list() });
    };
    const watch = streams.track((call: Watch) => {
      this.#watch(call);
    });
    const handlers = { Check: check, List: list, Watch: watch };
    this.methods = new Map(
      Object.entries(handlers).map(([name, handle]) => {
        const method = service[name as keyof typeof handlers];
        const serialize = createAnswerEncoder(method);
        return [method.path, { handle, serialize, deserialize: (bytes) => bytes }];
      }),
    );
  }

  /** Sets the status and sends it to the watchers. */
  setServing(serving: boolean): void {
    this.#status = serving ? SERVING : NOT_SERVING;
    for (const watch of this.#watches) watch.write({ status: this.#status });
  }

  #check({ request }: Check): GrpcStatus | { readonly status: number } {
    try {
      const name = this.#nameOf(request);
      return isKnown(name) ? { status: this.#status } : unknown(name);
    } catch (error) {
      return toGrpcStatus(error);
    }
  }

  #list(): Record<string, object> {
    return Object.fromEntries(SERVICES.map((name) => [name, { status: this.#status }]));
  }

  /**
   * A watch of an unknown service stays open, as the protocol requires, because the service may
   * appear later.
   */
  #watch(call: Watch): void {
    try {
      const known = isKnown(this.#nameOf(call.request));
      call.write({ status: known ? this.#status : SERVICE_UNKNOWN });
      if (!known) return;
    } catch (error) {
      call.emit('error', toGrpcStatus(error));
      return;
    }
    this.#watches.add(call);
    call.once('cancelled', () => this.#watches.delete(call));
  }

  /** The requested service name. Undefined if the request was too long to be kept. */
  #nameOf(request: Buffer): string | undefined {
    if (request.length >= EXEMPT_KEPT_BYTES) return undefined;
    return (this.#decodeName(request) as { readonly service: string }).service;
  }
}

function isKnown(name: string | undefined): boolean {
  return name !== undefined && SERVICES.includes(name);
}

function unknown(name = '(a name of more than 4000 bytes)'): GrpcStatus {
  const shown = name.length > SHOWN_NAME_LENGTH ? `${name.slice(0, SHOWN_NAME_LENGTH)}…` : name;
  return statusOf(Status.NOT_FOUND, `Health status unknown for service ${shown}`);
}
