import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

import type { ApiAccess, ApiGroup } from '../sidecar/api-groups';
import { createDaprStatus } from './error-details';
import { DAPR_SERVICE } from './proto-files';

/** The group of the API that each method belongs to. */
const GROUPS: Readonly<Record<string, ApiGroup>> = {
  TryLockAlpha1: 'lock',
  UnlockAlpha1: 'unlock',
  GetMetadata: 'metadata',
  SetMetadata: 'metadata',
  Shutdown: 'shutdown',
};

/** Refuses what the configuration does not allow (`spec.api`), before the token is looked at. */
export function createAccessInterceptor(isAllowed: ApiAccess): ServerInterceptor {
  const refusal = createDaprStatus(status.UNIMPLEMENTED, {
    httpCode: 501,
    title: 'Not Implemented',
    reason: 'requested endpoint is not available',
  });
  return (method, call) => {
    const group = groupOf(method.path);
    if (group === undefined || isAllowed(group, 'grpc')) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: () => {
            call.sendStatus(refusal);
          },
        });
      },
    });
  };
}

function groupOf(path: string): ApiGroup | undefined {
  const [, service, name = ''] = path.split('/');
  return service === DAPR_SERVICE ? GROUPS[name] : undefined;
}
