import {
  Client,
  type ClientOptions,
  credentials,
  type ChannelCredentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';

import {
  type HoldfastError,
  isPassing,
  LockRejectedError,
  LockUnreachableError,
} from './client-errors';
import type { Endpoint, TlsCertificates } from './endpoint';
import type {
  CallLimits,
  ForceReleaseCall,
  GrantCall,
  HoldListener,
  ListCall,
  LockCalls,
  LockInfo,
  LockName,
  LockPage,
  ReleaseStatus,
  RenewAnswer,
  RenewCall,
  TakeAnswer,
  TakeCall,
} from './lock-calls';
import {
  loadMethods,
  type MethodName,
  toHoldEvent,
  toLockInfo,
  toLockPage,
  toRenewAnswer,
  toTakeAnswer,
  type WireAnswers,
  type WireEvent,
  type WireMethod,
} from './wire';

/** The settings of a connection to a sidecar. */
export interface GrpcOptions {
  readonly endpoint: Endpoint;
  readonly apiToken: string | undefined;
  readonly tls: TlsCertificates;
}

/**
 * How soon a connection that broke is tried again, in milliseconds. grpc-js would wait for 1 s at first and 2 min at
 * last, which is longer than most leases.
 */
const RECONNECT = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 250,
};

/**
 * How long a call waits for a connection, in milliseconds. grpc-js fails calls at once while it pauses between two tries
 * to connect, though the sidecar may be back by now.
 */
const CONNECT_WITHIN_MS = 500;

/** The details of grpc-js's error if a connection could not be opened. */
const NO_CONNECTION =
  /^No connection established\. Last error: (?:Error: )?(.*?)\.?(?: Resolution note:.*)?$/s;

/** The calls of the native API to a sidecar over gRPC. Connects with the first call. */
export class GrpcLockCalls implements LockCalls {
  readonly #client: Client;
  readonly #metadata = new Metadata();
  readonly #place: string;
  readonly #openHolds = new Set<() => void>();
  #isClosed = false;
  #methods: Readonly<Record<MethodName, WireMethod>> | undefined;

  constructor({ endpoint, apiToken, tls }: GrpcOptions) {
    const options: ClientOptions = {
      ...RECONNECT,
      // This client's connections are its own, and end with it.
      'grpc.use_local_subchannel_pool': 1,
      ...(endpoint.isLocal ? { 'grpc.enable_http_proxy': 0 } : {}),
    };
    this.#client = new Client(endpoint.target, toCredentials(endpoint, tls), options);
    this.#place = endpoint.target.replace(/^dns:/, '');
    if (apiToken !== undefined && apiToken !== '') this.#metadata.set('dapr-api-token', apiToken);
  }

  async acquire(call: TakeCall, limits: CallLimits): Promise<TakeAnswer> {
    return toTakeAnswer(await this.#ask('Acquire', call, limits));
  }

  async renew(call: RenewCall, limits: CallLimits): Promise<RenewAnswer> {
    return toRenewAnswer(await this.#ask('Renew', call, limits));
  }

  async release(call: GrantCall, limits: CallLimits): Promise<ReleaseStatus> {
    return (await this.#ask('Release', call, limits)).status;
  }

  async get(call: LockName, limits: CallLimits): Promise<LockInfo | undefined> {
    return toLockInfo((await this.#ask('Get', call, limits)).lock);
  }

  async list(call: ListCall, limits: CallLimits): Promise<LockPage> {
    return toLockPage(await this.#ask('List', call, limits));
  }

  async forceRelease(call: ForceReleaseCall, limits: CallLimits): Promise<ReleaseStatus> {
    return (await this.#ask('ForceRelease', call, limits)).status;
  }

  hold(request: TakeCall, listener: HoldListener): () => void {
    let end = (): void => undefined;
    let isOver = false;
    void this.#ready().then(() => {
      if (isOver) return;
      if (this.#isClosed) listener.ended(closed());
      else end = this.#openHold(request, listener);
    });
    return () => {
      isOver = true;
      end();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#openHolds) cancel();
    this.#client.close();
  }

  #openHold(request: TakeCall, listener: HoldListener): () => void {
    const { path, requestSerialize, responseDeserialize } = this.#method('Hold');
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata,
    );
    let isOver = false;
    const cancel = (): void => {
      call.cancel();
    };
    this.#openHolds.add(cancel);
    const end = (error: Error | undefined): void => {
      this.#openHolds.delete(cancel);
      if (!isOver) listener.ended(error);
      isOver = true;
    };
    call.on('data', (message: WireEvent) => {
      const event = toHoldEvent(message);
      if (event !== undefined && !isOver) listener.event(event);
    });
    call.on('error', (error: ServiceError) => {
      end(this.#toError(error));
    });
    call.on('end', () => {
      end(undefined);
    });
    return () => {
      isOver = true;
      cancel();
    };
  }

  async #ask<Name extends keyof WireAnswers>(
    name: Name,
    request: object,
    { timeoutMs, signal }: CallLimits,
  ): Promise<WireAnswers[Name]> {
    const deadline = Date.now() + timeoutMs;
    if (!this.#isClosed) await this.#ready();
    signal?.throwIfAborted();
    // grpc-js would connect again.
    if (this.#isClosed) throw closed();
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        call.cancel();
      };
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata,
        { deadline },
        (error, answer) => {
          signal?.removeEventListener('abort', abort);
          if (error === null) resolve(answer as WireAnswers[Name]);
          else reject(signal?.aborted === true ? toReason(signal) : this.#toError(error));
        },
      );
      signal?.addEventListener('abort', abort);
    });
  }

  /** Waits for a connection, for a while. A call that follows says why there is none. */
  #ready(): Promise<void> {
    return new Promise((resolve) => {
      this.#client.waitForReady(Date.now() + CONNECT_WITHIN_MS, () => {
        resolve();
      });
    });
  }

  #method(name: MethodName): WireMethod {
    this.#methods ??= loadMethods();
    return this.#methods[name];
  }

  #toError(error: ServiceError): HoldfastError {
    const { details } = error;
    const name = status[error.code];
    if (isPassing(name)) {
      const [, reason] = NO_CONNECTION.exec(details) ?? [];
      const what = reason === undefined ? `: ${details}` : ` can't be reached: ${reason}`;
      return new LockUnreachableError(`sidecar at ${this.#place}${what}`, { cause: error });
    }
    return new LockRejectedError(details === '' ? name : details, name, { cause: error });
  }
}

function closed(): LockUnreachableError {
  return new LockUnreachableError('the client is closed');
}

function toReason({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function toCredentials(
  { isTls }: Endpoint,
  { ca, cert, key }: TlsCertificates,
): ChannelCredentials {
  if (!isTls) return credentials.createInsecure();
  return credentials.createSsl(ca ?? null, key ?? null, cert ?? null);
}
