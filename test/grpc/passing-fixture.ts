import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';

import { parseEndpoint } from '../../src/upstream/endpoint';
import { SILENCE_LIMITS } from '../../src/upstream/silence-watch';
import { Upstream } from '../../src/upstream/upstream';
import { echo, RawUpstream } from '../support/raw-upstream';
import { RecordingLogger } from '../support/recording-logger';
import { daprPath, GrpcFixture } from './grpc-fixture';

/** The path of a call that is not served here. */
export const STATE = daprPath('GetState');

/** Holdfast in front of an HTTP/2 server, and a client's connection to it. */
export class PassingFixture {
  readonly logger = new RecordingLogger();
  /** Answers with what it is sent, unless a test says otherwise. */
  behind!: RawUpstream;
  upstream!: Upstream;
  grpc!: GrpcFixture;
  session!: ClientHttp2Session;
  /** When the server behind counts as silent. */
  silence = SILENCE_LIMITS;

  /** Starts the server behind. */
  async startBehind(): Promise<void> {
    this.behind = await new RawUpstream(echo).start();
  }

  /** Starts Holdfast in front of it, and connects. */
  async start(
    options: ConstructorParameters<typeof GrpcFixture>[0] = {},
    maxCalls = 1000,
    endpoint = `127.0.0.1:${this.behind.port}`,
  ): Promise<void> {
    this.upstream = new Upstream({
      grpc: parseEndpoint(endpoint),
      http: undefined,
      maxCalls,
      apiToken: undefined,
      goneWithinMs: 1000,
      secureContext: () => {
        throw new Error('no TLS here');
      },
      logger: this.logger,
      silence: this.silence,
    });
    this.grpc = await new GrpcFixture({ ...options, upstream: this.upstream }).start();
    this.session = connect(`http://127.0.0.1:${this.grpc.port}`, {
      maxHeaderListPairs: 1000,
      settings: { maxHeaderListSize: 2 ** 24 },
      maxSessionMemory: 100,
    });
    this.session.on('error', () => undefined);
  }

  /** Begins a call, whose messages are the test's to send. */
  open(headers: OutgoingHttpHeaders = {}) {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': STATE,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => undefined);
    return stream;
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.session.destroy();
    await this.grpc.stop();
    this.upstream.close();
    await this.behind.stop();
  }
}
