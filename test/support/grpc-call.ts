import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';

import { loadDaprService } from '../../src/grpc/proto-files';

/** A unary call of a Dapr method. */
export interface DaprCall {
  readonly method: string;
  /** The fields of its message. */
  readonly message: object;
  /** Binary metadata is given as Buffers. */
  readonly metadata?: Readonly<Record<string, string | Buffer>>;
  /** The caller's own deadline, from now on. */
  readonly deadlineMs?: number;
  /** Called with the metadata that comes before the answer. */
  readonly onHeaders?: (headers: Metadata) => void;
}

/** The answer of a Dapr method: a response, or the status of an error. */
export interface GrpcAnswer {
  readonly response?: Record<string, unknown>;
  readonly code?: number;
  readonly details?: string;
  /** Names of the trailers of an error. */
  readonly trailers?: readonly string[];
}

/** Calls a Dapr method over a client. Rejects with grpc-js's {@link ServiceError}. */
export function callDaprOver(client: Client, call: DaprCall): Promise<Record<string, unknown>> {
  const { message, deadlineMs, onHeaders = () => undefined } = call;
  const { path, requestSerialize, responseDeserialize } = loadDaprService()[call.method]!;
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(call.metadata ?? {})) metadata.set(key, value);
  return new Promise((resolve, reject) => {
    const unary = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
      (error, response) => {
        if (error === null) resolve(response as Record<string, unknown>);
        else reject(error);
      },
    );
    unary.on('metadata', onHeaders);
  });
}

/** Calls a Dapr method on a connection of its own. Never rejects. */
export async function callDapr(port: number, call: DaprCall): Promise<GrpcAnswer> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    return { response: await callDaprOver(client, call) };
  } catch (error) {
    const { code, details, metadata } = error as ServiceError;
    return { code, details, trailers: Object.keys(metadata.getMap()) };
  } finally {
    client.close();
  }
}
