import { createDaprApi } from '../../src/api/dapr-api';
import { EventStreams, type StreamBounds } from '../../src/api/event-streams';
import { createNativeApi } from '../../src/api/native-api';
import { createDaprRoutes } from '../../src/http/dapr-routes';
import type { HttpMethod } from '../../src/http/http-method';
import { createHttpServer, type HttpServer } from '../../src/http/http-server';
import { createNativeRoutes } from '../../src/http/native-routes';
import type { LockService } from '../../src/lock/lock-service';
import type { NativeLockService } from '../../src/lock/native-lock-service';
import { ByteBudget } from '../../src/servers/byte-budget';
import type { ServerTls } from '../../src/servers/listen-address';
import { Turns } from '../../src/servers/turns';
import { UnreadAnswers } from '../../src/servers/unread-answers';
import type { Upstream } from '../../src/upstream/upstream';
import { createFakeLockService, createFakeNativeLocks } from '../support/fake-lock-service';
import { createFakeSidecar, type FakeSidecarOptions } from '../support/fake-sidecar';
import { callHttp, type HttpAnswer, type HttpCall } from '../support/http-call';
import { RecordingLogger } from '../support/recording-logger';

/** An HTTP server on a free port, over fakes that a test looks into. */
export class HttpFixture {
  readonly logger = new RecordingLogger();
  readonly sidecar;
  readonly server: HttpServer;
  port = 0;

  constructor(
    options: FakeSidecarOptions & {
      readonly locks?: Partial<LockService>;
      readonly nativeLocks?: NativeLockService;
      /** Beside Dapr's. */
      readonly methods?: readonly HttpMethod[];
      readonly streamBounds?: StreamBounds;
      readonly maxBodyBytes?: number | undefined;
      readonly allowedOrigins?: readonly string[];
      readonly surface?: 'api' | 'public';
      readonly tls?: ServerTls;
      readonly keptBytes?: number;
      readonly upstream?: Upstream;
    } = {},
  ) {
    this.sidecar = createFakeSidecar(options);
    this.server = createHttpServer({
      methods: [
        ...createDaprRoutes(createDaprApi(createFakeLockService(options.locks), this.sidecar)),
        ...createNativeRoutes(createNativeApi(options.nativeLocks ?? createFakeNativeLocks())),
        ...(options.methods ?? []),
      ],
      eventStreams: new EventStreams(options.streamBounds),
      sidecar: this.sidecar,
      logger: this.logger,
      maxBodyBytes: 'maxBodyBytes' in options ? options.maxBodyBytes : 4 * 2 ** 20,
      readBufferBytes: 4096,
      allowedOrigins: options.allowedOrigins ?? [],
      tls: options.tls,
      shares: {
        turns: new Turns(),
        waiting: new ByteBudget(2 ** 20),
        unread: new UnreadAnswers(2 ** 20),
        bodies: new ByteBudget(options.keptBytes ?? 16 * 2 ** 20),
      },
      surface: options.surface ?? 'api',
      upstream: options.upstream,
    });
  }

  async start(): Promise<this> {
    this.port = (await this.server.listen({ host: '127.0.0.1', port: 0 })).port;
    return this;
  }

  call(call: HttpCall): Promise<HttpAnswer> {
    return callHttp(this.port, call);
  }
}

/** daprd's answer to what is no route. */
export const NOT_ROUTED =
  '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id either from the URL path or the header dapr-app-id"}';
