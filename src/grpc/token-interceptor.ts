import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

import { API_TOKEN_HEADER, type TokenCheck, type TokenVerdict } from '../sidecar/api-token';
import { createDaprStatus } from './error-details';
import type { GrpcStatus } from './grpc-status';
import { firstValue } from './grpc-api-call';

/** Probes carry no token: kubelets and load balancers can't be given one. */
const EXEMPT_PREFIX = '/grpc.health.v1.Health/';

/** daprd's words for each reason, in the ErrorInfo detail (dapr/dapr pkg/api/grpc). */
const REASONS: Readonly<Record<Exclude<TokenVerdict, 'valid'>, string>> = {
  missing: 'missing api token in request metadata',
  mismatch: 'authentication error: api token mismatch',
};

/** Refuses calls without the right API token, before the request is decoded. */
export function createTokenInterceptor(checkToken: TokenCheck): ServerInterceptor {
  const refusals: Partial<Record<keyof typeof REASONS, GrpcStatus>> = {};
  return (method, call) => {
    if (method.path.startsWith(EXEMPT_PREFIX)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const verdict = checkToken(firstValue(metadata, API_TOKEN_HEADER));
            if (verdict === 'valid') proceed(metadata);
            else call.sendStatus((refusals[verdict] ??= createRefusal(REASONS[verdict])));
          },
        });
      },
    });
  };
}

function createRefusal(reason: string): GrpcStatus {
  return createDaprStatus(status.UNAUTHENTICATED, {
    httpCode: 401,
    title: 'Unauthorized',
    reason,
  });
}
