import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

import { Metadata } from '@grpc/grpc-js';
import { parse, type Type } from 'protobufjs';

import type { Registry } from '../../src/grpc/late-services';

/** The parts of grpc/testing/messages.proto that the cases use (github.com/grpc/grpc-proto). */
const MESSAGES = `
  syntax = "proto3";
  message Empty {}
  message BoolValue { bool value = 1; }
  message Payload { int32 type = 1; bytes body = 2; }
  message EchoStatus { int32 code = 1; string message = 2; }
  message SimpleRequest {
    int32 response_type = 1; int32 response_size = 2; Payload payload = 3;
    BoolValue response_compressed = 6; EchoStatus response_status = 7; BoolValue expect_compressed = 8;
  }
  message SimpleResponse { Payload payload = 1; }
  message StreamingInputCallRequest { Payload payload = 1; BoolValue expect_compressed = 2; }
  message StreamingInputCallResponse { int32 aggregated_payload_size = 1; }
  message ResponseParameters { int32 size = 1; int32 interval_us = 2; BoolValue compressed = 3; }
  message StreamingOutputCallRequest {
    int32 response_type = 1; repeated ResponseParameters response_parameters = 2;
    Payload payload = 3; EchoStatus response_status = 7;
  }
  message StreamingOutputCallResponse { Payload payload = 1; }
`;

const { root } = parse(MESSAGES);

/** A request of any of the methods. */
interface Request {
  readonly responseSize?: number;
  readonly payload?: { readonly body: Uint8Array };
  readonly responseStatus?: { readonly code: number; readonly message: string };
  readonly responseParameters?: readonly { readonly size: number; readonly intervalUs?: number }[];
}

/** A call of either transport, in grpc-js's form. */
interface Call extends Readable {
  readonly request: Request;
  readonly metadata: { get(name: string): readonly (string | Buffer)[] };
  sendMetadata(metadata: Metadata): void;
  write(answer: object): boolean;
  end(): void;
}

/** The requests of a call. At their end a usual iterator would destroy the stream, answer and all. */
function requestsOf(call: Call): AsyncIterable<Request> {
  return call.pipe(new PassThrough({ objectMode: true })) as AsyncIterable<Request>;
}

type Method = (call: Call) => Promise<object | undefined>;

const payload = (size = 0) => ({ payload: { body: Buffer.alloc(size) } });

/** A status that the client asks for. */
class AskedStatus extends Error {
  constructor(
    readonly code: number,
    override readonly message: string,
  ) {
    super(message);
  }
}

function throwAsked({ responseStatus }: Request): void {
  if (responseStatus !== undefined)
    throw new AskedStatus(responseStatus.code, responseStatus.message);
}

async function writeAll(call: Call, { responseParameters = [] }: Request): Promise<void> {
  for (const { size, intervalUs = 0 } of responseParameters) {
    if (intervalUs > 0) await pause(intervalUs / 1000);
    call.write(payload(size));
  }
}

const unary: Method = async ({ request }) => {
  throwAsked(request);
  return payload(request.responseSize);
};

const METHODS: Readonly<
  Record<string, { kind: 'unary' | 'serverStream' | 'bidi'; types: [string, string]; run: Method }>
> = {
  EmptyCall: { kind: 'unary', types: ['Empty', 'Empty'], run: async () => ({}) },
  UnaryCall: { kind: 'unary', types: ['SimpleRequest', 'SimpleResponse'], run: unary },
  StreamingInputCall: {
    kind: 'bidi',
    types: ['StreamingInputCallRequest', 'StreamingInputCallResponse'],
    run: async (call) => {
      let size = 0;
      for await (const request of requestsOf(call)) size += request.payload?.body.length ?? 0;
      return { aggregatedPayloadSize: size };
    },
  },
  StreamingOutputCall: {
    kind: 'serverStream',
    types: ['StreamingOutputCallRequest', 'StreamingOutputCallResponse'],
    run: async (call) => {
      await writeAll(call, call.request);
      return undefined;
    },
  },
  FullDuplexCall: {
    kind: 'bidi',
    types: ['StreamingOutputCallRequest', 'StreamingOutputCallResponse'],
    run: async (call) => {
      for await (const request of requestsOf(call)) {
        throwAsked(request);
        await writeAll(call, request);
      }
      return undefined;
    },
  },
};

/** The paths of the service. */
export const INTEROP_PATHS = Object.keys(METHODS).map(
  (name) => `/grpc.testing.TestService/${name}`,
);

/** Registers the test service of the gRPC project, as its interop clients expect it. */
export function registerInteropService(registry: Registry): void {
  for (const [index, { kind, types, run }] of Object.values(METHODS).entries()) {
    const [request, answer] = types.map((name) => root.lookupType(name)) as [Type, Type];
    const handle = (call: Call, callback?: (error: object | null, answer?: object) => void) => {
      void serve(call, run, kind === 'unary' ? callback : undefined);
    };
    registry.register(
      INTEROP_PATHS[index]!,
      handle as never,
      (message: object) => Buffer.from(answer.encode(answer.fromObject(message)).finish()),
      (bytes: Buffer) => request.toObject(request.decode(bytes)),
      kind,
    );
  }
}

const [INITIAL, TRAILING] = ['x-grpc-test-echo-initial', 'x-grpc-test-echo-trailing-bin'] as const;

async function serve(
  call: Call,
  run: Method,
  callback: ((error: object | null, answer?: object) => void) | undefined,
): Promise<void> {
  const initial = new Metadata();
  const trailing = new Metadata();
  for (const value of call.metadata.get(INITIAL)) initial.set(INITIAL, value);
  for (const value of call.metadata.get(TRAILING)) trailing.set(TRAILING, value);
  if (initial.get(INITIAL).length > 0) call.sendMetadata(initial);
  try {
    const answer = await run(call);
    if (answer !== undefined) call.write(answer);
    if (callback === undefined && trailing.get(TRAILING).length === 0) call.end();
    else call.emit('error', { code: 0, details: 'OK', metadata: trailing });
  } catch (error) {
    if (!(error instanceof AskedStatus)) return;
    call.emit('error', { code: error.code, details: error.message });
  }
}
