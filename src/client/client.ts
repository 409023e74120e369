/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />

/** The exports of `holdfast/client`. */
export {
  type AtRiskReason,
  HoldfastError,
  LockAtRiskError,
  LockLostError,
  LockNotAcquiredError,
  LockRejectedError,
  LockUnreachableError,
  type LostReason,
} from './client-errors';
export { connect, type ConnectOptions } from './connect';
export { EndpointError, type TlsCertificates } from './endpoint';
export type { Lock } from './lock';
export type { LockInfo, ReleaseStatus } from './lock-calls';
export type { GrantOptions, HoldOptions, Lease, Locks, TakeOptions } from './locks';
