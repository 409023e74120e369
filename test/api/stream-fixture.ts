import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';

import { type Client, type ClientReadableStream, status } from '@grpc/grpc-js';

import type { EventStream, StreamEnd, StreamHandler, StreamMethod } from '../../src/api/api-method';
import type { StreamBounds } from '../../src/api/event-streams';
import { bindMethods as bindGrpc, type GrpcMethod } from '../../src/grpc/grpc-method';
import { loadDaprService } from '../../src/grpc/proto-files';
import { bindMethods as bindHttp, type HttpMethod } from '../../src/http/http-method';
import { GrpcFixture } from '../grpc/grpc-fixture';
import { HttpFixture } from '../http/http-fixture';
import type { FakeSidecarOptions } from '../support/fake-sidecar';

/** An event of the test's own stream. */
export interface WatchEvent {
  readonly key: string;
  readonly value: string;
}

interface WatchApi {
  readonly Watch: StreamMethod<{ readonly resourceId: string }, WatchEvent>;
}

/** Its gRPC path. */
export const WATCH_PATH = '/test.Events/Watch';

/** The events of a test's handler, and its stream. */
export class RecordingHandler implements StreamHandler {
  readonly resourceId: string;
  readonly stream: EventStream<WatchEvent>;
  readonly told: string[] = [];

  constructor(resourceId: string, stream: EventStream<WatchEvent>) {
    this.resourceId = resourceId;
    this.stream = stream;
  }

  drained(): void {
    this.told.push('drained');
  }

  closed(how: StreamEnd): void {
    this.told.push(how);
  }

  stopping(): boolean {
    this.told.push('stopping');
    this.stream.send({ key: 'last', value: 'word' });
    return false;
  }
}

/** How a stream is tested, over either transport. */
export interface StreamFixture {
  readonly handlers: readonly RecordingHandler[];
  start(): Promise<void>;
  stop(): Promise<unknown>;
  /** Stops the server alone: its clients stay. */
  stopServer(): Promise<void>;
  /** Opens a stream; those of one fixture share a connection where the transport has such. */
  open(resourceId?: string, options?: { readonly deadlineMs?: number }): OpenedStream;
}

/** A stream as its client has it. */
export interface OpenedStream {
  readonly keys: readonly string[];
  /** Undefined while it is open: 'ok', or what went wrong. */
  readonly ended: string | undefined;
  pause(): void;
  resume(): void;
  cancel(): void;
}

/** The options that a test can vary. */
export type StreamFixtureOptions = FakeSidecarOptions & {
  readonly streamBounds?: StreamBounds;
  readonly maxConcurrentCalls?: number;
  /** Takes the place of the handler that only notes what it is told. */
  readonly begin?: (stream: EventStream<WatchEvent>) => void;
};

function createRow(handlers: RecordingHandler[], { begin }: StreamFixtureOptions): WatchApi {
  return {
    Watch: {
      operation: 'Watch',
      access: 'lock',
      grpcPath: WATCH_PATH,
      http: [
        { verb: 'POST', template: '/test/{resource}/watch' },
        { verb: 'GET', template: '/test/{resource}' },
      ],
      isPublic: false,
      kind: 'server-streaming',
      open: ({ resourceId }, stream) => {
        const handler = new RecordingHandler(resourceId, stream);
        handlers.push(handler);
        begin?.(stream);
        return handler;
      },
    },
  };
}

/** The row as a gRPC method: its request is a TryLockRequest, its event a SetMetadataRequest. */
function toGrpcMethods(api: WatchApi): readonly GrpcMethod[] {
  const { TryLockAlpha1: tryLock, SetMetadata: setMetadata } = loadDaprService();
  const definition = {
    ...tryLock!,
    path: WATCH_PATH,
    responseStream: true,
    responseType: setMetadata!.requestType,
    responseSerialize: setMetadata!.requestSerialize,
    responseDeserialize: setMetadata!.requestDeserialize,
  };
  return bindGrpc(api, { methods: new Map([[WATCH_PATH, definition]]) });
}

