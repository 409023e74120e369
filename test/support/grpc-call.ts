import { Client, credentials, Metadata } from '@grpc/grpc-js';

import { loadDaprService } from '../../src/grpc/proto-files';

/** What a Dapr method answered: a response, or the status of an error. */
export interface GrpcAnswer {
  readonly response?: Record<string, unknown>;
  readonly code?: number;
  readonly details?: string;
  /** Names of the trailers of an error. */
  readonly trailers?: readonly string[];
}

/** Calls a Dapr method by its message's fields, on a connection of its own. */
export async function callDapr(
  port: number,
  call: {
    readonly method: string;
    readonly message: object;
    readonly metadata?: Readonly<Record<string, string>>;
    /** The caller's own deadline, from now on. */
    readonly deadlineMs?: number;
  },
): Promise<GrpcAnswer> {
  const { path, requestSerialize, responseDeserialize } = loadDaprService()[call.method]!;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(call.metadata ?? {})) metadata.set(key, value);
  try {
    return await new Promise<GrpcAnswer>((resolve) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        call.message,
        metadata,
        call.deadlineMs === undefined ? {} : { deadline: Date.now() + call.deadlineMs },
        (error, response) => {
          if (error === null) resolve({ response: response as Record<string, unknown> });
          else {
            const trailers = Object.keys(error.metadata.getMap());
            resolve({ code: error.code, details: error.details, trailers });
          }
        },
      );
    });
  } finally {
    client.close();
  }
}

/** The same with what came before the answer; binary metadata is given as Buffers. */
export async function callDaprWithHeaders(
  port: number,
  call: {
    readonly method: string;
    readonly message: object;
    readonly metadata?: Readonly<Record<string, string | Buffer>>;
  },
): Promise<{ readonly bin: unknown; readonly code?: number; readonly details?: string }> {
  const { path, requestSerialize, responseDeserialize } = loadDaprService()[call.method]!;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(call.metadata ?? {})) metadata.set(key, value);
  let bin: unknown;
  try {
    return await new Promise((resolve) => {
      const unary = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        call.message,
        metadata,
        (error) => {
          if (error === null) resolve({ bin });
          else resolve({ bin, code: error.code, details: error.details });
        },
      );
      unary.on('metadata', (received) => {
        [bin] = received.get('grpc-trace-bin');
      });
    });
  } finally {
    client.close();
  }
}
