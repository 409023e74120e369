import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';

import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';

import { loadNativeService } from '../../src/grpc/proto-files';

/** The calls of the native API that have one answer. */
export type NativeCall = 'Acquire' | 'Renew' | 'Release' | 'ForceRelease' | 'Get' | 'List';

/** A request in the names of JSON, with its store. */
export type NativeMessage = Readonly<Record<string, unknown>>;

/** An answer, or an error: its code in the catalogue and its message. Enums are numbers over gRPC. */
export interface NativeAnswer {
  readonly body?: NativeMessage;
  readonly errorCode?: string;
  readonly message?: string;
  /** The gRPC code or the HTTP status. */
  readonly status: number;
  /** Headers (HTTP) or trailing metadata (gRPC). */
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A hold as its client has it. */
export interface NativeHold {
  /** The names of the events so far. */
  readonly told: readonly string[];
  /** The last event. */
  readonly last: NativeMessage | undefined;
  /** Undefined while the call is open: how it ended. */
  readonly end: NativeAnswer | undefined;
  leave(): void;
}

/** A client of the native API of a sidecar, over one of the transports. */
export interface NativeClient {
  call(name: NativeCall, message: NativeMessage): Promise<NativeAnswer>;
  hold(message: NativeMessage): NativeHold;
  close(): void;
}

/** The paths of the HTTP forms, below that of the store. */
export const NATIVE_PATHS: Readonly<Record<NativeCall | 'Hold', string>> = {
  Acquire: '/acquire',
  Renew: '/renew',
  Release: '/release',
  Hold: '/hold',
  ForceRelease: '/force-release',
  Get: '/lock',
  List: '',
};

/** A hold that its client fills. */
class OpenHold implements NativeHold {
  readonly told: string[] = [];
  last: NativeMessage | undefined;
  end: NativeAnswer | undefined;
  readonly #leave: () => unknown;

  constructor(leave: () => unknown) {
    this.#leave = leave;
  }

  leave(): void {
    this.#leave();
  }

  tell(event: NativeMessage): void {
    this.last = event;
    this.told.push(String(event.type));
  }
}

/** Calls over HTTP. */
export class NativeHttpClient implements NativeClient {
  readonly #at: RequestOptions;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param at where: host and port, or socketPath; with `ca` over TLS
   * @param headers sent with each call
   */
  constructor(at: RequestOptions, headers: Readonly<Record<string, string>> = {}) {
    this.#at = at;
    this.#headers = headers;
  }

  call(name: NativeCall, message: NativeMessage): Promise<NativeAnswer> {
    return new Promise((resolve, reject) => {
      this.#send(name, message, (text, status, headers) => {
        resolve(toHttpAnswer(text, status, headers));
      }).on('error', reject);
    });
  }

  hold(message: NativeMessage): NativeHold {
    const hold = new OpenHold(() => outgoing.destroy());
    const outgoing = this.#send('Hold', message, (text, status, headers) => {
      const [lastLine] = text.trim().split('\n').slice(-1);
      hold.end ??= status === 200 ? { status, headers } : toHttpAnswer(lastLine, status, headers);
    });
    outgoing.on('response', (response) => {
      let rest = '';
      response.on('data', (part: Buffer) => {
        if (response.statusCode !== 200) return;
        const lines = (rest + part.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const event = JSON.parse(line) as NativeMessage;
          // What fails in the middle of a stream is its last line.
          if (event.errorCode !== undefined) hold.end ??= toHttpAnswer(line, 0, response.headers);
          else {
            hold.tell(event);
          }
        }
      });
    });
    outgoing.on('error', () => {
      hold.end ??= { status: 0, headers: {} };
    });
    return hold;
  }

  close(): void {
    return;
  }

  #send(
    name: NativeCall | 'Hold',
    { storeName, ...fields }: NativeMessage,
    answered: (text: string, status: number, headers: IncomingHttpHeaders) => void,
  ) {
    const isView = name === 'Get' || name === 'List';
    const query = new URLSearchParams(fields as Record<string, string>).toString();
    const path = `/holdfast/v1/locks/${String(storeName)}${NATIVE_PATHS[name]}`;
    const request = this.#at.ca === undefined ? httpRequest : httpsRequest;
    const outgoing = request({
      ...this.#at,
      agent: false,
      method: isView ? 'GET' : 'POST',
      path: isView ? `${path}?${query}` : path,
      headers: { ...(isView ? {} : { 'content-type': 'application/json' }), ...this.#headers },
    });
    outgoing.on('response', (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('close', () => {
        answered(text, response.statusCode ?? 0, response.headers);
      });
    });
    return isView ? outgoing.end() : outgoing.end(JSON.stringify(fields));
  }
}

function toHttpAnswer(text = '', status: number, headers: IncomingHttpHeaders): NativeAnswer {
  const body = (text === '' ? {} : parse(text)) as NativeMessage;
  if (status === 200) return { body, status, headers };
  const { errorCode, message } = body;
  return { errorCode: String(errorCode), message: String(message), status, headers };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

/** Calls over gRPC. */
export class NativeGrpcClient implements NativeClient {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  /**
   * @param target as grpc-js has it: `127.0.0.1:50001`, `unix:/path`
   * @param metadata sent with each call
   */
  constructor(
    target: string,
    metadata: Readonly<Record<string, string>> = {},
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.#client = new Client(target, channel);
    for (const [key, value] of Object.entries(metadata)) this.#metadata.set(key, value);
  }

  call(name: NativeCall, message: NativeMessage): Promise<NativeAnswer> {
    const { path, requestSerialize, responseDeserialize } = loadNativeService()[name]!;
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        this.#metadata,
        (error, response) => {
          if (error !== null) resolve(toGrpcAnswer(error));
          else resolve({ body: withoutUnset(response!), status: 0, headers: {} });
        },
      );
    });
  }

  hold(message: NativeMessage): NativeHold {
    const { path, requestSerialize, responseDeserialize } = loadNativeService().Hold!;
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      this.#metadata,
    );
    const hold = new OpenHold(() => {
      call.cancel();
    });
    call.on('data', (event: object) => {
      const [[type, fields] = ['', {}]] = Object.entries(withoutUnset(event));
      hold.tell({ type, ...(fields as object) });
    });
    call.on('error', (error: ServiceError) => (hold.end ??= toGrpcAnswer(error)));
    call.on('end', () => (hold.end ??= { status: 0, headers: {} }));
    return hold;
  }

  close(): void {
    this.#client.close();
  }
}

/** The ErrorInfo's reason stands in clear text among the bytes of the details. */
function toGrpcAnswer({ code, details, metadata }: ServiceError): NativeAnswer {
  const [bytes] = metadata.get('grpc-status-details-bin');
  const errorCode = bytes === undefined ? undefined : /ERR_[A-Z_]+/.exec(bytes.toString())?.[0];
  return {
    status: code,
    message: details,
    headers: metadata.getMap(),
    ...(errorCode === undefined ? {} : { errorCode }),
  };
}

/** proto-loader says null for a message that is not set, and names what a oneof has. */
function withoutUnset(message: object): NativeMessage {
  return Object.fromEntries(
    Object.entries(message).filter(([name, value]) => value !== null && !/^_|^event$/.test(name)),
  );
}
