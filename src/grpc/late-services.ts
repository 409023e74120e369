import type { Server } from '@grpc/grpc-js';

import type * as health from './health-service';
import type { OpenStreams } from './open-streams';
import type * as reflection from './reflection-service';

/** One method of a service: what grpc-js needs to serve it. */
export interface ServiceMethod {
  readonly handle: (call: never, callback: never) => void;
  readonly serialize: (answer: object) => Buffer;
  readonly deserialize: (request: Buffer) => object;
}

/** The methods of a service by their paths. */
export type ServiceMethods = ReadonlyMap<string, ServiceMethod>;

/** grpc-js's names for the kinds of calls. */
type MethodKind = 'unary' | 'serverStream' | 'bidi';

/** grpc/health/v1/health.proto */
const HEALTH: Readonly<Record<string, MethodKind>> = {
  '/grpc.health.v1.Health/Check': 'unary',
  '/grpc.health.v1.Health/List': 'unary',
  '/grpc.health.v1.Health/Watch': 'serverStream',
};

/** grpc/reflection/v1/reflection.proto and its forerunner. */
const REFLECTION: Readonly<Record<string, MethodKind>> = {
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': 'bidi',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': 'bidi',
};

/**
 * Health checks and reflection, each loaded when it is first called: most sidecars are asked for
 * neither. Loaded at once they took a start from 150 to 270 ms of CPU and from 63 to 80 MB (Node 20).
 */
export class LateServices {
  #health: health.HealthService | undefined;
  #isServing = false;

  constructor(server: Server, streams: OpenStreams) {
    registerLate(server, HEALTH, () => {
      const { HealthService: Health } = loadHealth();
      this.#health = new Health(streams);
      this.#health.setServing(this.#isServing);
      return this.#health.methods;
    });
    registerLate(server, REFLECTION, () => loadReflection().createReflectionMethods(streams));
  }

  /** What health checks answer; tells the watchers too. */
  setServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.#health?.setServing(isServing);
  }
}

/** Registers methods by their paths alone; the first call of any of them loads what stands behind. */
function registerLate(
  server: Server,
  kinds: Readonly<Record<string, MethodKind>>,
  load: () => ServiceMethods,
): void {
  let methods: ServiceMethods | undefined;
  const find = (path: string): ServiceMethod => {
    methods ??= load();
    const method = methods.get(path);
    if (method === undefined) throw new Error(`${path} is registered and not served`);
    return method;
  };
  for (const [path, kind] of Object.entries(kinds)) {
    const handle = (call: never, callback: never) => {
      find(path).handle(call, callback);
    };
    const serialize = (answer: object) => find(path).serialize(answer);
    const deserialize = (request: Buffer) => find(path).deserialize(request);
    server.register(path, handle as never, serialize, deserialize, kind);
  }
}

/* eslint-disable @typescript-eslint/no-require-imports -- a handler has to have it at once: an import()
   would come too late */
const loadHealth = () => require('./health-service') as typeof health;
const loadReflection = () => require('./reflection-service') as typeof reflection;
/* eslint-enable @typescript-eslint/no-require-imports */
