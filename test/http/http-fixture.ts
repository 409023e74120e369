import { createHttpServer, type HttpServer } from '../../src/http/http-server';
import type { LockService } from '../../src/lock/lock-service';
import { createFakeLockService } from '../support/fake-lock-service';
import { createFakeSidecar } from '../support/fake-sidecar';
import { callHttp, type HttpAnswer, type HttpCall } from '../support/http-call';
import { RecordingLogger } from '../support/recording-logger';

/** An HTTP server on a free port, over fakes that a test looks into. */
export class HttpFixture {
  readonly logger = new RecordingLogger();
  readonly sidecar;
  readonly server: HttpServer;
  port = 0;

  constructor(
    options: {
      readonly locks?: Partial<LockService>;
      readonly token?: string;
      readonly maxBodyBytes?: number | undefined;
    } = {},
  ) {
    this.sidecar = createFakeSidecar(options.token === undefined ? {} : { token: options.token });
    this.server = createHttpServer({
      locks: createFakeLockService(options.locks),
      sidecar: this.sidecar,
      logger: this.logger,
      maxBodyBytes: 'maxBodyBytes' in options ? options.maxBodyBytes : 4 * 2 ** 20,
      readBufferBytes: 4096,
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
