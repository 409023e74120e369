import { request as httpRequest } from 'node:http';

import { type ClientReadableStream, status } from '@grpc/grpc-js';

import { loadNativeService } from '../../src/grpc/proto-files';
import type { NativeLockService } from '../../src/lock/native-lock-service';
import { GrpcFixture } from '../grpc/grpc-fixture';
import { HttpFixture } from '../http/http-fixture';
import { type NativeCall, NATIVE_PATHS } from '../support/native-clients';

/** The methods of the native API. */
export type NativeMethod = NativeCall | 'Hold';

/** A call's answer in the names of JSON, or how it was refused. */
export type NativeAnswer = Readonly<Record<string, unknown>> | { readonly refused: string };

/** A hold as its client has it. */
export interface OpenHold {
  /** The events so far, in the form that they have over HTTP. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
  /** Undefined while it is open: `ok`, or what it ended with. */
  readonly ended: string | undefined;
  cancel(): void;
}

/** A client of the native API over one transport; both give the same answers. */
export interface NativeCallers {
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
  /** Stops the server alone. */
  stopServer(): Promise<void>;
  call(method: NativeMethod, message: Readonly<Record<string, unknown>>): Promise<NativeAnswer>;
  hold(message: Readonly<Record<string, unknown>>): OpenHold;
}

/** Calls over HTTP. */
export class HttpCallers implements NativeCallers {
  readonly http: HttpFixture;

  constructor(nativeLocks: NativeLockService) {
    this.http = new HttpFixture({ nativeLocks });
  }

  start(): Promise<unknown> {
    return this.http.start();
  }

  stop(): Promise<unknown> {
    return this.http.server.close();
  }

  stopServer(): Promise<void> {
    return this.http.server.close();
  }

  async call(
    method: NativeMethod,
    message: Readonly<Record<string, unknown>>,
  ): Promise<NativeAnswer> {
    const { storeName, ...rest } = message;
    const path = `/holdfast/v1/locks/${String(storeName)}${NATIVE_PATHS[method]}`;
    const isView = method === 'Get' || method === 'List';
    const query = new URLSearchParams(rest as Record<string, string>).toString();
    const answer = await this.http.call(
      isView
        ? { method: 'GET', path: `${path}?${query}` }
        : { path, headers: JSON_TYPE, body: JSON.stringify(rest) },
    );
    const body = JSON.parse(answer.body) as Record<string, unknown>;
    if (method === 'Get' && answer.status === 404) return {};
    if (answer.status !== 200) return { refused: String(body.errorCode) };
    return method === 'Get' ? { lock: body } : body;
  }

  hold(message: Readonly<Record<string, unknown>>): OpenHold {
    const { storeName, ...rest } = message;
    const path = `/holdfast/v1/locks/${String(storeName)}/hold`;
    const call = httpRequest({ port: this.http.port, method: 'POST', path, headers: JSON_TYPE });
    const hold = {
      events: [] as Record<string, unknown>[],
      ended: undefined as string | undefined,
      cancel: () => {
        call.destroy();
      },
    };
    call.on('error', (error) => (hold.ended ??= error.message));
    call.on('response', (response) => {
      let text = '';
      response.on('data', (part: Buffer) => {
        const lines = (text + part.toString()).split('\n');
        text = lines.pop() ?? '';
        hold.events.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
      });
      response.on('error', (error) => (hold.ended ??= error.message));
      response.on('end', () => {
        hold.ended ??=
          response.statusCode === 200
            ? 'ok'
            : String((JSON.parse(text) as Record<string, unknown>).errorCode);
      });
    });
    call.end(JSON.stringify(rest));
    return hold;
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** Names of the enums' numbers (proto/holdfast/v1/locks.proto). */
const STATUSES: Readonly<Record<string, readonly string[]>> = {
  Renew: ['UNSPECIFIED', 'RENEWED', 'NOT_FOUND', 'HELD_BY_OTHER'],
  Release: ['UNSPECIFIED', 'RELEASED', 'NOT_FOUND', 'HELD_BY_OTHER'],
  ForceRelease: ['UNSPECIFIED', 'RELEASED', 'NOT_FOUND', 'HELD_BY_OTHER'],
};

/** Error codes over HTTP by the status that stands for them over gRPC. */
const CODES: Readonly<Record<number, string>> = {
  [status.INVALID_ARGUMENT]: 'ERR_MALFORMED_REQUEST',
  [status.UNIMPLEMENTED]: 'ERR_LOCK_UNSUPPORTED',
  [status.UNAVAILABLE]: 'ERR_LOCK_STOPPING',
};

/** Calls over gRPC. */
export class GrpcCallers implements NativeCallers {
  readonly grpc: GrpcFixture;

  constructor(nativeLocks: NativeLockService) {
    this.grpc = new GrpcFixture({ nativeLocks });
  }

  start(): Promise<unknown> {
    return this.grpc.start();
  }

  stop(): Promise<unknown> {
    return this.grpc.stop();
  }

  stopServer(): Promise<void> {
    return this.grpc.server.close();
  }

  async call(
    method: NativeMethod,
    message: Readonly<Record<string, unknown>>,
  ): Promise<NativeAnswer> {
    const definition = loadNativeService()[method]!;
    const bytes = definition.requestSerialize(message);
    const answer = await this.grpc.callBytes(definition.path, bytes);
    if (answer.response === undefined) {
      return { refused: CODES[answer.code!] ?? String(answer.details) };
    }
    const decoded = definition.responseDeserialize(answer.response as Buffer);
    const plain = withoutNull(decoded);
    const names = STATUSES[method];
    return names === undefined ? plain : { ...plain, status: names[Number(plain.status)] };
  }

  hold(message: Readonly<Record<string, unknown>>): OpenHold {
    const { path, requestSerialize, responseDeserialize } = loadNativeService().Hold!;
    const call: ClientReadableStream<object> = this.grpc
      .client()
      .makeServerStreamRequest(path, requestSerialize, responseDeserialize, message);
    const hold = {
      events: [] as Record<string, unknown>[],
      ended: undefined as string | undefined,
      cancel: () => {
        call.cancel();
      },
    };
    call.on('data', (event: object) => hold.events.push(toEvent(withoutNull(event))));
    call.on('error', (error: Error & { code?: number }) => {
      hold.ended ??= CODES[error.code ?? -1] ?? error.message;
    });
    call.on('end', () => (hold.ended ??= 'ok'));
    return hold;
  }
}

const REASONS: Readonly<Record<string, readonly string[]>> = {
  atRisk: ['UNSPECIFIED', 'RENEWAL_FAILED', 'SIDECAR_STOPPING', 'STORE_REMOVED'],
  lost: ['UNSPECIFIED', 'EXPIRED', 'TAKEN_OVER', 'STORE_UNREACHABLE'],
};

function toEvent(message: Record<string, unknown>): Record<string, unknown> {
  const [type, fields] = Object.entries(message).find(([name]) => name !== 'event')!;
  const event: Record<string, unknown> = { type, ...(fields as object) };
  if ('reason' in event) event.reason = REASONS[type]?.[Number(event.reason)];
  return event;
}

/** proto-loader says null for a message that is not set. */
function withoutNull(message: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(message).filter(([name, value]) => value !== null && !name.startsWith('_')),
  );
}