function toHttpMethods(api: WatchApi): readonly HttpMethod[] {
  return bindHttp(api, {
    Watch: {
      decode: ({ params }) => ({ resourceId: params.resource ?? '' }),
      toLine: (event) => JSON.stringify(event),
    },
  });
}

/** Streams over gRPC. */
export class GrpcStreams implements StreamFixture {
  readonly handlers: RecordingHandler[] = [];
  readonly grpc: GrpcFixture;
  #client: Client | undefined;

  constructor(options: StreamFixtureOptions = {}) {
    const methods = toGrpcMethods(createRow(this.handlers, options));
    this.grpc = new GrpcFixture({ ...options, methods });
  }

  async start(): Promise<void> {
    await this.grpc.start();
    this.#client = this.grpc.client();
  }

  stop(): Promise<unknown> {
    return this.grpc.stop();
  }

  stopServer(): Promise<void> {
    return this.grpc.server.close();
  }

  get client(): Client {
    return this.#client!;
  }

  open(resourceId = 'r', { deadlineMs }: { readonly deadlineMs?: number } = {}): OpenedStream {
    const { TryLockAlpha1: tryLock, SetMetadata: setMetadata } = loadDaprService();
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const call = this.client.makeServerStreamRequest(
      WATCH_PATH,
      tryLock!.requestSerialize,
      setMetadata!.requestDeserialize,
      { resourceId },
      options,
    );
    return toOpened(call);
  }
}

function toOpened(call: ClientReadableStream<object>) {
  const opened = {
    keys: [] as string[],
    ended: undefined as string | undefined,
    pause: () => call.pause(),
    resume: () => call.resume(),
    cancel: () => {
      call.cancel();
    },
  };
  call.on('data', (event: WatchEvent) => opened.keys.push(event.key));
  call.on('error', () => undefined);
  call.on('status', ({ code, details }) => {
    opened.ended = code === status.OK ? 'ok' : `${status[code]} ${details}`;
  });
  return opened;
}

/** Streams over HTTP. */
export class HttpStreams implements StreamFixture {
  readonly handlers: RecordingHandler[] = [];
  readonly http: HttpFixture;
  readonly #sockets = new Set<Socket>();
  /** Of the last response. */
  headers: NodeJS.Dict<string | string[]> = {};

  constructor(options: StreamFixtureOptions = {}) {
    const methods = toHttpMethods(createRow(this.handlers, options));
    this.http = new HttpFixture({ ...options, methods });
  }

  async start(): Promise<void> {
    await this.http.start();
  }

  stop(): Promise<unknown> {
    for (const socket of this.#sockets) socket.destroy();
    return this.http.server.close();
  }

  stopServer(): Promise<void> {
    return this.http.server.close();
  }

  open(resourceId = 'r'): OpenedStream {
    const path = `/test/${resourceId}/watch`;
    const call = httpRequest({ port: this.http.port, method: 'POST', path, agent: false });
    let isPaused = false;
    const opened = {
      keys: [] as string[],
      ended: undefined as string | undefined,
      pause: () => {
        isPaused = true;
        call.socket?.pause();
      },
      resume: () => {
        isPaused = false;
        call.socket?.resume();
      },
      cancel: () => {
        call.destroy();
      },
    };
    call.on('socket', (socket) => {
      this.#sockets.add(socket);
    });
    call.on('error', (error) => (opened.ended ??= error.message));
    call.on('response', (response) => {
      this.headers = response.headers;
      let text = '';
      response.on('data', (part: Buffer) => {
        const lines = (text + part.toString()).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) opened.keys.push((JSON.parse(line) as WatchEvent).key);
        if (isPaused) call.socket?.pause();
      });
      response.on('error', (error) => (opened.ended ??= error.message));
      response.on('end', () => (opened.ended ??= endOf(response.statusCode ?? 0, text)));
    });
    call.end();
    return opened;
  }
}

function endOf(code: number, text: string): string {
  return code === 200 ? 'ok' : `${code} ${text}`;
}
