import { once } from 'node:events';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

/** A call as an upstream received it. */
export interface ReceivedCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they were on the wire. */
  readonly rawHeaders: readonly string[];
}

/** An HTTP/2 server that answers as a test says, for all that a gRPC library would not send. */
export class RawUpstream {
  readonly server: Http2Server;
  readonly calls: ReceivedCall[] = [];
  readonly sessions = new Set<ServerHttp2Session>();
  connections = 0;
  port = 0;
  /** Handles a call. */
  answer: (call: ReceivedCall) => void;

  constructor(answer: (call: ReceivedCall) => void, settings: { maxStreams?: number } = {}) {
    this.answer = answer;
    const { maxStreams } = settings;
    this.server = createServer({
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
      maxHeaderListPairs: 1000,
      ...(maxStreams === undefined ? {} : { settings: { maxConcurrentStreams: maxStreams } }),
    });
    this.server.on('session', (session) => {
      this.connections += 1;
      this.sessions.add(session);
      session.on('error', () => undefined);
      session.once('close', () => this.sessions.delete(session));
    });
    this.server.on('stream', (stream, headers, _flags, rawHeaders?: readonly string[]) => {
      stream.on('error', () => undefined);
      const call = { stream, headers, rawHeaders: rawHeaders ?? [] };
      this.calls.push(call);
      this.answer(call);
    });
  }

  /** Listens on a port, or again on the one from before. */
  async start(at: { readonly port?: number; readonly path?: string } = {}): Promise<this> {
    if (at.path === undefined) this.server.listen(at.port ?? this.port, '127.0.0.1');
    else this.server.listen(at.path);
    await once(this.server, 'listening');
    if (at.path === undefined) this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Cuts all connections and stops listening. */
  async stop(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    this.server.close();
    if (this.server.listening) await once(this.server, 'close');
  }
}

/** Answers with the messages of the request, and an OK. */
export function echo({ stream }: ReceivedCall): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0' });
  });
  stream.pipe(stream);
}
