import type { SidecarOverview } from '../api/overview';
import type {
  ForceReleaseRequest,
  ListAnswer,
  LockInfo,
  LockName,
  ReleaseAnswer,
} from '../lock/native-lock-service';
import type { LockLister } from './shown-locks';

/**
 * Why a call has no answer.
 * - `unreachable`: the sidecar or something before it does not answer
 * - `token`: the API token is missing or wrong
 * - `denied`: the configuration denies the API `locks`
 * - `failed`: the sidecar answered with an error
 */
export type FailureKind = 'unreachable' | 'token' | 'denied' | 'failed';

/** A call without an answer. Its message is for people. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly kind: FailureKind;
  /** The code of the sidecar's error. Empty if it sent none. */
  readonly errorCode: string;

  constructor(kind: FailureKind, message: string, errorCode = '') {
    super(message);
    this.kind = kind;
    this.errorCode = errorCode;
  }
}

/** After this time without an answer, the sidecar counts as unreachable, in milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * The longest resource that can be asked for by a GET, in bytes of the URL: a sidecar accepts headers of
 * 4 KiB by default (--read-buffer-size), and those of a browser need some of them.
 */
const LONGEST_QUERY = 2500;

/**
 * Calls the sidecar that served the page. All URLs are relative to the page, so that it works behind
 * a proxy that adds a path.
 */
export class SidecarClient implements LockLister {
  readonly #token: () => string;

  /** @param token the API token; empty for none */
  constructor(token: () => string) {
    this.#token = token;
  }

  /** The sidecar's stores and recent events. */
  overview(signal: AbortSignal): Promise<SidecarOverview> {
    return this.#get('v1/overview', {}, signal);
  }

  /** One page of a store's held locks. */
  list(
    storeName: string,
    page: { readonly prefix: string; readonly pageSize: number; readonly pageToken: string },
    signal: AbortSignal,
  ): Promise<ListAnswer> {
    const { prefix, pageSize, pageToken } = page;
    const query = { prefix, pageSize: String(pageSize), pageToken };
    return this.#get(toStorePath(storeName), query, signal);
  }

  /** True if a lock can be asked for by its name. Longer names are found in lists only. */
  canGet({ resourceId }: LockName): boolean {
    return encodeURIComponent(resourceId).length <= LONGEST_QUERY;
  }

  /** One lock; undefined if it is free. */
  async get(
    { storeName, resourceId }: LockName,
    signal: AbortSignal,
  ): Promise<LockInfo | undefined> {
    try {
      return await this.#get(`${toStorePath(storeName)}/lock`, { resourceId }, signal);
    } catch (error) {
      if (error instanceof CallError && error.errorCode === 'ERR_LOCK_NOT_HELD') return undefined;
      throw error;
    }
  }

  /** Releases the grant that the request names, whoever holds it. */
  forceRelease({ storeName, ...fields }: ForceReleaseRequest): Promise<ReleaseAnswer> {
    return this.#call(`${toStorePath(storeName)}/force-release`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    });
  }

  #get<Answer>(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const given = Object.entries(query).filter(([, value]) => value !== '');
    const search = new URLSearchParams(given).toString();
    return this.#call(search === '' ? path : `${path}?${search}`, { signal });
  }

  async #call<Answer>(url: string, init: RequestInit): Promise<Answer> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = AbortSignal.any([timeout, ...(init.signal ? [init.signal] : [])]);
    let response: Response;
    try {
      const headers = new Headers(init.headers);
      headers.set('accept', 'application/json');
      if (this.#token() !== '') headers.set('dapr-api-token', toBytes(this.#token()));
      const request = { ...init, headers, signal, cache: 'no-store' as const };
      response = await fetch(url, request);
    } catch {
      throw new CallError('unreachable', 'the sidecar does not answer');
    }
    if (!response.ok) throw await toError(response);
    try {
      return (await response.json()) as Answer;
    } catch {
      throw new CallError('unreachable', 'the answer broke off');
    }
  }
}

/** A header takes bytes; the sidecar compares the token as UTF-8. */
function toBytes(token: string): string {
  return String.fromCharCode(...new TextEncoder().encode(token));
}

function toStorePath(storeName: string): string {
  return `v1/locks/${encodeURIComponent(storeName)}`;
}

/** daprd's code for a path that is no route. Denied methods are none. */
const NO_ROUTE = 'ERR_DIRECT_INVOKE';

async function toError(response: Response): Promise<CallError> {
  const text = await response.text().catch(() => '');
  const { errorCode = '', message = '' } = parse(text);
  if (response.status === 401) return new CallError('token', 'the API token is not valid');
  const isNoRoute = errorCode === NO_ROUTE || (errorCode === '' && response.status === 404);
  if (isNoRoute) return new CallError('denied', 'this sidecar does not serve its locks');
  if (errorCode === '') {
    const isGateway = response.status >= 500;
    return new CallError(isGateway ? 'unreachable' : 'failed', `HTTP status ${response.status}`);
  }
  return new CallError('failed', message, errorCode);
}

function parse(text: string): { readonly errorCode?: string; readonly message?: string } {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}
