import type { Server } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatus } from 'grpc-health-check';

import type { OpenStreams } from './open-streams';
import { DAPR_SERVICE } from './proto-files';

/** `grpc.health.v1.Health`, which daprd lacks: for the server as a whole and for its service. */
export class HealthService {
  readonly #health = new HealthImplementation();

  /** Registers the service; it says NOT_SERVING until {@link setServing}. */
  constructor(server: Server, streams: OpenStreams) {
    this.#setStatus('NOT_SERVING');
    this.#health.addToServer({
      addService: (definition, implementation) => {
        server.addService(definition, streams.track(implementation, ['watch']));
      },
    });
  }

  /** Tells the watchers too. */
  setServing(serving: boolean): void {
    this.#setStatus(serving ? 'SERVING' : 'NOT_SERVING');
  }

  #setStatus(servingStatus: ServingStatus): void {
    for (const service of ['', DAPR_SERVICE]) this.#health.setStatus(service, servingStatus);
  }
}
