import { EventStreams } from '../../src/api/event-streams';
import { ApiRefusals } from '../../src/grpc/api-refusals';
import { CallGate } from '../../src/grpc/call-gate';
import { LeanTransport } from '../../src/grpc/lean/lean-transport';
import { createServerParts } from '../../src/grpc/server-parts';
import { createFakeSidecar } from '../support/fake-sidecar';
import { RecordingLogger } from '../support/recording-logger';
import { INTEROP_PATHS, registerInteropService } from './interop-service';

/** The limit of a message, in bytes. */
export const MAX_MESSAGE_BYTES = 4 * 2 ** 20;

/** The limit of streams on a connection. */
export const MAX_STREAMS = 1000;

/** Our own transport with gRPC's test service in place of the table's methods. */
export function createTestServiceTransport(): LeanTransport {
  const sidecar = createFakeSidecar({});
  const parts = createServerParts({
    transport: 'lean',
    methods: [],
    sidecar,
    logger: new RecordingLogger(),
    eventStreams: new EventStreams(),
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxConcurrentCalls: MAX_STREAMS,
    tls: undefined,
  });
  const methods = INTEROP_PATHS.map((grpcPath) => ({
    ...({ operation: grpcPath, grpcPath, access: 'always', http: [], isPublic: false } as const),
  }));
  const refusals = new ApiRefusals({ methods, isAllowed: () => true, checkToken: undefined });
  const gate = new CallGate({ refusals, maxMessageBytes: MAX_MESSAGE_BYTES });
  const transport = new LeanTransport({ ...parts, gate }, undefined);
  registerInteropService(transport.registry);
  return transport;
}
