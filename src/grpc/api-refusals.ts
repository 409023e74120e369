import type { IncomingHttpHeaders } from 'node:http2';

import { status } from '@grpc/grpc-js';

import type { ApiAccess, ApiGroup } from '../api/api-groups';
import { API_TOKEN_HEADER, type TokenCheck, type TokenVerdict } from '../sidecar/api-token';
import { createDaprStatus } from './error-details';
import type { GrpcStatus } from './grpc-status';
import { DAPR_SERVICE } from './proto-files';

/** The group of the API that each method belongs to, by its path. */
const GROUPS: ReadonlyMap<string, ApiGroup> = new Map([
  [`/${DAPR_SERVICE}/TryLockAlpha1`, 'lock'],
  [`/${DAPR_SERVICE}/UnlockAlpha1`, 'unlock'],
  [`/${DAPR_SERVICE}/GetMetadata`, 'metadata'],
  [`/${DAPR_SERVICE}/SetMetadata`, 'metadata'],
  [`/${DAPR_SERVICE}/Shutdown`, 'shutdown'],
]);

/** Probes carry no token: kubelets and load balancers can't be given one. */
const EXEMPT_PREFIX = '/grpc.health.v1.Health/';

/** daprd's words for each reason, in the ErrorInfo detail (dapr/dapr pkg/api/grpc). */
const REASONS: Readonly<Record<Exclude<TokenVerdict, 'valid'>, string>> = {
  missing: 'missing api token in request metadata',
  mismatch: 'authentication error: api token mismatch',
};

/** True for what anybody may call, with a token and without. */
export function isExempt(path: string): boolean {
  return path.startsWith(EXEMPT_PREFIX);
}

/**
 * Says by its headers alone which call is refused: what the configuration does not allow (`spec.api`)
 * first, then what lacks the right API token. Nothing of such a call's request is read.
 */
export class ApiRefusals {
  readonly #isAllowed: ApiAccess;
  readonly #checkToken: TokenCheck | undefined;
  /** Each is made when it is first needed: with its details it takes longer than a lock. */
  readonly #made = new Map<string, GrpcStatus>();

  constructor(options: {
    readonly isAllowed: ApiAccess;
    /** Undefined where the sidecar has no token. */
    readonly checkToken: TokenCheck | undefined;
  }) {
    this.#isAllowed = options.isAllowed;
    this.#checkToken = options.checkToken;
  }

  /** The status of a call that is refused; undefined for one that may go on. */
  of(path: string, headers: IncomingHttpHeaders): GrpcStatus | undefined {
    const group = GROUPS.get(path);
    if (group !== undefined && !this.#isAllowed(group, 'grpc')) {
      return this.#once('access', createAccessRefusal);
    }
    if (this.#checkToken === undefined || isExempt(path)) return undefined;
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

function createAccessRefusal(): GrpcStatus {
  return createDaprStatus(status.UNIMPLEMENTED, {
    httpCode: 501,
    title: 'Not Implemented',
    reason: 'requested endpoint is not available',
  });
}

function createTokenRefusal(reason: string): GrpcStatus {
  return createDaprStatus(status.UNAUTHENTICATED, {
    httpCode: 401,
    title: 'Unauthorized',
    reason,
  });
}
