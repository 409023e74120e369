import type { Server } from '@grpc/grpc-js';

import type { SessionPool } from '../upstream/session-pool';
import type * as health from './health-service';
import type { OpenStreams } from './open-streams';
import type * as reflection from './reflection-service';
import { HEALTH_METHODS, REFLECTION_METHODS, type TransportMethod } from './transport-methods';

/** One method of a service, in the form that grpc-js needs. */
export interface ServiceMethod {
  readonly handle: (call: never, callback: never) => void;
  readonly serialize: (answer: object) => Buffer;
  readonly deserialize: (request: Buffer) => object;
}

/** Where methods are registered: a server of grpc-js, or our own. */
export type Registry = Pick<Server, 'register'>;

/** The methods of a service, by path. */
export type ServiceMethods = ReadonlyMap<string, ServiceMethod>;

/**
 * Health checks and reflection. Each is loaded at its first call, because most sidecars never use
 * them. Loading both at start raised CPU time from 150 to 270 ms and memory from 63 to 80 MB (Node
 * 20).
 */
export class LateServices {
  #health: health.HealthService | undefined;
  #isServing = false;

  /** @param upstream the sidecar behind this one, whose services reflection shows as well */
  constructor(server: Registry, streams: OpenStreams, upstream?: SessionPool) {
    registerLate(server, HEALTH_METHODS, () => {
      const { HealthService: Health } = loadHealth();
      this.#health = new Health(streams);
      this.#health.setServing(this.#isServing);
      return this.#health.methods;
    });
    registerLate(server, REFLECTION_METHODS, () =>
      loadReflection().createReflectionMethods(streams, upstream),
    );
  }

  /** Sets the status that health checks report, and sends it to watchers. */
  setServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.#health?.setServing(isServing);
  }
}

/** Registers methods by path only. The first call of any of them loads the implementation. */
function registerLate(
  server: Registry,
  rows: readonly TransportMethod[],
  load: () => ServiceMethods,
): void {
  let methods: ServiceMethods | undefined;
  const find = (path: string): ServiceMethod => {
    methods ??= load();
    const method = methods.get(path);
    if (method === undefined) throw new Error(`${path} is registered but not implemented`);
    return method;
  };
  for (const { grpcPath: path, kind } of rows) {
    const handle = (call: never, callback: never) => {
      find(path).handle(call, callback);
    };
    const serialize = (answer: object) => find(path).serialize(answer);
    const deserialize = (request: Buffer) => find(path).deserialize(request);
    server.register(path, handle as never, serialize, deserialize, kind);
  }
}

/* eslint-disable @typescript-eslint/no-require-imports -- handlers need the module synchronously;
   an import() would resolve too late */
const loadHealth = () => require('./health-service') as typeof health;
const loadReflection = () => require('./reflection-service') as typeof reflection;
/* eslint-enable @typescript-eslint/no-require-imports */
