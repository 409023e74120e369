import type { NativeApi } from '../api/native-api';
import type { HoldEvent, LockInfo } from '../lock/native-lock-service';
import { bindMethods, type GrpcMethod, type ToMessages } from './grpc-method';
import { loadNativePackage } from './proto-files';

/** The native methods in the form that the gRPC server needs. */
export function createNativeMethods(api: NativeApi): readonly GrpcMethod[] {
  const { service, messages } = loadNativePackage();
  const methods = new Map(Object.values(service).map((method) => [method.path, method]));
  return bindMethods(api, { methods, messages }, TO_MESSAGES);
}

/** The numbers of the enums in proto/holdfast/v1/locks.proto. A test compares them. */
const RENEW_STATUS = { RENEWED: 1, NOT_FOUND: 2, HELD_BY_OTHER: 3 } as const;
const RELEASE_STATUS = { RELEASED: 1, NOT_FOUND: 2, HELD_BY_OTHER: 3 } as const;
const AT_RISK_REASON = { RENEWAL_FAILED: 1, SIDECAR_STOPPING: 2, STORE_REMOVED: 3 } as const;
const LOST_REASON = { EXPIRED: 1, TAKEN_OVER: 2, STORE_UNREACHABLE: 3 } as const;

const TO_MESSAGES: ToMessages<NativeApi> = {
  Renew: (answer) => ({ ...answer, status: RENEW_STATUS[answer.status] }),
  Release: ({ status }) => ({ status: RELEASE_STATUS[status] }),
  ForceRelease: ({ status }) => ({ status: RELEASE_STATUS[status] }),
  Get: (lock: LockInfo | undefined) => ({ lock }),
  Hold: toHoldEvent,
};

function toHoldEvent(event: HoldEvent): object {
  switch (event.type) {
    case 'queued':
      return { queued: { ahead: event.ahead } };
    case 'held':
      return { held: { lease: event.lease } };
    case 'renewed':
      return { renewed: { validMs: event.validMs } };
    case 'atRisk':
      return { atRisk: { validMs: event.validMs, reason: AT_RISK_REASON[event.reason] } };
    case 'lost':
      return { lost: { reason: LOST_REASON[event.reason] } };
    case 'refused':
      return { refused: { holder: event.holder } };
  }
}
