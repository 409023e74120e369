import {
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  connectivityState,
  credentials,
  Metadata,
} from '@grpc/grpc-js';

import { processClock } from '../../base/clock';
import { race } from '../../base/race';
import { StoreError } from '../../lock/lock-store';
import type { Link, SendFailure } from '../attempts/link';
import { ServerClock } from '../attempts/server-clock';
import type { EtcdApi, EtcdMethod } from './etcd-api';
import {
  isCallError,
  isHopeless,
  isTokenInvalid,
  isUseless,
  SERVER_NAME,
  toStoreError,
} from './etcd-errors';
import type { EtcdSettings } from './etcd-settings';
import { toCredentials } from './etcd-tls';

/** The longest answer that is read, in bytes: a page of locks whose owners are long. */
const LONGEST_ANSWER = 64 * 2 ** 20;

const CHANNEL_OPTIONS: ClientOptions = {
  // Each call is sent once. What is sent again, and when, is decided in stores/attempts.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  // Otherwise two stores would share a connection, and one could not end it.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.max_receive_message_length': LONGEST_ANSWER,
  // etcd ends connections with more frequent pings.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
};

/** The options of a link. */
export interface LinkOptions {
  readonly settings: EtcdSettings;
  readonly api: EtcdApi;
  readonly endpoint: string;
}

/** A call that can be cancelled. */
interface Cancellable {
  cancel(): void;
}

/** The parts of a link that a send uses. */
export interface EtcdCalls {
  readonly api: EtcdApi;
  /** Sends a call once. Rejects with an error that can be explained. */
  call<Request, Response>(
    method: EtcdMethod<Request, Response>,
    request: Request,
  ): Promise<Response>;
  explain(error: unknown): SendFailure;
}

/** A connection to one member of a cluster, from its handshake to its end. It never reconnects. */
export class EtcdLink implements Link, EtcdCalls {
  readonly serverName = SERVER_NAME;
  readonly api: EtcdApi;
  readonly endpoint: string;
  /**
   * The local clock: etcd shows none. It only numbers the sends. Their effects end with their
   * leases, not with a time (docs/decisions/0018).
   */
  readonly clock: ServerClock;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<Error>;
  /** The cluster. One that was restored from a backup has another id. */
  dataEpoch: string | undefined;
  endReason: Error | undefined;
  readonly #settings: EtcdSettings;
  readonly #client: Client;
  readonly #calls = new Set<Cancellable>();
  #resolveEnded: (reason: Error) => void = () => undefined;
  #token: string | undefined;
  #signingIn: Promise<void> | undefined;

