import {
  Client,
  credentials,
  Metadata,
  type MetadataValue,
  type ServiceError,
} from '@grpc/grpc-js';

import { createDaprApi } from '../../src/api/dapr-api';
import { EventStreams, type StreamBounds } from '../../src/api/event-streams';
import { createNativeApi } from '../../src/api/native-api';
import { createDaprMethods } from '../../src/grpc/dapr-methods';
import type { GrpcMethod } from '../../src/grpc/grpc-method';
import { createGrpcServer, type GrpcServer } from '../../src/grpc/grpc-server';
import { createNativeMethods } from '../../src/grpc/native-methods';
import { DAPR_SERVICE, loadDaprService } from '../../src/grpc/proto-files';
import type { GrpcTransport } from '../../src/grpc/server-parts';
import type { LockService } from '../../src/lock/lock-service';
import type { NativeLockService } from '../../src/lock/native-lock-service';
import type { ServerTls } from '../../src/servers/listen-address';
import type { Upstream } from '../../src/upstream/upstream';
import { createFakeLockService, createFakeNativeLocks } from '../support/fake-lock-service';
import { createFakeSidecar, type FakeSidecarOptions } from '../support/fake-sidecar';
import { RecordingLogger } from '../support/recording-logger';

/**
 * The transport under test. The tests of this folder run on each: once as they are, and once with
 * HOLDFAST_TEST_GRPC_SERVER=grpc-js.
 */
export const TRANSPORT: GrpcTransport =
  process.env.HOLDFAST_TEST_GRPC_SERVER === 'grpc-js' ? 'grpc-js' : 'lean';

/** The end of a unary call: the response, or the code and details of the status. */
export interface UnaryAnswer {
  readonly response?: unknown;
  readonly code?: number;
  readonly details?: string;
  readonly trailers?: Record<string, MetadataValue>;
}

/** How a raw call is made. */
export interface CallOptions {
  readonly metadata?: Record<string, string>;
  readonly deadline?: number;
}

/** A gRPC server on a free port, its client, and everything to look at afterwards. */
export class GrpcFixture {
  readonly logger = new RecordingLogger();
  readonly sidecar;
  readonly server: GrpcServer;
  readonly #clients: Client[] = [];
  port = 0;

  constructor(
    options: FakeSidecarOptions & {
      readonly locks?: Partial<LockService>;
      readonly nativeLocks?: NativeLockService;
      /** Beside Dapr's. */
      readonly methods?: readonly GrpcMethod[];
      readonly streamBounds?: StreamBounds;
      readonly maxMessageBytes?: number;
      readonly maxConcurrentCalls?: number | undefined;
      readonly tls?: ServerTls;
      readonly upstream?: Upstream;
      readonly transport?: GrpcTransport;
    } = {},
  ) {
    this.sidecar = createFakeSidecar(options);
    this.server = createGrpcServer({
      transport: options.transport ?? TRANSPORT,
      methods: [
        ...createDaprMethods(createDaprApi(createFakeLockService(options.locks), this.sidecar)),
        ...createNativeMethods(createNativeApi(options.nativeLocks ?? createFakeNativeLocks())),
        ...(options.methods ?? []),
      ],
      eventStreams: new EventStreams(options.streamBounds),
      sidecar: this.sidecar,
      logger: this.logger,
      maxMessageBytes: options.maxMessageBytes ?? 4 * 1024 * 1024,
      maxConcurrentCalls: options.maxConcurrentCalls,
      tls: options.tls,
      upstream: options.upstream,
    });
  }

  async start(): Promise<this> {
    this.port = (await this.server.listen({ host: '127.0.0.1', port: 0 })).port;
    return this;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.close();
  }

  client(): Client {
    const client = new Client(`127.0.0.1:${this.port}`, credentials.createInsecure());
    this.#clients.push(client);
    return client;
  }

  /** Calls a Dapr method by its message's fields. */
  async call(name: string, message: object, options?: CallOptions): Promise<UnaryAnswer> {
    const method = loadDaprService()[name]!;
    const answer = await this.callBytes(method.path, method.requestSerialize(message), options);
    if (answer.response === undefined) return answer;
    return { ...answer, response: method.responseDeserialize(answer.response as Buffer) };
  }

  /** Calls any path with any bytes. */
  callBytes(path: string, bytes: Buffer, options: CallOptions = {}): Promise<UnaryAnswer> {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
    const callOptions = options.deadline === undefined ? {} : { deadline: options.deadline };
    const keep = (buffer: Buffer) => buffer;
    return new Promise((resolve) => {
      this.client().makeUnaryRequest(
        path,
        keep,
        keep,
        bytes,
        metadata,
        callOptions,
        (error, response) => {
          resolve(error === null ? { response } : toAnswer(error));
        },
      );
    });
  }
}

/** Path of a Dapr method. */
export const daprPath = (name: string): string => `/${DAPR_SERVICE}/${name}`;

function toAnswer(error: ServiceError): UnaryAnswer {
  return { code: error.code, details: error.details, trailers: error.metadata.getMap() };
}
