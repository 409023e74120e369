import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

import type { ApiAccess, ApiGroup } from '../sidecar/api-groups';
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

/** Refuses what the configuration does not allow (`spec.api`), before the token is looked at. */
export function createAccessInterceptor(isAllowed: ApiAccess): ServerInterceptor {
  let refusal: GrpcStatus | undefined;
  return (method, call) => {
    const group = GROUPS.get(method.path);
    // Handed on as it is: a layer that does nothing costs every call.
    if (group === undefined || isAllowed(group, 'grpc'))
      return call as unknown as ServerInterceptingCall;
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: () => {
            call.sendStatus((refusal ??= createRefusal()));
          },
        });
      },
    });
  };
}

function createRefusal(): GrpcStatus {
  return createDaprStatus(status.UNIMPLEMENTED, {
    httpCode: 501,
    title: 'Not Implemented',
    reason: 'requested endpoint is not available',
  });
}