  private constructor({ settings, api, endpoint }: LinkOptions, clock: ServerClock) {
    this.#settings = settings;
    this.api = api;
    this.endpoint = endpoint;
    this.clock = clock;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const { tls } = settings;
    const safety = tls === undefined ? credentials.createInsecure() : toCredentials(tls);
    const name = tls?.serverName;
    this.#client = new Client(endpoint, safety, {
      ...CHANNEL_OPTIONS,
      ...(name === undefined ? {} : { 'grpc.ssl_target_name_override': name }),
    });
  }

  /**
   * Connects to a member, signs in, and makes sure that it is part of a majority: it must answer a
   * read that needs one. All within the time of the signal.
   */
  static async open(options: LinkOptions, signal: AbortSignal): Promise<EtcdLink> {
    const clock = await ServerClock.of({ ask: async () => Date.now(), clock: processClock });
    const link = new EtcdLink(options, clock);
    try {
      const answered = Promise.race([link.#handshake(), link.ended.then(raise)]);
      await race(answered, { signals: [signal] }, () => {
        throw new Error(`no answer in time (${options.endpoint})`);
      });
      link.#watchConnection();
      return link;
    } catch (cause) {
      const error = withEndpoint(cause, options.endpoint);
      link.end(error);
      throw error;
    }
  }

  /**
   * Sends a call once. If its token is no longer valid, which etcd says before it does anything,
   * signs in and sends it again.
   */
  async call<Request, Response>(
    method: EtcdMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    const token = this.#token;
    try {
      return await this.#send(method, request);
    } catch (error) {
      if (!isTokenInvalid(error) || this.#settings.username === '') throw error;
      if (this.#token === token) await this.#signIn();
      return await this.#send(method, request);
    }
  }

  readDataEpoch(): Promise<string | undefined> {
    return Promise.resolve(this.dataEpoch);
  }

  end(reason: Error): void {
    if (this.endReason !== undefined) return;
    this.endReason = reason;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
    this.#resolveEnded(reason);
  }

  explain(error: unknown): SendFailure {
    return {
      error: toStoreError(error, this.endReason),
      hopeless: isHopeless(error) ? (error as Error).message : undefined,
      useless: isUseless(error) && isCallError(error) ? new Error(error.details) : undefined,
    };
  }

  /** Metadata for a call that fails at once if the member knows no leader. */
  #toMetadata(): Metadata {
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');
    if (this.#token !== undefined) metadata.set('token', this.#token);
    return metadata;
  }

  /** Opens a stream, which ends with the link. Its errors are for the caller to listen to. */
  open<Request, Response>({
    path,
    requestSerialize,
    responseDeserialize,
  }: EtcdMethod<Request, Response>): ClientDuplexStream<Request, Response> {
    const metadata = this.#toMetadata();
    const stream = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
    );
    this.#calls.add(stream);
    stream.on('close', () => this.#calls.delete(stream));
    return stream;
  }

  /** Sends one message on a stream of its own, and waits for the first answer. */
  callOnStream<Request, Response>(
    method: EtcdMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    if (this.endReason !== undefined) return Promise.reject(this.endReason);
    return new Promise((resolve, reject) => {
      const stream = this.open(method);
      stream.on('error', reject);
      stream.on('end', () => {
        reject(new Error('no answer'));
      });
      stream.on('data', (response: Response) => {
        resolve(response);
        stream.end();
      });
      stream.write(request);
    });
  }

  #send<Request, Response>(
    { path, requestSerialize, responseDeserialize }: EtcdMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    if (this.endReason !== undefined) {
      const message = `etcd can't be reached: ${this.endReason.message}`;
      const options = { kind: 'unavailable', outcome: 'not-applied' } as const;
      return Promise.reject(new StoreError(message, options));
    }
    return new Promise((resolve, reject) => {
      const call: Cancellable = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#toMetadata(),
        (error, response) => {
          this.#calls.delete(call);
          if (error === null && response !== undefined) resolve(response);
          else reject(error ?? new Error('no answer'));
        },
      );
      this.#calls.add(call);
    });
  }

  async #handshake(): Promise<void> {
    if (this.#settings.username !== '') await this.#signIn();
    const key = Buffer.from(`${this.#settings.keyPrefixPath}lock||`);
    const { header } = await this.call(this.api.range, { key, countOnly: true });
    this.dataEpoch = header.clusterId;
  }

  /** Concurrent callers share one answer. */
  #signIn(): Promise<void> {
    this.#signingIn ??= this.#authenticate().finally(() => {
      this.#signingIn = undefined;
    });
    return this.#signingIn;
  }

  async #authenticate(): Promise<void> {
    const { username: name, password } = this.#settings;
    this.#token = undefined;
    const { token } = await this.#send(this.api.authenticate, { name, password });
    this.#token = token;
  }

  /** grpc-js would connect again by itself, perhaps to a member that has restarted. */
  #watchConnection(): void {
    const channel = this.#client.getChannel();
    const check = (): void => {
      if (this.endReason !== undefined) return;
      const state = channel.getConnectivityState(false);
      if (state === connectivityState.READY) {
        channel.watchConnectivityState(state, Infinity, check);
        return;
      }
      this.end(new Error(`the connection was closed (${this.endpoint})`));
    };
    check();
  }
}

function raise(error: Error): never {
  throw error;
}

/** Adds the member's address to an error. */
function withEndpoint(cause: unknown, endpoint: string): Error {
  if (!isCallError(cause)) return cause instanceof Error ? cause : new Error(String(cause));
  const { message, kind, outcome } = toStoreError(cause, undefined);
  const isKnown = kind === 'rejected' || outcome === 'not-applied';
  const text = `${isKnown ? message : cause.details} (${endpoint})`;
  return new StoreError(text, { kind, outcome: 'not-applied', cause });
}
