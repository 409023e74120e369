import path from 'node:path';

import { loadSync, type MethodDefinition } from '@grpc/proto-loader';

import type { AtRiskReason, LostReason } from './client-errors';
import type {
  HoldEvent,
  LeaseAnswer,
  LockInfo,
  LockPage,
  ReleaseStatus,
  RenewAnswer,
  TakeAnswer,
} from './lock-calls';

/** The calls of the service, by their names in the proto file. */
export type MethodName = 'Acquire' | 'Renew' | 'Release' | 'Hold' | 'Get' | 'List' | 'ForceRelease';

/** A method with its codecs. */
export type WireMethod = MethodDefinition<object, object>;

/** The folder of the proto files, seen from src and from dist. */
const PROTO_DIR = path.join(__dirname, '..', '..', 'proto');

/** Loads the methods of holdfast.v1.Locks. */
export function loadMethods(): Readonly<Record<MethodName, WireMethod>> {
  const options = { includeDirs: [PROTO_DIR], longs: Number, enums: String, defaults: true };
  const service = loadSync('holdfast/v1/locks.proto', options)['holdfast.v1.Locks'];
  if (service === undefined || 'format' in service) throw new Error('no service holdfast.v1.Locks');
  return service as unknown as Record<MethodName, WireMethod>;
}

/** A lock in a message; what is not set is null or missing. */
type WireLock = Omit<LockInfo, 'ttlMs'> & { readonly ttlMs?: number | null };

/** The answers as they are decoded, by method. */
export interface WireAnswers {
  readonly Acquire: {
    readonly acquired: boolean;
    readonly lease: LeaseAnswer;
    readonly holder: WireLock | null;
  };
  readonly Renew: {
    readonly status: 'RENEWED' | 'NOT_FOUND' | 'HELD_BY_OTHER';
    readonly lease: LeaseAnswer;
  };
  readonly Release: { readonly status: ReleaseStatus };
  readonly ForceRelease: { readonly status: ReleaseStatus };
  readonly Get: { readonly lock: WireLock | null };
  readonly List: { readonly locks: readonly WireLock[]; readonly nextPageToken: string };
}

/** An event in a message: one of its members is set. */
export interface WireEvent {
  readonly queued?: { readonly ahead: number } | null;
  readonly held?: { readonly lease: LeaseAnswer } | null;
  readonly renewed?: { readonly validMs: number } | null;
  readonly atRisk?: { readonly validMs: number; readonly reason: AtRiskReason } | null;
  readonly lost?: { readonly reason: LostReason } | null;
  readonly refused?: { readonly holder?: WireLock | null } | null;
}

/** Converts the answer to an acquire. */
export function toTakeAnswer({ acquired, lease, holder }: WireAnswers['Acquire']): TakeAnswer {
  return acquired ? { acquired, lease } : { acquired, holder: toLockInfo(holder) };
}

/** Converts the answer to a renewal. */
export function toRenewAnswer({ status, lease }: WireAnswers['Renew']): RenewAnswer {
  return status === 'RENEWED' ? { status, lease } : { status };
}

/** A page of locks. */
export function toLockPage({ locks, nextPageToken }: WireAnswers['List']): LockPage {
  return { locks: locks.map(toInfo), nextPageToken };
}

/** A lock, or undefined if none is set. */
export function toLockInfo(lock: WireLock | null | undefined): LockInfo | undefined {
  return lock === null || lock === undefined ? undefined : toInfo(lock);
}

/** An event; undefined for one that this version does not know. */
export function toHoldEvent(event: WireEvent): HoldEvent | undefined {
  if (event.queued) return { type: 'queued', ahead: event.queued.ahead };
  if (event.held) return { type: 'held', lease: event.held.lease };
  if (event.renewed) return { type: 'renewed', validMs: event.renewed.validMs };
  if (event.atRisk) return { type: 'atRisk', ...event.atRisk };
  if (event.lost) return { type: 'lost', reason: event.lost.reason };
  if (event.refused) return { type: 'refused', holder: toLockInfo(event.refused.holder) };
  return undefined;
}

function toInfo(lock: WireLock): LockInfo {
  const { resourceId, lockOwner, fencingToken, ttlMs, expiresAtMs, waiters } = lock;
  return { resourceId, lockOwner, fencingToken, ttlMs: ttlMs ?? undefined, expiresAtMs, waiters };
}
