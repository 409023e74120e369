import type { IncomingHttpHeaders } from 'node:http2';

import { type ApiAccess, isServed } from '../api/api-groups';
import type { MethodRow } from '../api/api-method';
import { API_TOKEN_HEADER, type TokenCheck, type TokenVerdict } from '../sidecar/api-token';
import { isOwnGrpcPath } from '../upstream/own-paths';
import { createDaprStatus } from './error-details';
import { type GrpcStatus, statusOf } from './grpc-status';
import { TRANSPORT_METHODS } from './transport-methods';
import { Status } from './status';

/** The paths that need no token. All of them are health checks of the gRPC transport. */
const EXEMPT_PATHS: ReadonlySet<string | undefined> = new Set(
  TRANSPORT_METHODS.filter(({ access }) => access === 'probe').map(({ grpcPath }) => grpcPath),
);

/** daprd's texts for the reasons, sent in the ErrorInfo detail (dapr/dapr pkg/api/grpc). */
const REASONS: Readonly<Record<Exclude<TokenVerdict, 'valid'>, string>> = {
  missing: 'missing api token in request metadata',
  mismatch: 'authentication error: api token mismatch',
};

/** True for a path that may be called without a token. */
export function isExempt(path: string): boolean {
  return EXEMPT_PATHS.has(path);
}

/**
 * Decides by its headers alone whether a call is refused. The order is: not allowed by the
 * configuration (`spec.api`), no valid API token, unknown path. Nothing of a refused request is
 * read.
 */
export class ApiRefusals {
  readonly #methods: ReadonlyMap<string | undefined, MethodRow>;
  readonly #isAllowed: ApiAccess;
  readonly #checkToken: TokenCheck | undefined;
  readonly #hasUpstream: boolean;
  /**
   * Each status is created at its first use and kept, because encoding its details takes longer
   * than a lock call.
   */
  readonly #made = new Map<string, GrpcStatus>();

  constructor(options: {
    /** The served methods. Only these and {@link TRANSPORT_METHODS} exist. */
    readonly methods: readonly MethodRow[];
    readonly isAllowed: ApiAccess;
    /** Undefined if the sidecar has no token. */
    readonly checkToken: TokenCheck | undefined;
    /** True if calls that are not served here are passed on to an upstream. */
    readonly hasUpstream?: boolean;
  }) {
    const rows = [...options.methods, ...TRANSPORT_METHODS];
    this.#methods = new Map(rows.map((row) => [row.grpcPath, row]));
    this.#isAllowed = options.isAllowed;
    this.#checkToken = options.checkToken;
    this.#hasUpstream = options.hasUpstream ?? false;
  }

  /** True if a call that is not refused is passed on to the upstream. */
  isPassed(path: string): boolean {
    if (!this.#hasUpstream) return false;
    const method = this.#methods.get(path);
    return method === undefined ? !isOwnGrpcPath(path) : method.behind !== undefined;
  }

  /** The status of a refused call. Undefined if the call may continue. */
  of(path: string, headers: IncomingHttpHeaders): GrpcStatus | undefined {
    const method = this.#methods.get(path);
    if (method !== undefined && !isServed(method, 'grpc', this.#isAllowed)) {
      return this.#once('access', createAccessRefusal);
    }
    const refusal = this.#refuseToken(method, headers);
    if (refusal !== undefined || method !== undefined || this.isPassed(path)) return refusal;
    return refuseUnknown(path);
  }

  #refuseToken(
    method: MethodRow | undefined,
    headers: IncomingHttpHeaders,
  ): GrpcStatus | undefined {
    if (this.#checkToken === undefined || method?.access === 'probe') return undefined;
    const given = headers[API_TOKEN_HEADER];
    const verdict = this.#checkToken(typeof given === 'string' ? given : undefined);
    if (verdict === 'valid') return undefined;
    return this.#once(verdict, () => createTokenRefusal(REASONS[verdict]));
  }

  #once(key: string, create: () => GrpcStatus): GrpcStatus {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const refusal = create();
    this.#made.set(key, refusal);
    return refusal;
  }
}

/** Checked after the token, so that only callers with the token find out which methods exist. */
function refuseUnknown(path: string): GrpcStatus {
  return statusOf(Status.UNIMPLEMENTED, `Holdfast does not serve ${path}`);
}

function createAccessRefusal(): GrpcStatus {
  return createDaprStatus(Status.UNIMPLEMENTED, {
    httpCode: 501,
    title: 'Not Implemented',
    reason: 'requested endpoint is not available',
  });
}

function createTokenRefusal(reason: string): GrpcStatus {
  return createDaprStatus(Status.UNAUTHENTICATED, {
    httpCode: 401,
    title: 'Unauthorized',
    reason,
  });
}
