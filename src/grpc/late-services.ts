import type { Server } from '@grpc/grpc-js';

import type * as health from './health-service';
import type { OpenStreams } from './open-streams';
import type * as reflection from './reflection-service';

/** One method of a service, in the form that grpc-js needs. */
export interface ServiceMethod {
  readonly handle: (call: never, callback: never) => void;
  readonly serialize: (answer: object) => Buffer;
  readonly deserialize: (request: Buffer) => object;
}

/** The methods of a service, by path. */
export type ServiceMethods = ReadonlyMap<string, ServiceMethod>;

/** grpc-js's names for the kinds of methods. */
type MethodKind = 'unary' | 'serverStream' | 'bidi';

/** grpc/health/v1/health.proto */
const HEALTH: Readonly<Record<string, MethodKind>> = {
  '/grpc.health.v1.Health/Check': 'unary',
  '/grpc.health.v1.Health/List': 'unary',
  '/grpc.health.v1.Health/Watch': 'serverStream',
};

/** grpc/reflection/v1/reflection.proto and its predecessor v1alpha. */
const REFLECTION: Readonly<Record<string, MethodKind>> = {
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': 'bidi',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': 'bidi',
};

/**
 * Health checks and reflection. Each is loaded at its first call, because most sidecars never use
 * them. Loading both at start raised CPU time from 150 to 270 ms and memory from 63 to 80 MB (Node
 * 20).
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

  /** Sets the status that health checks report, and sends it to watchers. */
  setServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.#health?.setServing(isServing);
  }
}

/** Registers methods by path only. The first call of any of them loads the implementation. */
function registerLate(
  server: Server,
  kinds: Readonly<Record<string, MethodKind>>,
  load: () => ServiceMethods,
): void {
  let methods: ServiceMethods | undefined;
  const find = (path: string): ServiceMethod => {
    methods ??= load();
    const method = methods.get(path);
    if (method === undefined) throw new Error(`${path} is registered but not implemented`);
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

/* eslint-disable @typescript-eslint/no-require-imports -- handlers need the module synchronously;
   an import() would resolve too late */
const loadHealth = () => require('./health-service') as typeof health;
const loadReflection = () => require('./reflection-service') as typeof reflection;
/* eslint-enable @typescript-eslint/no-require-imports */
