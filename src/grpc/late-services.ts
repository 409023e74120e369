import type { Server } from '@grpc/grpc-js';

import type { LateService } from './grpc-js-internals';
import type * as health from './health-service';
import type { OpenStreams } from './open-streams';
import type * as reflection from './reflection-service';

/**
 * Health checks and reflection, each loaded and made when it is first called. Together they take as
 * long to start as the rest of the server, and most sidecars are never asked for either.
 */
export class LateServices {
  readonly all: readonly LateService[];
  #health: health.HealthService | undefined;
  #isServing = false;

  constructor(server: Server, streams: OpenStreams) {
    this.all = [
      {
        prefix: '/grpc.health.v1.',
        add: () => {
          const { HealthService: Health } = loadHealth();
          this.#health = new Health(server, streams);
          this.#health.setServing(this.#isServing);
        },
      },
      {
        prefix: '/grpc.reflection.',
        add: () => {
          loadReflection().addReflection(server, streams);
        },
      },
    ];
  }

  /** What health checks answer; tells the watchers too. */
  setServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.#health?.setServing(isServing);
  }
}

/* eslint-disable @typescript-eslint/no-require-imports -- grpc-js looks a method up and has to have it
   at once: an import() would come too late */
const loadHealth = () => require('./health-service') as typeof health;
const loadReflection = () => require('./reflection-service') as typeof reflection;
/* eslint-enable @typescript-eslint/no-require-imports */
