import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Server as GrpcServer, ServerCredentials, type UntypedHandleCall } from '@grpc/grpc-js';
import { parse } from 'protobufjs';

/** A span as it was received. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly spanId: string;
  readonly traceState: string;
  /** 3 is client. */
  readonly kind: number;
  readonly status: { readonly code: number; readonly message: string };
  readonly attributes: Readonly<Record<string, string>>;
  /** Of the resource that it belongs to. */
  readonly resource: Readonly<Record<string, string>>;
  /** The headers of the request itself. */
  readonly headers: Readonly<Record<string, unknown>>;
}

/** The part of OTLP's messages that is looked at (opentelemetry-proto, trace/v1 and common/v1). */
const { root } = parse(`syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { repeated Span spans = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4;
  string name = 5; int32 kind = 6; repeated KeyValue attributes = 9; Status status = 15;
}
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; } }
`);
const requestType = root.lookupType('Request');

const EXPORT_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** A small OTLP receiver, over gRPC or over HTTP, that keeps the spans it gets. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly #grpc: GrpcServer | undefined;
  readonly #http: HttpServer | undefined;
  readonly #path: string;
  port = 0;

  /** @param path over HTTP the one that takes spans; any other is answered and forgotten */
  constructor(protocol: 'grpc' | 'http', path = '/v1/traces') {
    this.#path = path;
    if (protocol === 'http') this.#http = this.#createHttp();
    else this.#grpc = this.#createGrpc();
  }

  /** Listens on a free port. */
  async start(): Promise<this> {
    if (this.#http !== undefined) {
      const server = this.#http;
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.port = (server.address() as AddressInfo).port;
      return this;
    }
    this.port = await new Promise<number>((resolve, reject) => {
      this.#grpc!.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
    return this;
  }

  /** Ends all connections. */
  stop(): void {
    this.#grpc?.forceShutdown();
    this.#http?.close();
    this.#http?.closeAllConnections();
  }

  #createGrpc(): GrpcServer {
    const server = new GrpcServer();
    const keep = (bytes: Buffer) => bytes;
    const handler: UntypedHandleCall = (
      call: { request: Buffer; metadata: { getMap(): Record<string, unknown> } },
      callback: (error: null, response: Buffer) => void,
    ) => {
      this.#take(call.request, call.metadata.getMap());
      callback(null, Buffer.alloc(0));
    };
    server.register(EXPORT_PATH, handler, keep, keep, 'unary');
    return server;
  }

  #createHttp(): HttpServer {
    return createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        if (request.url === this.#path) this.#take(Buffer.concat(parts), request.headers);
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
  }

  #take(bytes: Buffer, headers: Readonly<Record<string, unknown>>): void {
    const request = requestType.toObject(requestType.decode(bytes), {
      defaults: true,
      arrays: true,
    }) as RequestObject;
    for (const { resource, scopeSpans } of request.resourceSpans) {
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const { name, kind, traceState } = span;
        this.spans.push({
          name,
          kind,
          traceState,
          traceId: Buffer.from(span.traceId).toString('hex'),
          spanId: Buffer.from(span.spanId).toString('hex'),
          parentSpanId: Buffer.from(span.parentSpanId).toString('hex'),
          status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
          attributes: toRecord(span.attributes),
          resource: toRecord(resource.attributes),
          headers,
        });
      }
    }
  }
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: unknown };
}

interface RequestObject {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly kind: number;
        readonly traceState: string;
        readonly traceId: Uint8Array;
        readonly spanId: Uint8Array;
        readonly parentSpanId: Uint8Array;
        readonly status: { readonly code: number; readonly message: string } | null;
        readonly attributes: readonly KeyValue[];
      }[];
    }[];
  }[];
}

function toRecord(attributes: readonly KeyValue[]): Record<string, string> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, String(value.stringValue ?? value.intValue)]),
  );
}
